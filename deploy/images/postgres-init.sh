#!/bin/sh
# Gives each service a role and a database of its own, in an empty PostgreSQL. Runs once, when the image of
# PostgreSQL finds its data folder empty. Passwords come from REGISTRY_DB_PASSWORD and so on.
# Promises: no service's role may connect to another service's database, nor to `postgres`.
set -eu
for name in registry grid_tasks assessment notifications; do
  variable=$(printf '%s' "$name" | tr '[:lower:]' '[:upper:]')_DB_PASSWORD
  eval "password=\${$variable:?}"
  psql --quiet --set ON_ERROR_STOP=1 --host /var/run/postgresql --username postgres --dbname postgres \
    --set name="$name" --set password="$password" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC;
SQL
done
