"""Where the cities of a release are, kept in the process: what searches choose and order by, and nothing else.

Asked of MariaDB, a search of one trade in all France joins and sorts 35,000 communes: 100 ms, and no index spares the
sort, since a city's place in it depends on the trade. Kept here, in 15 MB, it takes about 1 ms; the rows of the ten
cities that are answered then come from the database by their key. Kept per release, and so always that of the request.
"""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from operator import attrgetter

from sqlalchemy import select

from api.database import Snapshot
from api.text import fold
from warehouse import tables
from warehouse.criteria import CRITERIA

EARTH_RADIUS_KM = 6371.0
NEAR_DEGREES = 0.5
BITS = {criterion.key: 1 << bit for bit, criterion in enumerate(CRITERIA)}

Tension = Mapping[int, int | None]
"""The lowest `ind_t` per basin; None where it is unknown. A basin without a tension row is not there."""


@dataclass(slots=True)
class Place:
    """A commune or district. Population in thousands, distance in km, altitude in m, degrees; None where unknown."""

    id: int
    insee: str
    name: str
    region: int | None
    population: float | None
    distance: int | None
    altitude: int | None
    latitude: float | None
    longitude: float | None
    basin: int | None = None
    met: int = 0
    by_population: int = 0
    by_sea: int = 0
    by_height: int = 0

    @property
    def is_district(self) -> bool:
        """Whether it is a district of Paris, Lyon or Marseille."""
        return self.name.endswith("-arrondissement")


class Places:
    """The places of a release, and the orders in which they are answered."""

    def __init__(self, places: list[Place]) -> None:
        for name, key in (("by_sea", _to_the_sea), ("by_height", _from_above), ("by_population", _most_populous)):
            places.sort(key=key)
            for rank, place in enumerate(places):
                setattr(place, name, rank)
        self.by_population = places
        self.names = sorted((place.name, place.insee) for place in places if not place.is_district)
        cells: dict[tuple[int, int | None, int], list[Place]] = defaultdict(list)
        for place in places:
            if place.basin is not None:
                cells[place.basin, place.region, place.met].append(place)
        self.cells = dict(cells)

    def search(
        self,
        tension: Tension | None,
        regions: set[int] | None,
        criteria: Iterable[str],
        sort_by: str | None,
        index: int,
    ) -> tuple[list[Place], int]:
        """Ten places from `index` on and the number of all: in a basin (with a tension), a region, with the criteria.

        Order: `ind_t` rising, unknown last; then as `sort_by` says; population falling; INSEE code. Places that share
        basin, region and criteria are counted as one cell, and only those with the `ind_t` of the page are sorted.
        """
        levels: dict[float, list[list[Place]]] = defaultdict(list)
        for basin, places in self._cells_of(tension, regions, criteria):
            levels[0 if tension is None else _last(tension[basin])].append(places)
        order = attrgetter({"mer": "by_sea", "montagne": "by_height"}.get(sort_by or "", "by_population"))
        page: list[Place] = []
        total = 0
        for level in sorted(levels):
            size = sum(map(len, levels[level]))
            first = max(index - total, 0)
            total += size
            if first < size and len(page) < 10:
                page += sorted(chain.from_iterable(levels[level]), key=order)[first : first + 10 - len(page)]
        return page, total

    def basins(
        self, tension: Tension | None, regions: set[int] | None, criteria: Iterable[str]
    ) -> dict[int, tuple[Place, int]]:
        """Of each basin where a search finds places: the most populous of them, and how many there are."""
        found: dict[int, tuple[Place, int]] = {}
        for basin, places in self._cells_of(tension, regions, criteria):
            first, count = found.get(basin, (places[0], 0))
            found[basin] = (min(first, places[0], key=_most_populous), count + len(places))
        return found

    def _cells_of(
        self, tension: Tension | None, regions: set[int] | None, criteria: Iterable[str]
    ) -> Iterator[tuple[int, list[Place]]]:
        """The basin and the places, by falling population, of each cell that a search asks for."""
        asked = sum({BITS[key] for key in criteria})
        for (basin, region, met), places in self.cells.items():
            wanted = met & asked == asked and (regions is None or region in regions)
            if wanted and (tension is None or basin in tension):
                yield basin, places

    def beginning_with(self, text: str) -> list[str]:
        """INSEE codes of the first ten places whose name begins with the text, by name, districts left out."""
        start = named(text)
        first = bisect_left(self.names, (start,))
        return [insee for name, insee in self.names[first : first + 10] if name.startswith(start)]

    def near(self, latitude: float, longitude: float, but: str) -> list[tuple[Place, float]]:
        """The six most populous places within half a degree each way, and their distance in km; no districts."""
        around = (
            place
            for place in self.by_population
            if place.latitude is not None
            and place.longitude is not None
            and abs(place.latitude - latitude) <= NEAR_DEGREES
            and abs(place.longitude - longitude) <= NEAR_DEGREES
            and place.insee != but
            and not place.is_district
        )
        return [(place, _distance(place, latitude, longitude)) for place in islice(around, 6)]

    def like(self, kind: "Kind", tension: Tension, but: int) -> list[Place]:
        """Six places of the kind whose basin has a tension row: `ind_t` rising, then population falling."""
        alike = [
            place
            for place in self.by_population
            if place.basin in tension and place.id != but and kind.holds(place) and not place.is_district
        ]
        return sorted(alike, key=lambda place: _last(tension[place.basin or 0]))[:6]


@dataclass(frozen=True)
class Kind:
    """What makes cities alike: their size, and what lies around them."""

    criteria: tuple[str, ...]

    @classmethod
    def of(cls, population: float | None, distance: float | None, altitude: float | None) -> "Kind":
        """The kind of a city; what is unknown of it does not count."""
        return cls(tuple(key for key, met in _ALIKE.items() if met(population, distance, altitude)))

    def holds(self, place: Place) -> bool:
        """Whether the place is of this kind too."""
        return all(_ALIKE[key](place.population, place.distance, place.altitude) for key in self.criteria)


_Met = Callable[[float | None, float | None, float | None], bool]


def _size(least: float, below: float) -> _Met:
    return lambda population, distance, altitude: population is not None and least <= population < below


def _is_campagne(population: float | None, distance: float | None, altitude: float | None) -> bool:
    known = population is not None and distance is not None and altitude is not None
    return known and distance >= 30 and population <= 20 and altitude <= 600  # type: ignore[operator]


_ALIKE: dict[str, _Met] = {
    "small-city": _size(-math.inf, 20),
    "medium-city": _size(20, 50),
    "big-city": _size(50, 200),
    "extra-big-city": _size(200, math.inf),
    "side-sea": lambda population, distance, altitude: distance is not None and distance < 30,
    "campagne": _is_campagne,
    "mountain": lambda population, distance, altitude: altitude is not None and altitude > 600,
}
"""The classes of the web tier's similar cities: bounds count a little otherwise than in `warehouse/criteria.py`."""


def named(text: str) -> str:
    """A name as it is compared: folded, a space as good as a hyphen."""
    return fold(text).replace(" ", "-")


def _last(value: float | None) -> float:
    return math.inf if value is None else value


def _most_populous(place: Place) -> tuple[float, str]:
    return (math.inf if place.population is None else -place.population, place.insee)


def _to_the_sea(place: Place) -> tuple[float, float, str]:
    return (_last(place.distance), *_most_populous(place))


def _from_above(place: Place) -> tuple[float, float, str]:
    return (math.inf if place.altitude is None else -place.altitude, *_most_populous(place))


def _distance(place: Place, latitude: float, longitude: float) -> float:
    """Great-circle distance in km (haversine)."""
    here, there = math.radians(latitude), math.radians(place.latitude or 0)
    east = math.radians((place.longitude or 0) - longitude)
    half = math.sin((there - here) / 2) ** 2 + math.cos(here) * math.cos(there) * math.sin(east / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(half, 1)))


def places(snapshot: Snapshot) -> Places:
    """The places of the release. Give it to `Snapshot.once`."""
    return Places(list(_read(snapshot)))


def _read(snapshot: Snapshot) -> Iterator[Place]:
    lexicon, city = tables.bassins.c, tables.cities.c
    rows = select(lexicon.code_commune_insee, lexicon.bassin_id).where(lexicon.deleted_at.is_(None))
    basins = dict(snapshot.connection.execute(rows).tuples().all())
    query = select(
        city.id,
        city.insee_com,
        city.nom_comm,
        city.new_code_region,
        city.population,
        city.distance_from_sea,
        city.z_moyen,
        city.geo_point_2d_x,
        city.geo_point_2d_y,
    )
    for row in snapshot.connection.execute(query):
        place = Place(*row)
        place.name = named(place.name or "")
        place.basin = basins.get(place.insee)
        place.met = sum(bit for key, bit in BITS.items() if _meets(key, place))
        yield place


def _meets(key: str, place: Place) -> bool:
    values = {"population": place.population, "distance_from_sea": place.distance, "z_moyen": place.altitude}
    return all(values[name] is not None and compare(values[name], bound) for name, compare, bound in _CONDITIONS[key])


_CONDITIONS = {criterion.key: criterion.conditions for criterion in CRITERIA}
