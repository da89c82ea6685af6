#!/bin/sh
# What "make check" needs beside Go and make, by what it can do and not by its
# name, so that it may come from anywhere. Whatever is missing is installed by root
# on Debian or Ubuntu, and named to everybody else.
#
# Postgres and Redis are not here: the tests find, install or download them by
# themselves (internal/devstack), as for "make test".
set -eu

missing=
need() { # package, command that shows it is there
	package=$1
	shift
	if ! "$@" >/dev/null 2>&1; then missing="$missing $package"; fi
}

compiles() { echo '#include <stdlib.h>' | "${CC:-gcc}" -E -o /dev/null -; }
browses() { command -v "${CHROMIUM:-chromium}" || command -v chromium-browser || command -v google-chrome-stable; }
# Where Debian's packages for Node lie; a Node from elsewhere has to be told.
keeps_cookies() { NODE_PATH="${NODE_PATH:+$NODE_PATH:}/usr/share/nodejs" node -e "require('tough-cookie').CookieJar.name"; }
imports() { /usr/bin/python3 -c "import $1" || python3 -c "import $1"; }

need "gcc libc6-dev" compiles
need chromium browses
need python3-passlib imports passlib
need python3-argon2 imports argon2
need python3-bcrypt imports bcrypt
need python3-jwt imports "jwt; jwt.PyJWT"
need "python3-fastapi python3-httpx python3-uvicorn" imports "fastapi, httpx, uvicorn"
need curl curl --version
need nodejs node -e fetch
need node-tough-cookie keeps_cookies
need npm npm --version

# Debian's prometheus, which promtool comes with, and pgbouncer are servers that run as soon
# as they are installed, on ports of our own. So they are unpacked, by whoever, and not
# installed.
unpack() { # where, what of each package, packages
	where=$1 what=$2
	shift 2
	command -v apt-get && command -v dpkg-deb && mkdir -p "$where" || return 1
	(cd "$where" && { apt-get download "$@" || { apt-get update && apt-get download "$@"; }; } &&
		for package in *.deb; do dpkg-deb --fsys-tarfile "$package" | tar -xf - "$what" && rm "$package" || exit 1; done)
}
needs_unpacked() { # package, command that shows it is there, command that unpacks it
	if "$2" >/dev/null 2>&1; then return 0; fi
	echo "unpacking: $1"
	rm -rf ".dev/${2#has_}"
	"$3" >/dev/null 2>&1 || true
	need "$1" "$2"
}

has_promtool() { command -v promtool || [ -x .dev/promtool/usr/bin/promtool ]; }
unpack_promtool() { unpack .dev/promtool ./usr/bin/promtool prometheus; }
needs_unpacked prometheus has_promtool unpack_promtool

has_pgbouncer() { command -v pgbouncer || [ -x /usr/sbin/pgbouncer ] || LD_LIBRARY_PATH=$(echo .dev/pgbouncer/usr/lib/*) .dev/pgbouncer/usr/sbin/pgbouncer --version; }
libraries() { # of the package's, those that this machine lacks
	for library in $(apt-cache depends "$1" | sed -n 's/^ *Depends: \(lib.*\)/\1/p'); do
		dpkg -s "$library" >/dev/null 2>&1 || echo "$library"
	done
}
unpack_pgbouncer() {
	unpack .dev/pgbouncer ./usr/sbin/pgbouncer pgbouncer && lacking=$(libraries pgbouncer) || return 1
	# shellcheck disable=SC2086 # words on purpose
	[ -z "$lacking" ] || unpack .dev/pgbouncer ./usr/lib $lacking
}
needs_unpacked pgbouncer has_pgbouncer unpack_pgbouncer

# TypeScript's compiler, which the types of client/js are checked with: the version of the
# lock file, below .dev/, by whoever.
compiler=.dev/typescript
has_compiler() { cmp tools/typescript/package-lock.json "$compiler/package-lock.json" && "$compiler/node_modules/.bin/tsc" --version; }
get_compiler() {
	if has_compiler >/dev/null 2>&1; then return 0; fi
	echo "unpacking: typescript"
	rm -rf "$compiler" && mkdir -p "$compiler" && cp tools/typescript/package.json "$compiler" &&
		cp tools/typescript/package-lock.json "$compiler" &&
		(cd "$compiler" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) && has_compiler >/dev/null
}

if [ -z "$missing" ]; then
	get_compiler
	exit
fi

install="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
	echo "missing:$missing" >&2
	echo "on Debian and Ubuntu: sudo $install" >&2
	exit 1
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
options="-q -o DPkg::Lock::Timeout=180 -o Dpkg::Use-Pty=0"
# Lists may be missing, as in a fresh container, or too old for the mirror.
# shellcheck disable=SC2086 # words on purpose
if ! apt-get $options ${install#apt-get } >/dev/null 2>&1; then
	apt-get $options update >/dev/null
	apt-get $options ${install#apt-get } >/dev/null
fi
get_compiler
