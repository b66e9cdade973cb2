#!/bin/sh
# Runs in temporalio/admin-tools at every start; connection settings come as SQL_* from the environment.
# SCHEMA_FOLDER is where that image keeps the schema's versions.
set -eu
folder="${SCHEMA_FOLDER:-/etc/temporal/schema/postgresql/v12}"

update() {
  temporal-sql-tool --database "$1" update-schema --schema-dir "$folder/$2/versioned"
}

# setup-schema puts an existing database back to version 0, so it must run only where the database or its version table is missing.
bring_up_to_date() {
  if output="$(update "$1" "$2" 2>&1)"; then
    echo "$output"
    return
  fi
  case "$output" in
    *"does not exist"*) ;;
    *) echo "$output" >&2; return 1 ;;
  esac
  temporal-sql-tool --database "$1" create
  temporal-sql-tool --database "$1" setup-schema --version 0.0
  update "$1" "$2"
}

bring_up_to_date temporal temporal
bring_up_to_date temporal_visibility visibility
