"""What is counted per commune: offers by trade (table `cities_jobs`), facilities by type (`equipments`); per region
and week: offers by trade (`offers_history`).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from api.search.packed import CODE_BITS, Array, code, codes, packed, whole_numbers
from warehouse import tables
from warehouse.geography import DISTRICT_PREFIXES


class Offers:
    """Job offers per commune and ROME; those of Paris, Lyon and Marseille with those of their districts."""

    def __init__(self, connection: Connection) -> None:
        row = tables.cities_jobs.c
        insee, rome, number = packed(connection, row.insee_code, row.rome_id, row.number)
        self._names = {code(text): text for text in set(rome)}
        of_rome, numbers = codes(rome), whole_numbers(number).astype(np.int64)
        keys = [_key(codes(insee), of_rome)]
        rows = [np.arange(len(insee))]
        for city, start in DISTRICT_PREFIXES.items():
            rows.append(np.flatnonzero([text.startswith(start) for text in insee]))
            keys.append(_key(code(city), of_rome[rows[-1]]))
        self._keys, places = np.unique(np.concatenate(keys), return_inverse=True)
        self._numbers = np.zeros(len(self._keys), np.int64)
        np.add.at(self._numbers, places, numbers[np.concatenate(rows)])

    def of_cities(self, cities: Array, romes: Sequence[str]) -> list[int | None]:
        """The offers of trades in each of the cities (see `codes`); None where there are none."""
        wanted = _key(cities[:, None], codes(romes)[None, :])
        places = np.searchsorted(self._keys, wanted).clip(max=max(len(self._keys) - 1, 0))
        if not len(self._keys):
            return [None] * len(cities)
        sums = np.where(self._keys[places] == wanted, self._numbers[places], 0).sum(axis=1)
        return [number or None for number in sums.tolist()]

    def of_city(self, insee: str) -> dict[str, int]:
        """The offers of each trade that has some in the city."""
        first, end = np.searchsorted(self._keys, [_key(code(insee), 0), _key(code(insee) + 1, 0)])
        romes = (self._names[key & ((1 << CODE_BITS) - 1)] for key in self._keys[first:end].tolist())
        return dict(zip(romes, self._numbers[first:end].tolist(), strict=True))


def _key(insee: Any, rome: Any) -> Any:
    """A commune and a ROME as one number; arrays give arrays."""
    return (insee << CODE_BITS) + rome


class Facilities:
    """Facilities per commune and type."""

    def __init__(self, connection: Connection) -> None:
        row = tables.equipments.c
        number, insee, kind, total = packed(connection, row.id, row.depcom, row.typequ, row.total)
        of_commune, ids = codes(insee), whole_numbers(number)
        order = np.lexsort((ids, of_commune))
        self._communes, self._ids = of_commune[order], ids[order]
        kinds = sorted(set(kind))
        self._kinds = [text or None for text in kinds]
        places = {text: place for place, text in enumerate(kinds)}
        self._of_kind = np.fromiter(map(places.__getitem__, kind), np.int32, len(kind))[order]
        self._totals = whole_numbers(total)[order]

    def of_city(self, insee: str) -> list[dict[str, Any]]:
        """The rows of a city by their id."""
        first, end = np.searchsorted(self._communes, [code(insee), code(insee) + 1])
        columns = (column[first:end].tolist() for column in (self._ids, self._of_kind, self._totals))
        return [
            {"id": number, "depcom": insee, "typequ": self._kinds[kind], "total": total}
            for number, kind, total in zip(*columns, strict=True)
        ]


OF_WEEK = np.dtype([("week", np.int16), ("region", np.int16), ("number", np.int32), ("days", np.int8)])


class Trends:
    """Job offers per week, region and ROME: nine bytes each."""

    def __init__(self, connection: Connection) -> None:
        row = tables.offers_history.c
        self._weeks = list(connection.execute(select(row.week).distinct().order_by(row.week)).scalars())
        romes, weeks = [np.empty(0, np.int64)], [np.empty(0, OF_WEEK)]
        for place, week in enumerate(self._weeks):
            columns = (row.rome_id, row.code_region, row.number, row.days)
            rome, *counted = packed(connection, *columns, where=row.week == week)
            romes.append(codes(rome))
            weeks.append(np.empty(len(rome), OF_WEEK))
            weeks[-1]["week"] = place
            for name, texts in zip(("region", "number", "days"), counted, strict=True):
                weeks[-1][name] = whole_numbers(texts)
        of_rome = np.concatenate(romes)
        order = np.argsort(of_rome, kind="stable")
        found, starts = np.unique(of_rome[order], return_index=True)
        rows = np.split(np.concatenate(weeks)[order], starts[1:])
        self._of_rome = dict(zip(found.tolist(), rows, strict=bool(len(found))))

    def of(self, rome: str, region: int | None) -> list[dict[str, Any]]:
        """The weeks in which a trade has offers, the oldest first: their sum, and the most dumps that a region has."""
        rows = self._of_rome.get(code(rome), np.empty(0, OF_WEEK))
        rows = rows if region is None else rows[rows["region"] == region]
        if not len(rows):
            return []
        places, starts = np.unique(rows["week"], return_index=True)
        numbers = np.add.reduceat(rows["number"], starts, dtype=np.int64)
        columns = (places, numbers, np.maximum.reduceat(rows["days"], starts))
        return [
            {"week": self._weeks[place], "number": number, "days": days}
            for place, number, days in zip(*(column.tolist() for column in columns), strict=True)
        ]
