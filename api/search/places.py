"""Where the cities of a release are, kept in the process: what searches choose and order by, and nothing else.

Asked of MariaDB, a search of one trade in all France joins and sorts 35,000 communes: 100 ms for the page and 60 ms for
the total (real files, medians), and no index spares the sort, since a city's place in it depends on the trade. Kept
here, in 28 MB, it takes about 1 ms; the rows of the ten cities that are answered then come by their key. It is made
once per release, in a second, and is always that of the request's release.
"""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import nsmallest
from itertools import chain, islice

from sqlalchemy import select

from api.database import Snapshot
from api.search.text import fold
from warehouse import tables
from warehouse.criteria import CRITERIA
from warehouse.geography import EARTH_RADIUS_KM

NEAR_DEGREES = 0.5
BITS = {criterion.key: 1 << bit for bit, criterion in enumerate(CRITERIA)}

PAGE = 10
NEAR = 6
ALIKE = 6

Cell = tuple[int, int | None, int]
"""Basin, region, and the criteria met, as bits."""

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
    is_district: bool = False
    met: int = 0
    alike: int = 0


class Places:
    """The places of a release, and the orders in which they are answered."""

    def __init__(self, places: list[Place]) -> None:
        self.by_population = sorted(places, key=_most_populous)
        self.orders = {
            None: self.by_population,
            "mer": sorted(places, key=_to_the_sea),
            "montagne": sorted(places, key=_from_above),
        }
        self.names = sorted((hyphened(p.name), p.name, p.insee) for p in places if not p.is_district)
        cells: dict[Cell, dict[str | None, list[int]]] = {}
        for sort_by, order in self.orders.items():
            for rank, place in enumerate(order):
                if place.basin is not None:
                    cell = cells.setdefault((place.basin, place.region, place.met), {name: [] for name in self.orders})
                    cell[sort_by].append(rank)
        self.cells = cells
        """Ranks, in each order, of the places that lie in the same basin and region and meet the same criteria."""

    def search(
        self,
        tension: Tension | None,
        regions: set[int] | None,
        criteria: Iterable[str],
        sort_by: str | None,
        index: int,
    ) -> tuple[list[Place], int]:
        """Ten places from `index` on and the number of all: in a basin (with a tension), a region, with the criteria.

        Order: `ind_t` rising, unknown last; then as `sort_by` says; population falling; INSEE code. Cells are chosen
        and counted whole, and only those with the `ind_t` of the page are sorted.
        """
        levels: dict[float, list[list[int]]] = defaultdict(list)
        for basin, cell in self._asked_for(tension, regions, criteria):
            levels[0 if tension is None else _last(tension[basin])].append(cell[sort_by])
        page: list[Place] = []
        total = 0
        for level in sorted(levels):
            size = sum(map(len, levels[level]))
            first = max(index - total, 0)
            total += size
            if first < size and len(page) < PAGE:
                ranks = sorted(chain.from_iterable(levels[level]))  # each is sorted: merged in a millisecond
                page += [self.orders[sort_by][rank] for rank in ranks[first : first + PAGE - len(page)]]
        return page, total

    def basins(
        self, tension: Tension | None, regions: set[int] | None, criteria: Iterable[str]
    ) -> dict[int, tuple[Place, int]]:
        """Of each basin where a search finds places: the most populous of them, and how many there are."""
        found: dict[int, tuple[int, int]] = {}
        for basin, cell in self._asked_for(tension, regions, criteria):
            ranks = cell[None]
            first, count = found.get(basin, (ranks[0], 0))
            found[basin] = (min(first, ranks[0]), count + len(ranks))
        return {basin: (self.by_population[first], count) for basin, (first, count) in found.items()}

    def _asked_for(
        self, tension: Tension | None, regions: set[int] | None, criteria: Iterable[str]
    ) -> Iterator[tuple[int, dict[str | None, list[int]]]]:
        """The basin and the ranks of each cell that a search asks for."""
        asked = mask(criteria)
        for (basin, region, met), cell in self.cells.items():
            wanted = met & asked == asked and (regions is None or region in regions)
            if wanted and (tension is None or basin in tension):
                yield basin, cell

    def beginning_with(self, text: str) -> list[str]:
        """INSEE codes of the first ten places whose name begins with the text, by name, districts left out."""
        start = hyphened(fold(text))
        first, last = (bisect_left(self.names, (end,)) for end in (start, start + "\U0010ffff"))
        found = ((name, insee) for _, name, insee in self.names[first:last])
        return [insee for _, insee in nsmallest(PAGE, found)]

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
        return [(place, _distance(place, latitude, longitude)) for place in islice(around, NEAR)]

    def like(self, kind: Iterable[str], tension: Tension, but: int) -> list[Place]:
        """Six places of the kind whose basin has a tension row: `ind_t` rising, then population falling."""
        asked = mask(kind)
        found: list[Place] = []
        for level in sorted({_last(ind_t) for ind_t in tension.values()}):
            basins = {basin for basin, ind_t in tension.items() if _last(ind_t) == level}
            alike = (
                place
                for place in self.by_population
                if place.basin in basins and place.alike & asked == asked and place.id != but and not place.is_district
            )
            found += islice(alike, ALIKE - len(found))
        return found


def kind_of(population: float | None, distance: float | None, altitude: float | None) -> list[str]:
    """What a city is compared by: its size (thousands), and what lies around it (km, m); what is unknown is not.

    The classes of the web tier's similar cities, whose bounds count a little otherwise than `warehouse/criteria.py`'s.
    """
    kind = []
    if population is not None:
        sizes = ((20, "small-city"), (50, "medium-city"), (200, "big-city"), (math.inf, "extra-big-city"))
        kind.append(next(key for below, key in sizes if population < below))
    if distance is not None and distance < 30:
        kind.append("side-sea")
    if _meets("campagne", {"population": population, "distance_from_sea": distance, "z_moyen": altitude}):
        kind.append("campagne")
    if altitude is not None and altitude > 600:
        kind.append("mountain")
    return kind


def mask(criteria: Iterable[str]) -> int:
    """Criteria as bits of a number."""
    return sum({BITS[key] for key in criteria})


def hyphened(name: str) -> str:
    """A folded name as its beginning is compared: a space is as good as a hyphen."""
    return name.replace(" ", "-")


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
    basins = dict(snapshot.connection.execute(rows).all())
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
    for row in snapshot.connection.execute(query, execution_options={"yield_per": 1_000}):
        place = Place(*row)
        place.name = fold(place.name or "")
        place.basin = basins.get(place.insee)
        place.is_district = place.name.endswith("-arrondissement")
        values = {"population": place.population, "distance_from_sea": place.distance, "z_moyen": place.altitude}
        place.met = mask(key for key in BITS if _meets(key, values))
        place.alike = mask(kind_of(place.population, place.distance, place.altitude))
        yield place


def _meets(key: str, values: Mapping[str, float | None]) -> bool:
    return all((value := values[name]) is not None and met(value, bound) for name, met, bound in _CONDITIONS[key])


_CONDITIONS = {criterion.key: criterion.conditions for criterion in CRITERIA}
