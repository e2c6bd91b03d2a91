"""The imports: found in `assets/`, and checked against the tables and the sources they are to fit."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
from sqlalchemy import Table

import assets
from resources.errors import CatalogueError
from resources.sources.catalogue import catalogue
from warehouse import tables


def load_imports() -> list[Any]:
    """Every asset of `assets/`. Raises CatalogueError when an import, a table and a source do not fit together."""
    found = list(dg.load_assets_from_package_module(assets, include_specs=True))
    specs = [spec for asset in found if isinstance(asset, dg.AssetsDefinition) for spec in asset.specs]
    staged = {spec.key.path[-1]: spec for spec in specs if spec.tags.get("layer") == "staged"}
    if wrong := [*_unpublished(staged), *_unfilled(staged), *_unknown_columns(staged)]:
        raise CatalogueError("\n".join(wrong))
    return found


def _table_of(spec: dg.AssetSpec) -> Table:
    return tables.described(spec.metadata["table"])


def _unpublished(staged: Mapping[str, dg.AssetSpec]) -> Iterator[str]:
    """The imports that no table holds and no other import reads."""
    read = {dep.asset_key.path[-1] for spec in staged.values() for dep in spec.deps if dep.asset_key.path[0] != "raw"}
    for name, spec in staged.items():
        table = _table_of(spec)
        if name not in read and name not in table.info["parts"]:
            yield (
                f"assets/{spec.tags['import']}.py: nobody publishes {name}: in warehouse/tables.py, "
                f"name it in the parts=(…) of the table {table.name}"
            )


def _unfilled(staged: Mapping[str, dg.AssetSpec]) -> Iterator[str]:
    """The parts of tables that no import gives."""
    for table in tables.SERVED:
        for part in table.info["parts"]:
            if part not in staged or _table_of(staged[part]) is not table:
                yield (
                    f"warehouse/tables.py: no import fills the table {table.name} with {part}: add the function {part} "
                    f"for tables.{table.name} to a module of assets/, or correct the table's parts=(…)"
                )


def _unknown_columns(staged: Mapping[str, dg.AssetSpec]) -> Iterator[str]:
    """What the tables' columns are said to come from and is not there."""
    described = (*tables.SERVED, *tables.staged.sorted_tables)
    for column in (column for table in described for column in tables.contents_columns(table)):
        for source, name in column.info["source"]:
            if source not in catalogue():
                yield (
                    f"warehouse/tables.py: {column} comes from {source}, which raw_data/sources.yaml does not have: "
                    "add an entry of that name"
                )
            elif name and not any(name in layout.all_columns for layout in catalogue()[source].layouts):
                yield (
                    f"warehouse/tables.py: {column} comes from {source}.{name}, a column that raw_data/sources.yaml "
                    f"does not have: add it to the columns of {source}"
                )
        for part, name in column.info["made_from"]:
            if part not in staged or name not in _table_of(staged[part]).columns:
                yield (
                    f"warehouse/tables.py: {column} is made from {part}.{name}, which no import gives: name an import "
                    "and a column of its table"
                )
