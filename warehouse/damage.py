"""Whether the served tables are what the record says of them: dropped tables and lost or altered rows are noticed."""

import hashlib
from typing import Any

from sqlalchemy import Engine, Table
from sqlalchemy.schema import CreateTable

from warehouse import tables
from warehouse.contents import read_contents
from warehouse.load import as_lines
from warehouse.record import Release, count_rows


def damage(engine: Engine, release: Release | None, *, deep: bool = False) -> dict[str, str]:
    """Per table of a release that is not as the record says, what is wrong: not there, or another number of rows.

    With `deep`, which reads every row, also other contents than those that were loaded.
    """
    if release is None:
        return {}
    rows = count_rows(engine, release.tables)
    found = {}
    for name, entry in release.tables.items():
        if name not in rows:
            found[name] = "the table is not there"
        elif rows[name] != entry.rows:
            found[name] = f"the record says {entry.rows:,} rows, the table has {rows[name]:,}"
        elif deep and _sha256(engine, tables.metadata.tables[name]) != entry.sha256:
            found[name] = "its contents are not those that were loaded"
    return found


def description_digest(table: Table) -> Any:
    """The digest of a table's description, to be updated with its rows."""
    digest = hashlib.sha256(str(CreateTable(table)).encode())
    digest.update(repr(sorted(str(index.name) for index in table.indexes)).encode())
    return digest


def _sha256(engine: Engine, table: Table) -> str:
    digest = description_digest(table)
    for batch in read_contents(engine, table):
        digest.update(as_lines(batch))
    return str(digest.hexdigest())
