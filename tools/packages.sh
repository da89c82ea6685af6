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

# promtool comes with Debian's prometheus: a server that runs as soon as it is installed,
# on the port of our own metrics. So its package is unpacked, by whoever, and not installed.
unpacked=.dev/promtool
has_promtool() { command -v promtool || [ -x "$unpacked/usr/bin/promtool" ]; }
unpack_promtool() {
	command -v apt-get && command -v dpkg-deb && rm -rf "$unpacked" && mkdir -p "$unpacked" || return 1
	(cd "$unpacked" && { apt-get download prometheus || { apt-get update && apt-get download prometheus; }; } &&
		dpkg-deb --fsys-tarfile prometheus_*.deb | tar -xf - ./usr/bin/promtool && rm prometheus_*.deb)
}
if ! has_promtool >/dev/null 2>&1; then
	echo "unpacking: promtool"
	unpack_promtool >/dev/null 2>&1 || true
	need "prometheus" has_promtool
fi

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
