"""Which column of what each column was made from, for the Dagster UI: read from `warehouse/tables.py`'s comments."""

import re
from collections.abc import Iterable

import dagster as dg
from sqlalchemy import Table

from resources.sources.catalogue import Source, catalogue
from warehouse import tables

NAMED = {
    "BPE": "bpe",
    "DVF": "house_prices",
    "city rents": "city_rents",
    "communes": "communes",
    "departements": "departements",
    "dump": "offers_dump",
    "lexicon": "basins_lexicon",
    "referential": "rome_referential",
    "regions": "anciennes_nouvelles_regions",
    "rents file": "house_rents",
    "tensions file": "tensions",
}
"""What comments call a source, and its id. In `(BPE: DEPCOM)` the column is as the file spells it."""


def raw_key(source_id: str) -> dg.AssetKey:
    """The external asset of a source."""
    return dg.AssetKey(["raw", source_id])


def raw_column(comment: str) -> tuple[str, str] | None:
    """The source and the column, as the code names both, that a column's comment says it comes from."""
    found = re.search(r"\(([\w ]+): ([^(),]+)", comment)
    source_id = found and NAMED.get(found[1])
    if not found or not source_id:
        return None
    for layout in catalogue()[source_id].layouts:
        for column, spellings in layout.all_columns.items():
            if found[2].strip() in spellings:
                return source_id, column
    return None


def of_staged(table: Table, sources: Iterable[str], same_table: Iterable[str]) -> dg.TableColumnLineage:
    """Of a staged table: from the files of `sources`, or from the staged tables that `table` describes too."""
    above, parts = list(sources), [dg.AssetKey(part) for part in same_table]
    found: dict[str, list[dg.TableColumnDep]] = {}
    for name in tables.contents_schema(table).names:
        raw = raw_column(table.columns[name].comment or "")
        if parts:
            joined = [raw_key(s) for s in above if any(name in layout.columns for layout in catalogue()[s].layouts)]
            found[name] = [dg.TableColumnDep(key, name) for key in (*parts, *joined)]
        elif raw and raw[0] in above:
            found[name] = [dg.TableColumnDep(raw_key(raw[0]), raw[1])]
    return dg.TableColumnLineage(found)


def of_served(table: Table, parts: Iterable[str]) -> dg.TableColumnLineage:
    """Of a served table: the same columns of the staged tables it holds."""
    columns = tables.contents_schema(table).names
    return dg.TableColumnLineage(
        {column: [dg.TableColumnDep(dg.AssetKey(part), column) for part in parts] for column in columns}
    )


def raw_schema(source: Source) -> dg.TableSchema:
    """The columns that the code reads of a source, under its names, with the spellings that files have."""
    columns: dict[str, list[str]] = {}
    for layout in source.layouts:
        for column, spellings in layout.all_columns.items():
            columns[column] = list(dict.fromkeys([*columns.get(column, []), *spellings]))
    return dg.TableSchema(
        [dg.TableColumn(name, "text", f"in the file: {', '.join(spelled)}") for name, spelled in columns.items()]
    )
