"""The version of an asset: it changes when what makes its rows changes, and only then.

It is made of the asset's module, the modules of this project that it imports (followed), its table's description and
its sources' entries in the catalogue. Comments, docstrings and formatting do not count.
"""

import ast
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Table
from sqlalchemy.schema import CreateTable

import raw_data
from resources.sources.catalogue import catalogue

ROOT = raw_data.FOLDER.parent
PACKAGES = ("assets", "raw_data", "resources", "warehouse")

LOADING = "warehouse.load"
"""The module that makes staged rows a served table's."""

MAKES_NO_ROWS = {
    "assets.common.checks": "shows in the UI what came of rules",
    "assets.common.code_version": "says what counts",
    "assets.common.lineage": "where columns come from, as the UI shows it",
    "assets.common.plots": "pictures of rows",
    "assets.common.shown": "what is shown of rows",
    "assets.common.trial": "tries what was fetched, in a scratch staging area",
    "resources.errors": "says what went wrong",
    "resources.failures": "says it to Dagster",
    "resources.retries": "tries again what failed",
    "warehouse.record": "says what is served",
    "warehouse.release": "publishes what is staged",
    "warehouse.tables": "an asset counts the description of its own table, see `_described`",
}
"""Modules that are not followed, and what they do instead of making rows."""


def asset_version(module: str, table: Table, sources: Iterable[str] = ()) -> str:
    """The version (12 characters) of what `module` makes for `table` from the given sources."""
    rules = {name: _parsed(name).sha256 for name in sorted(followed(module))}
    entries = {source: catalogue()[source].model_dump(mode="json") for source in sources}
    return _sha256([rules, _described(table), entries])[:12]


def code_digest() -> str:
    """The sha256 of the code and the catalogue as they are written: while it is the same, so is every version."""
    files = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return _sha256([(str(f.relative_to(ROOT)), f.read_text(encoding="utf-8")) for f in (*files, raw_data.CATALOGUE)])


def followed(module: str) -> set[str]:
    """The module and those of this project that it imports, in functions too, and so on, that make rows."""
    found, ahead = set[str](), [module]
    while ahead:
        name = ahead.pop()
        if name not in found and name not in MAKES_NO_ROWS and _path(name):
            found.add(name)
            ahead += _parsed(name).imports
    return found


@dataclass(frozen=True)
class _Module:
    """A module as it counts: its code without comments, docstrings and formatting, and what it imports."""

    sha256: str
    imports: frozenset[str]


class _Counted(ast.NodeTransformer):
    """Takes docstrings away, and collects what may be imported: `from a import b` is of a, and of a.b where that is a
    module.
    """

    def __init__(self) -> None:
        self.imported: list[str] = []

    def visit_Import(self, node: ast.Import) -> ast.Import:
        self.imported += [alias.name for alias in node.names]
        return node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        if node.module:
            self.imported += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        return None if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str) else node


@cache
def _parsed(module: str) -> _Module:
    path = _path(module)
    assert path, module
    counted = _Counted()
    tree = counted.visit(ast.parse(path.read_bytes()))
    return _Module(_sha256(ast.dump(tree)), frozenset(filter(_path, counted.imported)))


@cache
def _path(module: str) -> Path | None:
    """The file of a module of this project; None for any other."""
    if module.split(".")[0] not in PACKAGES:
        return None
    path = ROOT / module.replace(".", "/")
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def _described(table: Table) -> list[str]:
    """A table's description as far as rows depend on it: columns, types, limits, indexes and key; not its comments."""
    limits = [f"{c.name} {c.info.get('between')} {c.info.get('matches')}" for c in table.columns]
    indexes = sorted(str(index.name) for index in table.indexes)
    return [str(CreateTable(table)), *limits, *indexes, *table.info["key"]]


def _sha256(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
