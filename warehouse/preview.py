"""What publishing contents would change: they are loaded beside the served tables, compared, and dropped."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, Table, inspect, select
from sqlalchemy.schema import CreateTable

from warehouse import tables
from warehouse.damage import damage
from warehouse.diff import Change, compare
from warehouse.load import copy_of, next_of
from warehouse.lock import locked
from warehouse.record import current_release
from warehouse.release import TableVersion, drop_tables, loaded

CRITERIA = tables.regions_tensions_criterions


@dataclass(frozen=True)
class CriteriaChange:
    """The criteria that a trade gains and loses in a region."""

    region: str
    rome: str
    gains: list[str]
    loses: list[str]


@dataclass(frozen=True)
class Difference:
    """Per table that would have other rows, what would be `added`, `removed` and `changed`; and what that does to the
    criteria by which readers choose.
    """

    tables: dict[str, dict[str, Change]]
    criteria: list[CriteriaChange]


@locked
def preview(
    engine: Engine, contents: Sequence[TableVersion], *, first: int, progress: Callable[[str], None]
) -> Difference:
    """What `publish` would change, with the `first` rows of each kind. Nothing is swapped, and nothing stays.

    A table that is served with other columns than it would have, or not at all, is compared with an empty one.
    Raises WarehouseError when the database does not take the contents. Killed, it leaves what the next refresh drops.
    """
    before = current_release(engine)
    served, number = (before.tables, before.id + 1) if before else ({}, 1)
    damaged, found = damage(engine, before), Difference({}, [])
    for content in contents:
        name = content.table.name
        try:
            entry = loaded(engine, content, None if name in damaged else served.get(name), number, progress)
            if entry.contents_id == number:
                _compare(engine, content.table, found, first)
        finally:
            drop_tables(engine, [f"{name}__next", f"{name}__old"])
    return found


def _compare(engine: Engine, new: Table, found: Difference, first: int) -> None:
    old, beside = new, next_of(new)
    with engine.begin() as connection:
        there = inspect(connection)
        columns = there.get_columns(new.name) if there.has_table(new.name) else []
        if not set(new.columns.keys()) <= {column["name"] for column in columns}:
            old = copy_of(new, f"{new.name}__old")
            old.drop(connection, checkfirst=True)
            connection.execute(CreateTable(old))
    with engine.connect() as connection:
        changes = compare(connection, old, beside, new.info["key"], first)
        if any(change.rows for change in changes.values()):
            found.tables[new.name] = changes
        if new is CRITERIA:
            found.criteria.extend(_criteria_changes(_criteria(connection, old), _criteria(connection, beside)))


Criteria = dict[tuple[str, str], list[str]]
"""By the region's name and the ROME."""


def _criteria(connection: Connection, table: Table) -> Criteria:
    return {
        (region["label"], rome): of_rome["criterions"]
        for regions in connection.execute(select(table.c.json)).scalars()
        for region in regions
        for rome, of_rome in region["romes"].items()
    }


def _criteria_changes(old: Criteria, new: Criteria) -> list[CriteriaChange]:
    found = []
    for region, rome in sorted(old.keys() | new.keys()):
        before, after = old.get((region, rome), []), new.get((region, rome), [])
        gains, loses = sorted({*after} - {*before}), sorted({*before} - {*after})
        if gains or loses:
            found.append(CriteriaChange(region, rome, gains, loses))
    return found
