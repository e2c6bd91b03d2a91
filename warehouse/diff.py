"""What changed between two releases."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Select, Table, and_, case, exists, false, func, inspect, or_, select

from warehouse import tables
from warehouse.errors import WarehouseError
from warehouse.load import copy_of
from warehouse.release import Release, history


@dataclass(frozen=True)
class Change:
    """Rows of one kind of change: how many, and the keys of the first."""

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
                found[name] = _compared(connection, before, after, table.info["key"], first)
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


def _compared(connection: Connection, old: Table, new: Table, key: tuple[str, ...], first: int) -> dict[str, Change]:
    same_key = and_(*(old.c[name] == new.c[name] for name in key))
    values = [column.name for column in new.columns if column.name not in (*key, *tables.STAMPS, "id")]
    differs = or_(false(), *(old.c[name].is_distinct_from(new.c[name]) for name in values))
    of_new, of_old = (select(*(side.c[name] for name in key)) for side in (new, old))
    queries = {
        "added": of_new.where(~exists().where(same_key).correlate(new)),
        "removed": of_old.where(~exists().where(same_key).correlate(old)),
        "changed": of_new.join(old, same_key).where(differs),
    }
    # One join counts all three: keys stand once, so that what has no match was added or removed.
    counts = select(func.count(), func.coalesce(func.sum(case((differs, 1), else_=0)), 0))
    matched, changed = connection.execute(counts.select_from(new.join(old, same_key))).one()
    sizes = [connection.execute(select(func.count()).select_from(side)).scalar_one() for side in (new, old)]
    rows = {"added": sizes[0] - matched, "removed": sizes[1] - matched, "changed": int(changed)}
    return {
        kind: Change(number, _first(connection, queries[kind], first) if number and first else [])
        for kind, number in rows.items()
    }


def _first(connection: Connection, query: Select[Any], number: int) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query.limit(number)).mappings()]
