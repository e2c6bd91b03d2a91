"""What changed between two releases, or would between the served contents and others."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    LargeBinary,
    Row,
    Select,
    String,
    Table,
    and_,
    case,
    cast,
    false,
    func,
    inspect,
    or_,
    select,
)

from warehouse import tables
from warehouse.database import is_sqlite
from warehouse.errors import WarehouseError
from warehouse.load import copy_of
from warehouse.release import Release, history

LONGEST = 80
"""Characters of a value that are shown."""
LARGE = 50_000
"""Rows of a table that is compared in halves."""


@dataclass(frozen=True)
class Change:
    """Rows of one kind of change: how many, and the first by key, each with its key; of those that changed also
    `columns`: per column that did the old and the new value, long texts cut.
    """

    rows: int
    first: list[dict[str, Any]]


def diff(engine: Engine, old: int, new: int, first: int = 3) -> dict[str, dict[str, Change]]:
    """Per table that differs between two releases, what was `added`, `removed` and `changed`.

    Rows are told apart by their table's key; `first` is how many of each are shown.

    Raises WarehouseError when a release is not in the record, or its contents are no longer kept.
    """
    releases = {release.id: release for release in history(engine)}
    for number in (old, new):
        if number not in releases:
            raise WarehouseError(f"there is no release {number}; there are {', '.join(map(str, sorted(releases)))}")
    latest = releases[max(releases)]
    there = set(inspect(engine).get_table_names())
    found = {}
    with engine.connect() as connection:
        for name, table in tables.metadata.tables.items():
            before, after = (_contents(table, releases[number], latest, there) for number in (old, new))
            if before is not None and after is not None and before.name != after.name:
                found[name] = compare(connection, before, after, table.info["key"], first)
    return found


def _contents(table: Table, release: Release, latest: Release, there: set[str]) -> Table | None:
    """Where the contents that a release served stand now; None where it served none."""
    entry = release.tables.get(table.name)
    if entry is None:
        return None
    served = latest.tables.get(table.name)
    if served and served.contents_id == entry.contents_id:
        return table
    name = f"{table.name}__r{entry.contents_id}"
    if name not in there:
        raise WarehouseError(f"release {release.id} is no longer kept whole: {name} is not there")
    return copy_of(table, name)


def compare(connection: Connection, old: Table, new: Table, key: tuple[str, ...], first: int) -> dict[str, Change]:
    """What was `added`, `removed` and `changed` between two tables of one description, rows told apart by `key`."""
    # MariaDB compares é and e as equal: its index finds the key, the bytes decide.
    same_key = and_(*(old.c[k] == new.c[k] for k in key), *(_bytes(old.c[k]) == _bytes(new.c[k]) for k in key))
    values = [column.name for column in new.columns if column.name not in (*key, *tables.STAMPS, "id")]
    differs = or_(false(), *(_bytes(old.c[name]).is_distinct_from(_bytes(new.c[name])) for name in values))
    both = [side.c[name].label(f"{when} {name}") for name in values for when, side in (("old", old), ("new", new))]
    queries = {
        "added": _keys(new, key).select_from(new.outerjoin(old, same_key)).where(old.c[key[0]].is_(None)),
        "removed": _keys(old, key).select_from(old.outerjoin(new, same_key)).where(new.c[key[0]].is_(None)),
        "changed": _keys(new, key).add_columns(*both).select_from(new.join(old, same_key)).where(differs),
    }
    # One join counts all three: keys stand once, so that what has no match was added or removed.
    counts = select(func.count(), func.coalesce(func.sum(case((differs, 1), else_=0)), 0))
    sizes = [connection.execute(select(func.count()).select_from(side)).scalar_one() for side in (new, old)]
    matched, changed = _in_halves(connection, counts.select_from(new.join(old, same_key)), new, sizes[0])
    rows = {"added": sizes[0] - matched, "removed": sizes[1] - matched, "changed": changed}
    return {
        kind: Change(number, _first(connection, queries[kind], key, first) if number and first else [])
        for kind, number in rows.items()
    }


def _in_halves(connection: Connection, counts: Select[Any], table: Table, rows: int) -> list[int]:
    """What a query counts. MariaDB takes a core for one: halves of a large table, by id, are counted side by side."""
    if is_sqlite(connection.engine) or rows < LARGE or "id" not in table.c:
        return list(map(int, connection.execute(counts).one()))

    def counted(half: ColumnElement[bool]) -> Row[Any]:
        with connection.engine.connect() as one:
            return one.execute(counts.where(half)).one()

    middle = rows // 2
    with ThreadPoolExecutor(2) as pool:
        halves = pool.map(counted, (table.c.id <= middle, table.c.id > middle))
        return [sum(map(int, both)) for both in zip(*halves, strict=True)]


def _bytes(column: Column[Any]) -> ColumnElement[Any]:
    """A column to be compared: of text its bytes."""
    return cast(column, LargeBinary) if isinstance(column.type, String) else column


def _keys(table: Table, key: tuple[str, ...]) -> Select[Any]:
    columns = [table.c[name] for name in key]
    return select(*columns).order_by(*columns)


def _first(connection: Connection, query: Select[Any], key: tuple[str, ...], number: int) -> list[dict[str, Any]]:
    found = []
    for row in connection.execute(query.limit(number)).mappings():
        names = [name.removeprefix("old ") for name in row if name.startswith("old ")]
        pairs = {name: [_cut(row[f"old {name}"]), _cut(row[f"new {name}"])] for name in names}
        columns = {name: pair for name, pair in pairs.items() if row[f"old {name}"] != row[f"new {name}"]}
        found.append({name: row[name] for name in key} | ({"columns": columns} if columns else {}))
    return found


def _cut(value: Any) -> Any:
    """A value as it is shown: of a long text the beginning."""
    text = value if isinstance(value, str) else str(value)
    return f"{text[:LONGEST]}…" if len(text) > LONGEST else value
