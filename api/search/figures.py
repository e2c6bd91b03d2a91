"""A city's figures beside those of France and of its department."""

from typing import Any

import numpy as np

from api.search.places import FIGURES, Cities
from warehouse.criteria import CRITERIA

NOT_PUBLISHED = ("average_houseselled", "average_houserent")
"""Figures of which 0 stands for none."""


class Figures:
    """Medians and ranks over the communes of a release; districts have their city's figures, and do not count."""

    def __init__(self, cities: Cities) -> None:
        self._cities = cities
        self._values = {name: cities.measured[name].copy() for name in FIGURES}
        for name in NOT_PUBLISHED:
            self._values[name][self._values[name] == 0] = np.nan
        self._sorted = {
            name: np.sort(self._known(values, ~cities.is_district)) for name, values in self._values.items()
        }

    def of_city(self, rank: int) -> dict[str, dict[str, Any]]:
        """Of each figure the medians of France and of the department; the city's rank, 1 the greatest; of how many."""
        departements = self._cities.departements
        around = (departements == departements[rank]) & ~self._cities.is_district
        found = {}
        for name, values in self._values.items():
            own, every, near = values[rank], self._sorted[name], self._known(values, around)
            place = None if np.isnan(own) else len(every) - int(np.searchsorted(every, own, "right")) + 1
            found[name] = {"france": _median(every), "departement": _median(near), "rank": place, "of": len(every)}
        return found

    def criteria(self, rank: int) -> list[str]:
        """The keys of the criteria that the city meets."""
        met = int(self._cities.met[rank])
        return [criterion.key for place, criterion in enumerate(CRITERIA) if met >> place & 1]

    @staticmethod
    def _known(values: Any, where: Any) -> Any:
        return values[where & ~np.isnan(values)]


def _median(values: Any) -> float | None:
    return float(np.median(values)) if len(values) else None
