"""Where a trade is in tension."""

import re
from collections.abc import Iterable
from functools import partial

from sqlalchemy import func, select

from api.database import Snapshot
from api.search.places import Tension
from api.search.text import fold
from warehouse import tables
from warehouse.codes import ROME
from warehouse.criteria import OPPORTUNITY_BELOW


def labels(snapshot: Snapshot) -> dict[str, str | None]:
    """The ROMEs of tensions, with their labels. Give it to `Snapshot.once`."""
    row = tables.tensions.c
    query = select(row.rome, func.min(row.rome_label)).where(row.deleted_at.is_(None)).group_by(row.rome)
    return dict(snapshot.connection.execute(query).all())


def basins(snapshot: Snapshot) -> dict[int, str | None]:
    """The names of the basins. Give it to `Snapshot.once`."""
    row = tables.bassins.c
    query = select(row.bassin_id, func.min(row.bassin_name)).where(row.deleted_at.is_(None)).group_by(row.bassin_id)
    return dict(snapshot.connection.execute(query).all())


def codes(asked: Iterable[str]) -> list[str]:
    """The ROME codes that are asked for, each once: `n1103` asks for N1103. What is no code is left out."""
    folded = {fold(text).upper() for text in asked}
    return sorted(code for code in folded if re.fullmatch(ROME, code))


def lowest(snapshot: Snapshot, romes: Iterable[str], opportunity: int | None = None) -> Tension:
    """The lowest `ind_t` of the trades in each basin that has one: below 4 (opportunity 1), or from 4 up (2)."""
    found: dict[int, int | None] = {}
    for rome in set(romes) & snapshot.once(labels).keys():
        for basin, ind_t in snapshot.once(partial(_by_basin, rome), ("tension", rome)):
            if opportunity and (ind_t is None or (ind_t < OPPORTUNITY_BELOW) != (opportunity == 1)):
                continue
            lower = found.get(basin)
            found[basin] = ind_t if lower is None or ind_t is None else min(lower, ind_t)
    return found


def _by_basin(rome: str, snapshot: Snapshot) -> list[tuple[int, int | None]]:
    """The tension rows of a trade: basin and `ind_t`, the unknown first."""
    row = tables.tensions.c
    query = select(row.bassin_id, row.ind_t).where(row.rome == rome, row.deleted_at.is_(None)).order_by(row.ind_t)
    return [(basin, ind_t) for basin, ind_t in snapshot.connection.execute(query)]
