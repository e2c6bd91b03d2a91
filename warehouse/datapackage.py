"""What describes exported files: a Data Package (https://datapackage.org, version 2). The API reads it: no Arrow here.

A package is `datapackage.json` in a folder, with the files it describes. Beside what the standard has, a resource tells
its `table`, its `rows` and the sha256 of its `contents`, a field its `unit`, its `sources` and how many of its values
are `nulls`.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Date, Double, Integer, Table

from warehouse.record import Release, SourceFile
from warehouse.tables import contents_columns

Package = dict[str, Any]

NAME, FILE, LATEST = "mobiville", "datapackage.json", "latest"
"""Of a package, of its description, and of the link to the newest release's folder."""
KINDS: dict[str, dict[str, Any]] = {
    "csv": {"mediatype": "text/csv", "dialect": {"delimiter": ";"}},
    "parquet": {"mediatype": "application/vnd.apache.parquet"},
}
OPEN = {"Licence Ouverte 2.0": "etalab-2.0"}
"""Licences that have an identifier, by their name in `raw_data/sources.yaml`; others are read on the landing page."""


Source = Mapping[str, str]


@dataclass(frozen=True)
class Catalogue:
    """What the warehouse does not know: of each source its title, publisher, licence and landing_page; whether files
    with some sha256 are those of the invented sample.
    """

    sources: Mapping[str, Source]
    is_sample: Callable[[Collection[str]], bool]


def packages(folder: Path) -> dict[int, Package]:
    """The packages of releases in a folder, by the number of the release, the newest first."""
    read = {path.parent.name: _read(path) for path in folder.glob(f"[0-9]*/{FILE}")}
    found = {int(name): package for name, package in read.items() if package and package["version"] == name}
    return dict(sorted(found.items(), reverse=True))


def latest(folder: Path) -> Package | None:
    """The package of the newest release in a folder; None where there is none."""
    return _read(folder / LATEST / FILE)


def _read(path: Path) -> Package | None:
    """A package of ours; None for a file that is not there, another's, or one that a lost disk left in pieces."""
    try:
        package: Package = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return package if package.get("name") == NAME else None


def is_of(package: Package | None, release: Release) -> bool:
    """Whether a package is a release's, and no other's of the same number: a warehouse that is lost counts anew."""
    return package is not None and (package["version"], package["created"]) == (str(release.id), _created(release))


def describe(release: Release, resources: Iterable[Mapping[str, Any]], catalogue: Catalogue, code: str) -> Package:
    """The package of a release's files. `code`: version of the program that wrote them."""
    used = {file.source_id for file in release.files}
    known = [of for source, of in catalogue.sources.items() if source in used]
    is_sample = catalogue.is_sample({file.sha256 for file in release.files})
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": NAME,
        "title": "Mobiville : données d’essai, inventées" if is_sample else "Mobiville",
        "sample": is_sample,
        "description": "Where a trade is wanted in France, and what life is like there: every table of a release",
        "version": str(release.id),
        "created": _created(release),
        "code": code,
        "licenses": _licences(known),
        "contributors": [
            {"title": name, "roles": ["publisher"]} for name in dict.fromkeys(of["publisher"] for of in known)
        ],
        "resources": [
            dict(resource) | _attribution(release.tables[resource["table"]].sources, catalogue)
            for resource in resources
        ],
    }


def resource(table: Table, kind: str, seen: Mapping[str, Any], **facts: Any) -> dict[str, Any]:
    """A table's file. `seen`: per column the number of its NULLs and an example; `facts`: bytes, hash and so on."""
    fields = [_field(column, *seen[column.name]) for column in contents_columns(table)]
    key = [name for name in table.info["key"] if name in seen]
    file = f"{table.name}.{kind}"
    return {
        **{"name": file, "path": file, "type": "table", "table": table.name, "description": table.comment},
        **{"format": kind, "encoding": "utf-8"},
        **KINDS[kind],
        **facts,
        "schema": {"fields": fields} | ({"primaryKey": key} if key else {}),
    }


def _field(column: Column[Any], nulls: int, example: Any) -> dict[str, Any]:
    info = column.info
    least, most = info.get("between") or (None, None)
    limits = {"required": not column.nullable or None, "pattern": info.get("matches"), "minimum": least}
    given = [f"{of}.{name}" if name else of for of, name in info["source"] or info["made_from"]]
    found = {
        "name": column.name,
        "type": _type(column),
        "description": column.comment,
        "unit": info.get("unit"),
        "example": example,
        "constraints": _said(limits | {"maximum": most}),
        "sources": given,
    }
    return _said(found) | {"nulls": nulls}


def _said(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value not in (None, "", {}, [])}


def _type(column: Column[Any]) -> str:
    match column.type:
        case Integer():
            return "integer"
        case Double():
            return "number"
        case Date():
            return "date"
        case _:
            return "string"


def _attribution(files: Iterable[SourceFile], catalogue: Catalogue) -> dict[str, Any]:
    """Whose data a table holds: per source its title, page, publisher, licence and vintage, or the first and last."""
    vintages: dict[str, set[str]] = {}
    for file in files:
        vintages.setdefault(file.source_id, set()).add(file.vintage or "")
    known = {source: of for source, of in catalogue.sources.items() if source in vintages}
    sources = [
        {"title": of["title"], "path": of["landing_page"], "publisher": of["publisher"], "licence": of["licence"]}
        | _said({"version": " to ".join(dict.fromkeys((min(vintages[source]), max(vintages[source]))))})
        for source, of in known.items()
    ]
    return _said({"sources": sources, "licenses": _licences(known.values())})


def _licences(sources: Iterable[Source]) -> list[dict[str, str]]:
    """Each licence once."""
    pages = {of["licence"]: of["landing_page"] for of in sources}
    return [{"title": n, **({"name": OPEN[n]} if n in OPEN else {"path": page})} for n, page in pages.items()]


def _created(release: Release) -> str:
    return f"{release.published_at.isoformat()}Z"
