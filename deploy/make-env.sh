#!/bin/sh
# Writes the secrets of docker-compose.yml, made up for this machine, to the file
# that is named (.env). It never overwrites: the databases were made with what is
# in it, and sessions and sealed tokens live by it.
set -eu

file=${1:?usage: make-env.sh FILE}
umask 077 # before the file exists, so that nobody reads it in between

secret() { # 32 bytes in hexadecimal; no openssl needed
	text=$(od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n')
	[ ${#text} -eq 64 ] || { echo "/dev/urandom gave too little" >&2; exit 1; }
	echo "$text"
}

content="# The secrets of docker-compose.yml. Belongs in no repository."
for name in POSTGRES_PASSWORD DAO_OWNER_PASSWORD DAO_PASSWORD FOS_OWNER_PASSWORD FOS_PASSWORD REDIS_PASSWORD \
	CROSS_DOMAIN_SERVICE_TOKEN HANDOFF_SEALING_KEYS AUDIT_PSEUDONYM_KEYS JWT_SECRET_KEY; do
	value=$(secret)
	content="$content
$name=$value"
done

if [ -e "$file" ]; then
	echo "$file exists already and stays as it is" >&2
	exit 1
fi
# noclobber: of two who start at once, one writes.
set -C
echo "$content" >"$file"
echo "$file has secrets for docker compose; docker compose up --build starts everything."
