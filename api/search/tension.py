"""Where a trade is in tension, and where a city lies: tables `tensions` and `bassins`."""

import re
from collections.abc import Iterable

import numpy as np
from sqlalchemy import Column, Connection, func, select

from api.search.packed import Array, code, codes, packed, whole_numbers
from api.search.text import fold
from warehouse import tables
from warehouse.codes import ROME
from warehouse.criteria import OPPORTUNITY_BELOW

ABSENT, UNKNOWN = 255, 254
"""Levels of a basin without a tension row, and of one whose `ind_t` is not known: it comes after 1 to 5."""
LEVELS = (0, 1, 2, 3, 4, 5, UNKNOWN)
"""In the order of a search; 0 is that of all basins where none is asked for."""
BASINS = int(tables.BASIN[1]) + 1
ANY_BASIN = np.zeros(BASINS, np.uint8)
"""The levels where no trade is asked for."""
ANY_BASIN[0] = ABSENT


def romes(asked: Iterable[str]) -> list[str]:
    """The ROME codes that are asked for, each once: `n1103` asks for N1103. What is no code is left out."""
    folded = {fold(text).upper() for text in asked}
    return sorted(text for text in folded if re.fullmatch(ROME, text))


class Tensions:
    """The tension rows of a release: ROME, basin, `ind_t`."""

    def __init__(self, connection: Connection) -> None:
        row = tables.tensions.c
        self.labels = _names(connection, row.rome, row.rome_label)
        """The ROMEs of tensions, with their labels."""
        rome, basin, ind_t = packed(connection, row.rome, row.bassin_id, row.ind_t)
        levels = whole_numbers(ind_t, UNKNOWN).astype(np.uint8)
        order = np.argsort(levels, kind="stable")[::-1]  # where a basin has several rows, the lowest is written last
        self._romes, self._levels = codes(rome)[order], levels[order]
        self._basins = whole_numbers(basin)[order].astype(np.int64)
        by_rome = np.argsort(self._romes, kind="stable")
        found, starts = np.unique(self._romes[by_rome], return_index=True)
        self._of_rome = dict(zip(found.tolist(), np.split(by_rome, starts[1:]), strict=bool(len(found))))

    def levels(self, asked: Iterable[str], opportunity: int | None = None) -> Array:
        """The lowest `ind_t` of the trades by basin number, shape (BASINS,); see ABSENT and UNKNOWN.

        opportunity 1: of the rows below 4; 2: of those from 4 up.
        """
        lowest = np.full(BASINS, ABSENT, np.uint8)
        for rome in asked:
            rows = self._of_rome.get(code(rome), np.empty(0, np.intp))
            basins, levels = self._basins[rows], self._levels[rows]
            if opportunity:
                kept = ((levels < OPPORTUNITY_BELOW) == (opportunity == 1)) & (levels < UNKNOWN)
                basins, levels = basins[kept], levels[kept]
            lowest[basins] = np.minimum(lowest[basins], levels)
        return lowest

    def of_basin(self, basin: int) -> dict[str, int | None]:
        """The lowest `ind_t` of each trade that has a tension row in the basin."""
        rows = np.flatnonzero(self._basins == basin)
        found = zip(self._romes[rows].tolist(), self._levels[rows].tolist(), strict=True)
        names = {code(rome): rome for rome in self.labels}
        return {names[rome]: ind_t(level) for rome, level in found}


def ind_t(level: int) -> int | None:
    """The `ind_t` that a level stands for."""
    return None if level >= UNKNOWN else level


class Basins:
    """The basin of each commune, and the basins' names."""

    def __init__(self, connection: Connection) -> None:
        row = tables.bassins.c
        self.names = _names(connection, row.bassin_id, row.bassin_name)
        insee, basin = packed(connection, row.code_commune_insee, row.bassin_id)
        self.of_commune = dict(zip(insee, map(int, basin), strict=True))


def _names(connection: Connection, key: Column, name: Column) -> dict:  # type: ignore[type-arg]
    query = select(key, func.min(name)).where(key.table.c.deleted_at.is_(None)).group_by(key)
    return dict(connection.execute(query).all())
