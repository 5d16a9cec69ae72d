#!/usr/bin/env bash
# Run once by the Postgres image on an empty volume: two databases, two owners, and neither reads the other's.
set -euo pipefail

psql --username "$POSTGRES_USER" --dbname postgres --no-psqlrc --set ON_ERROR_STOP=1 \
    --set airflow_password="$AIRFLOW_DB_PASSWORD" --set slac_password="$SLAC_DB_PASSWORD" <<'SQL'
CREATE ROLE airflow LOGIN PASSWORD :'airflow_password';
CREATE ROLE slac LOGIN PASSWORD :'slac_password';
CREATE DATABASE airflow OWNER airflow;
CREATE DATABASE slac OWNER slac;
REVOKE CONNECT ON DATABASE airflow FROM PUBLIC;
REVOKE CONNECT ON DATABASE slac FROM PUBLIC;
SQL
