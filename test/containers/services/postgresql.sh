#!/bin/sh
# What the official image does with POSTGRES_USER and POSTGRES_PASSWORD on an empty volume, with Debian's PostgreSQL.
set -eu
data=/var/lib/postgresql/data
programs=$(ls -d /usr/lib/postgresql/*/bin)
as_postgres() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }
chown postgres:postgres "$data"
chmod 700 "$data"
if ! test -e "$data/PG_VERSION"; then
  password=$(mktemp)
  echo "$POSTGRES_PASSWORD" > "$password"
  chown postgres "$password"
  as_postgres "$programs/initdb" --pgdata "$data" --username "$POSTGRES_USER" --pwfile "$password" \
    --auth-host scram-sha-256 --auth-local trust > /dev/null
  rm "$password"
  echo 'host all all all scram-sha-256' >> "$data/pg_hba.conf"
fi
exec setpriv --reuid postgres --regid postgres --clear-groups "$programs/postgres" -D "$data" -c listen_addresses='*' \
  -c unix_socket_directories=/tmp
