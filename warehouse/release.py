"""Publishing contents: loaded beside the served tables, then swapped in one step together with their record.

A release is named by a number. The contents of table `cities` that release 7 loaded are called `cities` while they are
served, and `cities__r7` while they are kept to go back to. What is being loaded is called `cities__next`.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, Engine, Table, insert, inspect, select
from upath import UPath

from warehouse import tables
from warehouse.damage import damage, description_digest
from warehouse.database import is_sqlite
from warehouse.errors import WarehouseError
from warehouse.load import as_lines, load, next_of
from warehouse.lock import check_lock, locked
from warehouse.record import RECORD, Origin, ServedTable, now
from warehouse.record import Release as Release
from warehouse.record import SourceFile as SourceFile
from warehouse.record import current_release as current_release
from warehouse.record import history as history
from warehouse.swap import swap

if TYPE_CHECKING:  # it loads by what is here
    from warehouse.early import EarlyLoads

ROWS_PER_BATCH = 100_000
LOADS = 2
"""Tables that are loaded at a time."""
KEPT_RELEASES = 1
"""How many releases before the served one are kept whole."""


@dataclass(frozen=True)
class TableVersion:
    """New contents of a served table: Parquet files of its schema (in a folder or an object store), one after the
    other, and their sources.

    `fingerprint` stands for everything they were made with: equal to that of the served contents, nothing is compared.
    """

    table: Table
    parts: Sequence[Path | UPath]
    sources: Sequence[SourceFile] = ()
    fingerprint: str = ""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, a bounded number at a time."""
        for part in self.parts:
            with part.open("rb") as file, pq.ParquetFile(file) as rows:
                yield from rows.iter_batches(ROWS_PER_BATCH)

    def rows(self) -> int:
        """How many rows there are."""
        number = 0
        for part in self.parts:
            with part.open("rb") as file:
                number += pq.read_metadata(file).num_rows
        return number

    def sha256(self) -> str:
        """Of the rows and of the table's description: equal for equal contents, whatever file they came from."""
        digest = description_digest(self.table)
        for batch in self.batches():
            digest.update(as_lines(batch))
        return str(digest.hexdigest())


def next_number(engine: Engine) -> int:
    """The id that the next release will have."""
    last = current_release(engine)
    return last.id + 1 if last else 1


@locked
def publish(
    engine: Engine,
    contents: Sequence[TableVersion],
    *,
    origin: Origin | None = None,
    keep: int = KEPT_RELEASES,
    keep_record: int | None = None,
    deep: bool = False,
    early: "EarlyLoads | None" = None,
    progress: Callable[[str], None] = lambda message: None,
) -> Release:
    """Load what changed, swap it in, all in one step; return the release served then, the old one if nothing is new.

    A served table that is damaged (see `damage`, and `deep` there) is loaded again, what `early` loaded is not. Until
    the swap readers keep the release they have. `keep` releases before the served one stay whole; the record goes back
    `keep_record` releases, and to each that is kept whole. Raises WarehouseError when the database does not take the
    contents or the swap.
    """
    clean(engine, keep, early.names() if early else ())
    before = current_release(engine)
    old, number = (before.tables, before.id + 1) if before else ({}, 1)
    damaged = damage(engine, before, deep=deep)

    def load_one(content: TableVersion) -> ServedTable:
        return _loaded_or_taken(engine, content, old.get(content.table.name), number, damaged, early, progress)

    new = {entry.name: entry for entry in _each(engine, _largest_first(contents, old), load_one)}
    repaired = set(damaged) & set(new)
    if before and not repaired and all(old.get(name) == entry for name, entry in new.items()):
        return before
    incoming = {n: f"{n}__next" for n, entry in new.items() if entry.contents_id == number or n in repaired}
    progress(f"swapping {len(incoming)} tables")
    forgotten = _forgotten(engine, keep, keep_record) if keep_record else ()
    release = promote(engine, {**old, **new}, incoming, origin or Origin(), status="published", forgotten=forgotten)
    drop_tables(engine, (f"{name}__r{old[name].contents_id}" for name in repaired))  # nobody may go back to damage
    clean(engine, keep)
    return release


def _largest_first(contents: Sequence[TableVersion], old: Mapping[str, ServedTable]) -> list[TableVersion]:
    """By the rows that the served table has; a new one's file is asked."""
    return sorted(contents, key=lambda c: old[c.table.name].rows if c.table.name in old else c.rows(), reverse=True)


def side_by_side(engine: Engine) -> int:
    """How many tables are loaded at a time: a SQLite file has one writer."""
    return 1 if is_sqlite(engine) else LOADS


def _each(
    engine: Engine, contents: Sequence[TableVersion], load_one: Callable[[TableVersion], ServedTable]
) -> Iterator[ServedTable]:
    """What `load_one` gives for each, in their order."""
    pool = ThreadPoolExecutor(side_by_side(engine))
    try:
        yield from pool.map(load_one, contents)
    finally:
        pool.shutdown(cancel_futures=True)


def drop_tables(engine: Engine, names: Iterable[str]) -> None:
    """Drop those of the tables that are there."""
    with engine.begin() as connection:
        for name in names:
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")


def loaded(
    engine: Engine, content: TableVersion, old: ServedTable | None, number: int, progress: Callable[[str], None]
) -> ServedTable:
    """The table as the release `number` will serve it: as it is where the contents are the same, else loaded."""
    sources = sorted(content.sources)
    if old and content.fingerprint and old.fingerprint == content.fingerprint:
        return replace(old, sources=sources)
    sha256 = content.sha256()
    if old and old.sha256 == sha256:
        return replace(old, sources=sources, fingerprint=content.fingerprint)
    progress(f"loading {content.table.name}")
    rows = load(engine, content.table, content.batches())
    return ServedTable(content.table.name, number, now(), rows, sha256, content.fingerprint, sources)


def _loaded_or_taken(
    engine: Engine,
    content: TableVersion,
    old: ServedTable | None,
    number: int,
    damaged: Mapping[str, str],
    early: "EarlyLoads | None",
    progress: Callable[[str], None],
) -> ServedTable:
    """The table as the release `number` will serve it, see `loaded`; a damaged one is loaded again."""
    name, taken = content.table.name, early.take(content) if early else None
    if name in damaged:
        progress(f"{name} is damaged: {damaged[name]}")
        return _reloaded(engine, content, old, number, progress)
    return taken or loaded(engine, content, old, number, progress)


def _reloaded(
    engine: Engine, content: TableVersion, old: ServedTable | None, number: int, progress: Callable[[str], None]
) -> ServedTable:
    """The table loaded again; where its contents are those that the record knows, it stays the table that it was."""
    again = loaded(engine, content, None, number, progress)
    if old is None or again.sha256 != old.sha256:
        return again
    return replace(again, contents_id=old.contents_id, loaded_at=old.loaded_at)


@locked
def rollback(engine: Engine, to: int | None, *, keep: int) -> Release:
    """Serve what release `to` served (by default the last one whose contents differ from the served), in one step.

    It is a release of its own; a table that the other release did not have yet stays as it is. Raises WarehouseError
    when there is no such release, or its contents are not kept.
    """
    clean(engine, keep)
    releases = history(engine)
    others = [release for release in releases if release.contents() != releases[0].contents()]
    target = next((release for release in (others if to is None else releases[1:]) if to in (None, release.id)), None)
    if target is None:
        wanted = "with other contents than the served" if to is None else to
        known = ", ".join(str(release.id) for release in others) or "none"
        raise WarehouseError(f"there is no release {wanted} to go back to; with other contents: {known}")
    now = releases[0].tables
    incoming = {
        name: f"{name}__r{entry.contents_id}"
        for name, entry in target.tables.items()
        if name not in now or now[name].contents_id != entry.contents_id
    }
    gone = sorted(set(incoming.values()) - set(inspect(engine).get_table_names()))
    if gone:
        raise WarehouseError(f"release {target.id} is no longer kept whole: {', '.join(gone)} is not there")
    release = promote(engine, {**now, **target.tables}, incoming, Origin(), status="rollback")
    clean(engine, keep)
    return release


def promote(
    engine: Engine,
    entries: Mapping[str, ServedTable],
    incoming: Mapping[str, str],
    origin: Origin,
    *,
    status: str,
    forgotten: Collection[int] = (),
) -> Release:
    """Serve `entries` as the next release: put tables that stand beside in the place of served ones, in one step.

    `incoming`: the name of a served table, and the name of the table that takes its place. What goes out is kept as
    `<table>__r<contents_id>`. `forgotten`: releases that the record leaves out. Raises WarehouseError when readers hold
    the served tables.
    """
    before = current_release(engine)
    number = before.id + 1 if before else 1
    release = Release(number, origin.started_at, now(), status, origin.code_version, origin.started_by, dict(entries))
    _write_record(engine, release, forgotten)
    outgoing = {name: entry.contents_id for name, entry in before.tables.items()} if before else {}
    check_lock(engine)
    swap(engine, incoming, outgoing)
    return release


def _forgotten(engine: Engine, keep: int, keep_record: int) -> list[int]:
    """The releases that the next record leaves out: older than so many, and with contents that are not kept."""
    with engine.connect() as connection:
        if not inspect(connection).has_table(tables.releases.name):
            return []
        kept = _distinct(connection)[: 1 + keep]
        newest = select(tables.releases.c.id).order_by(tables.releases.c.id.desc())
        old = connection.execute(newest.offset(keep_record - 1)).scalars().all()
    return sorted(set(old) - {release for _, release in kept})


def kept_whole(engine: Engine, keep: int) -> set[int]:
    """The served release and the `keep` releases before it that served other contents; of equal ones the last."""
    with engine.connect() as connection:
        return {release for _, release in _distinct(connection)[: 1 + keep]}


def _distinct(connection: Connection) -> list[tuple[frozenset[str], int]]:
    """The contents that releases served, each once, the last first; with the last release that served them."""
    by = tables.release_tables.c
    of_release: dict[int, set[str]] = {}
    for release, name, number in connection.execute(
        select(by.release_id, by.table_name, by.contents_id).order_by(by.release_id.desc())
    ):
        of_release.setdefault(release, set()).add(f"{name}__r{number}")
    last = {frozenset(contents): release for release, contents in reversed(of_release.items())}
    return sorted(last.items(), key=itemgetter(1), reverse=True)


def _write_record(engine: Engine, release: Release, forgotten: Collection[int]) -> None:
    """The record with this release in it and without the forgotten ones, beside the one that is served.

    All tables are made before any row is written: MariaDB commits at each CREATE, and a reader whose snapshot began
    between two commits would see one part of the record and not the other.
    """
    with engine.begin() as connection:
        for table in RECORD:
            next_of(table).drop(connection, checkfirst=True)
            next_of(table).create(connection)
        for table in RECORD:
            if inspect(connection).has_table(table.name):
                number = table.c.id if table is tables.releases else table.c.release_id
                kept = select(table).where(number.not_in(forgotten))
                connection.execute(insert(next_of(table)).from_select(list(table.columns.keys()), kept))
        head = {key: value for key, value in vars(release).items() if key != "tables"}
        connection.execute(insert(next_of(tables.releases)), head)
        for entry in release.tables.values():
            row = {"release_id": release.id, "table_name": entry.name}
            served_table = {
                "contents_id": entry.contents_id,
                "loaded_at": entry.loaded_at,
                "row_count": entry.rows,
                "sha256": entry.sha256,
                "fingerprint": entry.fingerprint,
            }
            connection.execute(insert(next_of(tables.release_tables)), row | served_table)
            for source in entry.sources:
                connection.execute(insert(next_of(tables.release_sources)), row | vars(source))


def clean(engine: Engine, keep: int = KEPT_RELEASES, loading: Collection[str] = ()) -> None:
    """Drop what a killed refresh left behind, and contents of neither the served release nor the `keep` releases before
    it that served others: one that loaded nothing does not count. `loading`: tables that stay.
    """
    with engine.begin() as connection:
        there = inspect(connection)
        names = there.get_table_names()
        kept = set(loading)
        if tables.releases.name in names:
            distinct = [contents for contents, _ in _distinct(connection)]
            kept |= set().union(*distinct[: 1 + keep])
            if len(distinct) <= keep:  # what was served before the first release is a previous release too
                kept |= {f"{name}__r0" for name in tables.metadata.tables}
        for name in names:
            if re.search(r"__(next|old|r\d+)$", name) and name not in kept:
                connection.exec_driver_sql(f"DROP TABLE {name}")
