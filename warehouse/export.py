"""The served release as files to take away: every table as Parquet and as CSV, described by a Data Package.

The folder of exports has a folder per release, named by its number, and `latest`, a link to the newest.
"""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from sqlalchemy import Engine, Table

from warehouse import tables
from warehouse.contents import read_contents
from warehouse.damage import description_digest
from warehouse.datapackage import FILE, KINDS, LATEST, Catalogue, describe, is_of, packages, resource
from warehouse.errors import WarehouseError, full_disk_named
from warehouse.load import as_lines
from warehouse.lock import locked
from warehouse.record import Release, ServedTable
from warehouse.release import TableVersion, current_release, kept_whole

SUMS = "SHA256SUMS"
SHA256 = "sha256:"
"""What stands before such a hash in a package."""
LONGEST_EXAMPLE = 80
"""Characters."""

Progress = Callable[[str], None]
Resources = list[dict[str, Any]]


@locked
def export(
    engine: Engine,
    folder: Path,
    catalogue: Catalogue,
    *,
    keep: int,
    staged: Collection[TableVersion] = (),
    progress: Progress = lambda message: None,
) -> Path:
    """Write the served release to `folder/<its number>`, point `folder/latest` at it, in one step; return its folder.

    Where it is there already, nothing is written. Files of a table whose contents an earlier release has too are linked
    from there. What is `staged` and is what is served, by its sha256, is not read from the database: that takes longer.
    Of earlier releases those stay whose contents the warehouse keeps (`keep`, see `publish`).

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
                source = _Source(engine, {content.table.name: content for content in staged}, progress)
                _write(source, release, target, catalogue)
        _point(folder / LATEST, target.name)
        for number in packages(folder).keys() - kept_whole(engine, keep) - {release.id}:
            shutil.rmtree(folder / str(number))
    except OSError as error:
        raise WarehouseError(
            f"the files of release {release.id} could not be written to {folder}: {error}. Give this account the right "
            "and the room to write there, or set MOBIVILLE_EXPORTS to another folder; then `mobiville export`"
        ) from error
    return target


class _Source(NamedTuple):
    """Where rows are read."""

    engine: Engine
    staged: Mapping[str, TableVersion]
    progress: Progress


def _write(source: _Source, release: Release, target: Path, catalogue: Catalogue) -> None:
    """Write a release under a temporary name; it gets its own when it is whole."""
    partial, code = target.with_name(f".{target.name}.partial"), version("mobiville-warehouse")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    before: dict[str, tuple[Path, Resources]] = {}
    for number, package in packages(target.parent).items():
        files = package["resources"] if package["code"] == code else []
        for file in [file for file in files if file["contents"] not in before]:  # else a newer release has it
            before.setdefault(file["contents"], (target.with_name(str(number)), []))[1].append(file)
    resources: Resources = []
    for entry in release.tables.values():
        known = before.get(entry.sha256)
        resources += (known and _linked(*known, partial)) or _written(source, entry, partial)
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


def _written(source: _Source, entry: ServedTable, folder: Path) -> Resources:
    """The files of a table, written a bounded number of rows at a time."""
    table, staged = tables.metadata.tables[entry.name], source.staged.get(entry.name)
    source.progress(f"writing {entry.name}")
    written = None
    if staged and staged.fingerprint == entry.fingerprint:
        with contextlib.suppress(OSError, pa.ArrowInvalid):  # lost or damaged: the next refresh stages it again
            written = _write_rows(table, staged.batches(), folder)
    if written is None or written.sha256 != entry.sha256:  # other rows are staged since
        written = _write_rows(table, read_contents(source.engine, table), folder)
    rows = written.rows
    if rows != entry.rows:
        raise WarehouseError(
            f"{entry.name} has {rows:,} rows, the record says {entry.rows:,}: `mobiville refresh` loads it again"
        )
    paths = {kind: folder / f"{entry.name}.{kind}" for kind in KINDS}
    return [
        resource(
            table,
            kind,
            written.seen,
            bytes=path.stat().st_size,
            hash=SHA256 + _sha256(path),
            rows=rows,
            contents=entry.sha256,
        )
        for kind, path in paths.items()
    ]


class _Written(NamedTuple):
    """Rows in both files: how many, their sha256 as the record has it, per column how many are NULL and the first."""

    rows: int
    sha256: str
    seen: dict[str, tuple[int, Any]]


def _write_rows(table: Table, batches: Iterable[pa.RecordBatch], folder: Path) -> _Written:
    schema, rows, digest = tables.contents_schema(table), 0, description_digest(table)
    nulls, examples = dict.fromkeys(schema.names, 0), dict.fromkeys(schema.names)
    options = pacsv.WriteOptions(delimiter=KINDS["csv"]["dialect"]["delimiter"])
    with (
        pacsv.CSVWriter(folder / f"{table.name}.csv", schema, write_options=options) as csv,
        pq.ParquetWriter(folder / f"{table.name}.parquet", schema, compression="zstd") as parquet,
    ):
        for batch in batches:
            digest.update(as_lines(batch))
            csv.write_batch(batch)
            parquet.write_batch(batch)
            rows += batch.num_rows
            for name, column in zip(schema.names, batch.columns, strict=True):
                nulls[name] += column.null_count
                examples[name] = _example(column) if examples[name] is None else examples[name]
    return _Written(rows, digest.hexdigest(), {name: (nulls[name], examples[name]) for name in schema.names})


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
