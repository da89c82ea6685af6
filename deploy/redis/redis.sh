#!/bin/sh
# Starts Redis as the service wants it: nothing on disk (a hand-off lives for a
# minute, and a dump would be one more place to steal from), and full memory is an
# error, not a silent loss. The configuration comes on standard input: on the
# command line every account of the host could read the password (ps).
set -eu
exec redis-server - <<CONF
requirepass "$REDIS_PASSWORD"
save ""
appendonly no
maxmemory 96mb
maxmemory-policy noeviction
CONF
