#!/bin/sh
# Makes the two databases when the postgres container first starts (it runs what
# lies in /docker-entrypoint-initdb.d, as the superuser, before it listens).
#
# Each half has a database of its own, which the other half's roles may not enter
# (invariant I14), and two roles: an owner, who migrates, and the service's own,
# who reads and writes rows and changes no table.
set -eu

sql() { # database; statements on standard input
	psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname "$1"
}

quoted() { # as an SQL string
	printf "'%s'" "$(printf %s "$1" | sed "s/'/''/g")"
}

make_half() { # half, its owner's password, its service's password
	sql postgres <<-SQL
		CREATE ROLE $1_owner LOGIN PASSWORD $(quoted "$2");
		CREATE ROLE $1 LOGIN PASSWORD $(quoted "$3");
		CREATE DATABASE $1 OWNER $1_owner;
		REVOKE ALL ON DATABASE $1 FROM PUBLIC;
		GRANT CONNECT ON DATABASE $1 TO $1;
	SQL
	sql "$1" <<-SQL
		ALTER DEFAULT PRIVILEGES FOR ROLE $1_owner IN SCHEMA public
			GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO $1;
		ALTER DEFAULT PRIVILEGES FOR ROLE $1_owner IN SCHEMA public
			GRANT USAGE ON SEQUENCES TO $1;
	SQL
}

make_half handoff_dao "$DAO_OWNER_PASSWORD" "$DAO_PASSWORD"
make_half handoff_fos "$FOS_OWNER_PASSWORD" "$FOS_PASSWORD"
