#!/bin/bash
# Run once by MariaDB's image on an empty volume: the read-only account of the API and of the web tier, and what the
# ETL's account needs beside its own database (PROCESS: to name the connections that hold up a swap).
set -eu
mariadb --user=root --password="$MARIADB_ROOT_PASSWORD" <<SQL
CREATE USER 'reader'@'%' IDENTIFIED BY '${MOBIVILLE_READER_PASSWORD}';
GRANT SELECT ON \`mobiville\`.* TO 'reader'@'%';
GRANT PROCESS ON *.* TO 'mobiville'@'%';
SQL
