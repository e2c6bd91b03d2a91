"""The served release as files to take away: every table as Parquet and as CSV, described by a Data Package.

The folder of exports has a folder per release, named by its number, and `latest`, a link to the newest.
"""

import hashlib
import json
import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from sqlalchemy import Engine, Table

from warehouse import tables
from warehouse.contents import read_contents
from warehouse.datapackage import FILE, KINDS, LATEST, Catalogue, describe, is_of, packages, resource
from warehouse.errors import WarehouseError, full_disk_named
from warehouse.lock import locked
from warehouse.record import Release, ServedTable
from warehouse.release import current_release, kept_whole

SUMS = "SHA256SUMS"
SHA256 = "sha256:"
"""What stands before such a hash in a package."""
LONGEST_EXAMPLE = 80
"""Characters."""

Progress = Callable[[str], None]
Resources = list[dict[str, Any]]


@locked
def export(
    engine: Engine, folder: Path, catalogue: Catalogue, *, keep: int, progress: Progress = lambda message: None
) -> Path:
    """Write the served release to `folder/<its number>`, point `folder/latest` at it, in one step; return its folder.

    Where it is there already, nothing is written. Files of a table whose contents an earlier release has too are linked
    from there. Of earlier releases those stay whose contents the warehouse keeps (`keep`, see `publish`).

    Raises WarehouseError when nothing is served, a table has other rows than the record says, or the folder cannot be
    written; `latest` is then as it was.
    """
    release = current_release(engine)
    if release is None:
        raise WarehouseError("no release is served yet: there is nothing to export")
    target = folder / str(release.id)
    try:
        if not is_of(packages(folder).get(release.id), release):
            with full_disk_named(folder):
                _write(engine, release, target, catalogue, progress)
        _point(folder / LATEST, target.name)
        for number in packages(folder).keys() - kept_whole(engine, keep) - {release.id}:
            shutil.rmtree(folder / str(number))
    except OSError as error:
        raise WarehouseError(
            f"the files of release {release.id} could not be written to {folder}: {error}. Give this account the right "
            "and the room to write there, or set MOBIVILLE_EXPORTS to another folder; then `mobiville export`"
        ) from error
    return target


def _write(engine: Engine, release: Release, target: Path, catalogue: Catalogue, progress: Progress) -> None:
    """Write a release under a temporary name; it gets its own when it is whole."""
    partial, code = target.with_name(f".{target.name}.partial"), version("mobiville-warehouse")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    before: dict[str, tuple[Path, Resources]] = {}
    for number, package in packages(target.parent).items():
        for file in package["resources"] if package["code"] == code else ():
            before.setdefault(file["contents"], (target.with_name(str(number)), []))[1].append(file)
    resources: Resources = []
    for entry in release.tables.values():
        known = before.get(entry.sha256)
        resources += (known and _linked(*known, partial)) or _written(engine, entry, partial, progress)
    package = describe(release, resources, catalogue, code)
    (partial / FILE).write_text(json.dumps(package, indent=1, ensure_ascii=False), encoding="utf-8")
    sums = {FILE: _sha256(partial / FILE)} | {file["path"]: file["hash"].removeprefix(SHA256) for file in resources}
    (partial / SUMS).write_text("".join(f"{digest}  {name}\n" for name, digest in sums.items()), encoding="utf-8")
    shutil.rmtree(target, ignore_errors=True)  # of another warehouse
    partial.replace(target)


def _linked(folder: Path, resources: Resources, target: Path) -> Resources | None:
    """The files of a table that a folder has, linked into another one; None where that cannot be."""
    try:
        for file in resources:
            (target / file["path"]).hardlink_to(folder / file["path"])
    except OSError:
        for file in resources:
            (target / file["path"]).unlink(missing_ok=True)
        return None
    return resources


def _written(engine: Engine, entry: ServedTable, folder: Path, progress: Progress) -> Resources:
    """The files of a table, written a bounded number of rows at a time."""
    table = tables.metadata.tables[entry.name]
    progress(f"writing {entry.name}")
    rows, seen = _write_rows(engine, table, folder)
    if rows != entry.rows:
        raise WarehouseError(
            f"{entry.name} has {rows:,} rows, the record says {entry.rows:,}: `mobiville refresh` loads it again"
        )
    paths = {kind: folder / f"{entry.name}.{kind}" for kind in KINDS}
    return [
        resource(
            table,
            kind,
            seen,
            bytes=path.stat().st_size,
            hash=SHA256 + _sha256(path),
            rows=rows,
            contents=entry.sha256,
        )
        for kind, path in paths.items()
    ]


def _write_rows(engine: Engine, table: Table, folder: Path) -> tuple[int, dict[str, tuple[int, Any]]]:
    """How many rows were written to both files, and per column how many are NULL, and its first value."""
    schema, rows = tables.contents_schema(table), 0
    nulls, examples = dict.fromkeys(schema.names, 0), dict.fromkeys(schema.names)
    options = pacsv.WriteOptions(delimiter=KINDS["csv"]["dialect"]["delimiter"])
    with (
        pacsv.CSVWriter(folder / f"{table.name}.csv", schema, write_options=options) as csv,
        pq.ParquetWriter(folder / f"{table.name}.parquet", schema, compression="zstd") as parquet,
    ):
        for batch in read_contents(engine, table):
            csv.write_batch(batch)
            parquet.write_batch(batch)
            rows += batch.num_rows
            for name, column in zip(schema.names, batch.columns, strict=True):
                nulls[name] += column.null_count
                examples[name] = _example(column) if examples[name] is None else examples[name]
    return rows, {name: (nulls[name], examples[name]) for name in schema.names}


def _example(column: pa.Array) -> Any:
    """The first value of a column as JSON has it; of a long text the beginning. None where all is NULL."""
    found = column.drop_null()[:1].to_pylist()
    value = found[0] if found else None
    if value is None or isinstance(value, int | float):
        return value
    return text if len(text := str(value)) <= LONGEST_EXAMPLE else f"{text[:LONGEST_EXAMPLE]}…"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _point(link: Path, name: str) -> None:
    """Make a link point at a name beside it, in one step."""
    if not link.is_symlink() or str(link.readlink()) != name:
        beside = link.with_name(f".{link.name}")
        beside.unlink(missing_ok=True)
        beside.symlink_to(name)
        beside.replace(link)
