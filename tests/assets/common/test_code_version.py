"""An asset's version changes when what makes its rows changes, and only then: tried on a copy of the tree."""

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from assets.common import code_version as module
from assets.common.code_version import MAKES_NO_ROWS, asset_version, followed
from resources.sources.catalogue import Source, catalogue
from warehouse import tables


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the modules, in which versions are told."""
    for package in module.PACKAGES:
        shutil.copytree(
            module.ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("sample", "__pycache__")
        )
    monkeypatch.setattr(module, "ROOT", tmp_path)
    forget()
    yield tmp_path
    forget()


def forget() -> None:
    module._parsed.cache_clear()
    module._path.cache_clear()


def versions() -> tuple[str, str]:
    """Of `cities` and of `helps`."""
    forget()
    return (
        asset_version("assets.cities", tables.cities, ["communes", "house_prices"]),
        asset_version("assets.helps", tables.helps, ["helps"]),
    )


def changed(tree: Path, file: str, old: str, new: str) -> list[str]:
    """Which of the two versions change where a file has `new` for `old`; "" for old: at its end."""
    before, path = versions(), tree / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1) if old else text + new, encoding="utf-8")
    return [name for name, a, b in zip(("cities", "helps"), before, versions(), strict=True) if a != b]


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("assets/cities.py", "", "\n\n# a comment\n", []),
        ("assets/common/communes.py", '"""As the 2015 export', '"""Just as the 2015 export', []),
        ("warehouse/geography.py", '"""By the INSEE code', '"""By the code', []),
        ("assets/helps.py", "records.assign(count_vue=0)", "records.assign(\n        count_vue=0,\n    )", []),
        ("assets/helps.py", "count_vue=0", "count_vue=1", ["helps"]),
        ("warehouse/geography.py", "2161.0", "2162.0", ["cities"]),
        ("warehouse/geography.py", "6371.0", "6372.0", ["cities"]),
        ("warehouse/codes.py", "[A-N]", "[A-M]", ["cities", "helps"]),  # read by resources/sources/field_types.py
        ("resources/sources/delimited.py", "", "\nX = 1\n", ["cities", "helps"]),
        ("assets/common/plots.py", "", "\nX = 1\n", []),
        ("warehouse/release.py", "", "\nX = 1\n", []),
        ("resources/clients/wikimedia.py", "", "\nX = 1\n", []),
        ("assets/tensions_pcs.py", "", "\nX = 1\n", []),
    ],
)
def test_what_makes_the_rows_counts_and_nothing_else(
    tree: Path, file: str, old: str, new: str, expected: list[str]
) -> None:
    assert changed(tree, file, old, new) == expected


def test_what_a_function_imports_counts(tree: Path) -> None:
    (tree / "assets/common/late.py").write_text("X = 1\n")
    late = "\n\ndef later():\n    from assets.common import late\n    return late\n"
    assert changed(tree, "assets/helps.py", "", late) == ["helps"]
    assert changed(tree, "assets/common/late.py", "X = 1", "X = 2") == ["helps"]


def test_its_own_table_counts_without_comments_and_age(monkeypatch: pytest.MonkeyPatch) -> None:
    before = versions()
    monkeypatch.setattr(tables.helps.c.title, "comment", "a comment")
    monkeypatch.setitem(tables.helps.info, "max_age", None)
    assert versions() == before
    monkeypatch.setitem(tables.cities.c.z_moyen.info, "between", (0, 1))
    assert versions()[0] != before[0]
    assert versions()[1] == before[1]


def test_its_own_sources_count(monkeypatch: pytest.MonkeyPatch) -> None:
    before = versions()
    fields = catalogue()["house_prices"].model_dump()
    others: dict[str, Source] = {**catalogue(), "house_prices": Source.model_validate({**fields, "blank": ["NA", "-"]})}
    monkeypatch.setattr(module, "catalogue", lambda: others)
    assert versions()[0] != before[0]
    assert versions()[1] == before[1]


def test_what_makes_no_rows_is_there_and_is_imported() -> None:
    imported = {
        name
        for asset in ("cities", "helps", "regions", "fetched")
        for m in followed(f"assets.{asset}")
        for name in module._parsed(m).imports
    }
    assert set(MAKES_NO_ROWS) <= imported


def test_what_makes_rows_reads_nothing_of_tables_but_descriptions() -> None:
    """`warehouse.tables` counts table by table: a constant that a rule reads stands in `warehouse/codes.py`."""
    read = set()
    for asset in sorted(path.stem for path in (module.ROOT / "assets").glob("[!_]*.py") if path.stem != "warehouse"):
        for name in followed(f"assets.{asset}"):
            file = module._path(name)
            assert file is not None
            for node in ast.walk(ast.parse(file.read_bytes())):
                match node:
                    case ast.Attribute(value=ast.Name(id="tables"), attr=attribute):
                        read.add(attribute)
                    case ast.ImportFrom(module="warehouse.tables", names=names):
                        read |= {alias.name for alias in names}
    known = {*tables.metadata.tables, *tables.staged.tables}
    assert read <= {*known, "metadata", "staged", "described", "contents_schema", "contents_columns", "STAMPS"}
