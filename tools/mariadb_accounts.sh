#!/bin/bash
# Run once by MariaDB's image on an empty volume: the read-only account of the API and of the web tier, and what the
# ETL's account needs beside its own database: that of Dagster's history, scratch databases in which backups are verified
# and restored, and PROCESS, to name the connections that hold up a swap.
set -eu
mariadb --user=root --password="$MARIADB_ROOT_PASSWORD" <<SQL
CREATE USER 'reader'@'%' IDENTIFIED BY '${MOBIVILLE_READER_PASSWORD}';
GRANT SELECT ON \`mobiville\`.* TO 'reader'@'%';
CREATE DATABASE dagster;
GRANT ALL ON dagster.* TO 'mobiville'@'%';
GRANT ALL ON \`mobiville\_%\`.* TO 'mobiville'@'%';
GRANT PROCESS ON *.* TO 'mobiville'@'%';
SQL
