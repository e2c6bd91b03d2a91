"""Which column of what each column was made from, for the Dagster UI: `warehouse/tables.py` says it in their `info`."""

from collections.abc import Collection

import dagster as dg
from sqlalchemy import Table

from resources.sources.catalogue import Source
from warehouse import tables

WHOLE_FILE = "(the whole file)"
"""The column of a source whose files have none: an outline, climate sheets, what a service answered."""


def raw_key(source_id: str) -> dg.AssetKey:
    """The external asset of a source."""
    return dg.AssetKey(["raw", source_id])


def staged_key(name: str) -> dg.AssetKey:
    """The asset of a staged table."""
    return dg.AssetKey(["staged", name])


def of_staged(table: Table, sources: Collection[str], inputs: Collection[str]) -> dg.TableColumnLineage:
    """Of a staged table, as far as `sources` and `inputs` (staged tables) give its columns. What they do not give comes
    from the input that `table` describes too. A column that nothing fills has none.
    """
    same = [staged_key(name) for name in inputs if name == table.name or name in table.info["parts"]]
    found: dict[str, list[dg.TableColumnDep]] = {}
    for column in tables.contents_columns(table):
        of_files, of_tables = column.info["source"], column.info["made_from"]
        given = [dg.TableColumnDep(raw_key(name), of or WHOLE_FILE) for name, of in of_files if name in sources]
        given += [dg.TableColumnDep(staged_key(name), of) for name, of in of_tables if name in inputs]
        if of_files or of_tables:
            found[column.name] = given or [dg.TableColumnDep(key, column.name) for key in same]
    return dg.TableColumnLineage(found)


def of_served(table: Table) -> dg.TableColumnLineage:
    """Of a served table: the same columns of the staged tables it holds."""
    columns = [column.name for column in tables.contents_columns(table)]
    parts = table.info["parts"]
    return dg.TableColumnLineage({c: [dg.TableColumnDep(staged_key(part), c) for part in parts] for c in columns})


def raw_schema(source: Source) -> dg.TableSchema:
    """The columns that the code reads of a source, under its names, with the spellings that files have."""
    columns: dict[str, list[str]] = {}
    for layout in source.layouts:
        for column, spellings in layout.all_columns.items():
            columns[column] = list(dict.fromkeys([*columns.get(column, []), *spellings]))
    return dg.TableSchema(
        [dg.TableColumn(name, "text", f"in the file: {', '.join(spelled)}") for name, spelled in columns.items()]
    )
