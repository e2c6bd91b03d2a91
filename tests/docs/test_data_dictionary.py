"""docs/data-dictionary.md is what `warehouse/tables.py` says.

To write it again: `python -m tests.docs.test_data_dictionary`.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Table

from tests.conftest import ROOT
from warehouse import tables

PAGE = ROOT / "docs" / "data-dictionary.md"
INTRODUCTION = """# Data dictionary

Every served table and what its columns hold, with the column of the raw file (`raw_data/sources.yaml`) that gives it,
or, where no file does, of the table that it is made from. Beside these columns most tables have an `id`, and stamps:
when a row was loaded (`created_at`, `updated_at`), and that it is live (`deleted_at` is NULL). `/dictionary` of the API
shows the same of the served release, with an example and the share of NULLs of each column. This page is made from
`warehouse/tables.py`: `python -m tests.docs.test_data_dictionary` writes it.
"""


def page() -> str:
    """The page that describes the tables."""
    return "\n".join([INTRODUCTION, *(line for table in tables.SERVED for line in _table(table))])


def _table(table: Table) -> Iterator[str]:
    key = ", ".join(f"`{name}`" for name in table.info["key"])
    yield f"## {table.name}\n\n{table.comment}. Key: {key}.\n"
    yield "| column | type | unit | what it holds | values | source |\n|---|---|---|---|---|---|"
    for column in tables.contents_columns(table):
        info = column.info
        holds = str(column.comment).removesuffix(f", {info.get('unit')}").replace("|", "\\|")
        null = "" if column.nullable else ", never NULL"
        cells = [f"`{column.name}`", _type(column) + null, info.get("unit") or "", holds, _values(info), _sources(info)]
        yield f"| {' | '.join(cells)} |"
    yield ""


def _type(column: Column[Any]) -> str:
    return {"str": "text", "int": "integer", "float": "number"}.get(name := column.type.python_type.__name__, name)


def _values(info: dict[str, Any]) -> str:
    if limits := info.get("between"):
        return f"{limits[0]:,} to {limits[1]:,}"
    return f"`{info['matches']}`".replace("|", "\\|") if info.get("matches") else ""


def _sources(info: dict[str, Any]) -> str:
    return ", ".join(f"`{of}.{name}`" if name else f"`{of}`" for of, name in info["source"] or info["made_from"])


def test_the_data_dictionary_is_up_to_date() -> None:
    again = "write it again: python -m tests.docs.test_data_dictionary"
    assert PAGE.read_text(encoding="utf-8") == page(), again


def test_every_number_says_its_unit_or_is_a_code_a_class_or_unfilled() -> None:
    without = {
        str(column)
        for table in tables.SERVED
        for column in tables.contents_columns(table)
        if column.type.python_type in (int, float) and not column.info.get("unit")
    }
    codes = {"bassins.reg", "bassins.bassin_id", "cities.new_code_region", "cities.description_revision"}
    codes |= {"new_regions.code", "offers_history.code_region", "old_regions.new_code", "romeogrs.code_ogr"}
    codes |= {"tensions.bassin_id"}
    classes = {"cities.city_house_tension", "helps.visibility_boost", "tensions.ind_t"}
    unfilled = {f"tensions.{name}" for name in ("defm", "dee", "oee_nosais", "selec_offre")}
    assert without == codes | classes | unfilled


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
