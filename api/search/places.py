"""The cities of a release, in the order of their population, and what searches choose and order them by.

Asked of MariaDB, a search of one trade in all France joins and sorts 35,000 communes: 160 ms, and no index spares the
sort, since a city's place in it depends on the trade. Over arrays it takes a tenth of a millisecond.
"""

import operator
import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import orjson
from rapidfuzz import process
from rapidfuzz.distance import OSA
from sqlalchemy import Connection, select

from api.search.former import Former
from api.search.packed import Array, codes
from api.search.tension import ABSENT, LEVELS, Basins
from api.search.text import beginning_with, fold, hyphened
from warehouse import tables
from warehouse.criteria import CRITERIA, Condition, Criterion
from warehouse.geography import EARTH_RADIUS_KM

NEAR_DEGREES = 0.5
PAGE, NEAR, ALIKE = 10, 6, 6
REGIONS = int(tables.REGION[1]) + 1
JSON = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z
"""Dates and times of the warehouse are UTC."""
DISTRICT = re.compile(r"(.+?) +(\d{1,2})(?:er|e|eme)?(?:[ -]+arr.*)?")
"""How people write one: `lyon 3`, `Paris 1er`, `marseille 12e arrondissement`; folded."""

FIGURES = (
    *("population", "z_moyen", "distance_from_sea", "average_temperature", "superficie"),
    *("average_houseselled", "average_houserent", "rent_t2", "rent_t4", "total_social_housing"),
)
"""Columns that are shown beside those of other cities."""
MEASURES = ("id", "new_code_region", "geo_point_2d_x", "geo_point_2d_y", *FIGURES)
"""Columns that are kept as numbers."""
SAINT = re.compile(r"(?<![^ -])st(e?)(?=[ -])")
"""How people shorten saint and sainte in names; folded."""
LEAST_LETTERS, LIKENESS = 6, 0.8
"""The beginning of a name of as many letters may be mistyped: one letter in five. Corse is no Corte."""
_BOUNDS: dict[str, tuple[Condition, ...]] = {
    "small-city": (("population", operator.lt, 20),),
    "medium-city": (("population", operator.ge, 20), ("population", operator.lt, 50)),
    "side-sea": (("distance_from_sea", operator.lt, 30),),
    "mountain": (("z_moyen", operator.gt, 600),),
}
"""Where similar cities of the web tier are classed a little otherwise than searches do."""
_ORDER = ("small-city", "medium-city", "big-city", "extra-big-city", "side-sea", "campagne", "mountain")
KINDS = sorted(
    (replace(kind, conditions=_BOUNDS.get(kind.key, kind.conditions)) for kind in CRITERIA),
    key=lambda kind: _ORDER.index(kind.key),
)
"""What similar cities have in common: size (thousands), and what lies around (km, m)."""


def kind_of(**measures: float | None) -> list[str]:
    """What a city is compared by: what it has of KINDS."""
    known = {name: np.nan if value is None else value for name, value in measures.items()}  # NaN is nothing of it
    return [kind.key for kind in KINDS if kind.met(known)]


class Asked(NamedTuple):
    """What a search asks for: the level of each basin (see Tensions), regions, departments (None: all), criteria."""

    levels: Array
    regions: set[int] | None
    departements: set[str] | None
    criteria: list[str]


class Cities:
    """The rows of table `cities`, the most populous first: a city's rank is its place here."""

    def __init__(self, connection: Connection) -> None:
        self._former_names: list[tuple[str, str]] = []
        found = sorted(self._read(connection), key=lambda city: city[0])
        self._former_names.sort()
        self.rows = [opened for _, opened, *_ in found]
        """Each as a JSON object that is left open, for more to be added."""
        self.insees = [insee for (_, insee), *_ in found]
        names = [name for _, _, name, *_ in found]
        self.called = [name for *_, name, _, _ in found]
        """Names as INSEE writes them; None without a COG."""
        self.departements = np.array([code or "" for *_, code, _ in found], str)
        self.ranks = {insee: rank for rank, insee in enumerate(self.insees)}
        self.codes = codes(self.insees)
        columns_of = np.array([city[-1] for city in found], float).reshape(-1, len(MEASURES)).T  # None is NaN
        self.measured = measured = dict(zip(MEASURES, columns_of, strict=True))
        self.ids, self.regions = measured["id"], np.nan_to_num(measured["new_code_region"]).astype(np.intp)
        self.latitudes, self.longitudes = measured["geo_point_2d_x"], measured["geo_point_2d_y"]
        self.is_district = np.array([name.endswith("-arrondissement") for name in names], bool)
        self.met = _bits(criterion.met(measured) for criterion in CRITERIA)
        self.kinds = _bits(kind.met(measured) for kind in KINDS)
        self.orders = {  # the unknown comes last: NaN does
            None: np.arange(len(self.rows)),
            "mer": np.argsort(measured["distance_from_sea"], kind="stable"),
            "montagne": np.argsort(-measured["z_moyen"], kind="stable"),
        }
        self.names = _Names(names, self.insees, ~self.is_district)
        by_code = ((code, rank) for rank, city in enumerate(found) for code in city[3].split("/") if code)
        self.postal = sorted(by_code)

    def _read(self, connection: Connection) -> Iterator[tuple[Any, ...]]:
        """Of each row: what it is ordered by, its JSON, names and codes, and its measures."""
        columns = [str(column.name) for column in tables.cities.columns]
        for row in connection.execute(select(tables.cities), execution_options={"yield_per": 1_000}):
            city = dict(zip(columns, row, strict=True))
            opened = orjson.dumps(city, option=JSON)[:-1]  # a copy: what orjson gives takes 10 kB
            population = city["population"]
            order = (np.inf if population is None else -population, city["insee_com"])
            texts = (fold(city["nom_comm"] or ""), city["postal_code"] or "", city["name"], city["code_dept"])
            yield order, opened, *texts, [city[name] for name in MEASURES]
            if former_name := city["former_name"]:
                self._former_names.append((hyphened(fold(former_name)), city["insee_com"]))

    def row(self, rank: int) -> dict[str, Any]:
        """A city's columns, as JSON has them."""
        found: dict[str, Any] = orjson.loads(self.rows[rank] + b"}")
        return found

    def named(self, text: str, former: Former) -> list[int]:
        """The ranks of ten cities: those whose name begins with the text, by name, without districts.

        `st` and `ste` are saint and sainte. Then, where there is room: those with a postal code that begins so, the
        district that is meant, and those that a commune is in now whose name began so. Where there is nothing at all,
        those whose name is begun with a typing mistake, the likeliest first.
        """
        folded = SAINT.sub(r"saint\1", fold(text).strip())
        found = self.names.beginning_with(SAINT.sub(r"saint\1", fold(text)))
        if len(found) < PAGE and (district := DISTRICT.fullmatch(folded)):
            end = "1er" if district[2] == "1" else f"{int(district[2])}e"
            insee = self.names.insees.get(f"{hyphened(district[1])}-{end}-arrondissement")
            found += [self.ranks[insee]] if insee else []
        if len(found) < PAGE and re.fullmatch("[0-9]{2,5}", folded):
            ranks = {rank for _, rank in beginning_with(folded, self.postal)} - set(found)
            found += sorted(ranks, key=self.names.places.__getitem__)
        if len(found) < PAGE:
            names = sorted(beginning_with(folded, former.names) + beginning_with(folded, self._former_names))
            present = (self.ranks[code] for _, code in names if code in self.ranks)
            found += [rank for rank in dict.fromkeys(present) if rank not in found]
        return found[:PAGE] or self.names.mistyped(folded)

    def near(self, latitude: float, longitude: float, but: str) -> list[tuple[int, float]]:
        """The six most populous within half a degree each way, and their distance in km; no districts."""
        around = (abs(self.latitudes - latitude) <= NEAR_DEGREES) & (abs(self.longitudes - longitude) <= NEAR_DEGREES)
        ranks = np.flatnonzero(around & ~self.is_district)
        ranks = ranks[ranks != self.ranks.get(but, -1)][:NEAR]
        here, there = np.radians(latitude), np.radians(self.latitudes[ranks])
        east = np.radians(self.longitudes[ranks] - longitude)
        half = np.sin((there - here) / 2) ** 2 + np.cos(here) * np.cos(there) * np.sin(east / 2) ** 2
        distances = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(half, 1)))  # great-circle (haversine)
        return list(zip(ranks.tolist(), distances.tolist(), strict=True))


def _bits(conditions: Iterable[Array]) -> Any:
    """Conditions as bits of a number per city."""
    found = [condition.astype(np.uint8) << place for place, condition in enumerate(conditions)]
    return np.bitwise_or.reduce(found).astype(np.uint8)


def _mask(keys: Collection[str], criteria: Iterable[Criterion]) -> int:
    """The bits of some of the criteria, by their place."""
    return sum(1 << place for place, criterion in enumerate(criteria) if criterion.key in keys)


class _Names:
    """Folded names, as people begin to type them."""

    def __init__(self, names: list[str], insees: list[str], offered: Array) -> None:
        by_name = sorted(range(len(names)), key=lambda rank: (names[rank], insees[rank]))
        self.places = np.empty(len(names), np.intp)
        """Of each rank, its place in the order of names."""
        self.places[by_name] = np.arange(len(names))
        self._ranks = np.array(by_name, np.intp)
        chosen = sorted((hyphened(names[rank]), rank) for rank in np.flatnonzero(offered).tolist())
        self._starts = [name for name, _ in chosen]
        self._order = self.places[[rank for _, rank in chosen]]
        districts = np.flatnonzero(~offered).tolist()
        self.insees = {hyphened(names[rank]).replace("--", "-"): insees[rank] for rank in districts}
        """The INSEE codes of districts by name."""

    def beginning_with(self, text: str) -> list[int]:
        """The ranks of the first ten cities whose name begins with the text, by name."""
        start = hyphened(text)
        first, last = (bisect_left(self._starts, end) for end in (start, start + "\U0010ffff"))
        found: list[int] = self._ranks[np.sort(self._order[first:last])[:PAGE]].tolist()
        return found

    def mistyped(self, text: str) -> list[int]:
        """The ranks of ten cities whose name begins almost like the text: the likeliest, then the most populous.

        The first letter is taken as right: a fifteenth of the names is compared.
        """
        if len(text) < LEAST_LETTERS or not text[0].isalpha():
            return []
        asked, scorer = hyphened(text), OSA.normalized_similarity
        first, last = (bisect_left(self._starts, end) for end in (asked[0], asked[0] + "\U0010ffff"))
        begun = [name[: len(asked) + 1] for name in self._starts[first:last]]  # a letter may be missing
        alike = process.extract(asked, begun, scorer=scorer, score_cutoff=LIKENESS, limit=None)
        found = [(-score, int(self._ranks[self._order[first + place]])) for _, score, place in alike]
        return [rank for _, rank in sorted(found)[:PAGE]]


class Places:
    """Cities with their basins: what a search looks through, in each of its orders."""

    def __init__(self, cities: Cities, basins: Basins) -> None:
        self.cities = cities
        self.basins = np.array([basins.of_commune.get(insee, 0) for insee in cities.insees], np.intp)
        """Of each city the number of its basin, 0 where it lies in none."""
        of_cities = zip(self.basins.tolist(), cities.called, strict=True)
        called = {(basin, hyphened(fold(name))): name for basin, name in of_cities if name}
        self.basin_names = {
            basin: called.get((basin, hyphened(fold(name or ""))), name) for basin, name in basins.names.items()
        }
        """Names of basins, with the accents of the commune that has the name."""
        self._departements = set(filter(None, cities.departements.tolist()))
        of_city = (self.basins, cities.regions, cities.departements, cities.met)
        self._orders = {name: (order, *(column[order] for column in of_city)) for name, order in cities.orders.items()}

    def search(self, asked: Asked, sort_by: str | None, index: int) -> tuple[list[int], list[int], int]:
        """Ranks and levels of ten cities from `index` on, and the number of all.

        Order: level rising; then as `sort_by` says; population falling; INSEE code.
        """
        order = self._orders[sort_by][0]
        found = self._levels(asked, sort_by)
        ranks: list[int] = []
        of: list[int] = []
        total = 0
        for level in LEVELS:
            alike = found == level
            first, size = max(index - total, 0), int(np.count_nonzero(alike))
            total += size
            if first < size and len(ranks) < PAGE:
                page = np.flatnonzero(alike)[first : first + PAGE - len(ranks)]
                ranks += order[page].tolist()
                of += [level] * len(page)
        return ranks, of, total

    def in_basins(self, asked: Asked) -> list[tuple[int, int, int, int]]:
        """Of each basin where a search finds cities: its number, level, the rank of the most populous, how many."""
        found = self._levels(asked, None)
        ranks = np.flatnonzero(found != ABSENT)
        basins, first, counts = np.unique(self.basins[ranks], return_index=True, return_counts=True)
        columns = (basins, found[ranks[first]], ranks[first], counts)
        return list(zip(*(column.tolist() for column in columns), strict=True))

    def _levels(self, asked: Asked, sort_by: str | None) -> Array:
        """The level of each city in the order, ABSENT for one that is not asked for."""
        _, basins, of_region, of_departement, met = self._orders[sort_by]
        found: Array = asked.levels.take(basins)
        if asked.regions is not None:
            wanted = np.zeros(REGIONS, bool)
            wanted[[code for code in asked.regions if 0 < code < REGIONS]] = True
            found[~wanted.take(of_region)] = ABSENT
        if asked.departements is not None:  # of those that there are: an array of texts is as wide as the longest
            found[~np.isin(of_departement, list(asked.departements & self._departements))] = ABSENT
        if criteria := _mask(asked.criteria, CRITERIA):
            found[(met & criteria) != criteria] = ABSENT
        return found

    def like(self, kind: Collection[str], levels: Array, but: Array) -> list[int]:
        """The ranks of six cities of the kind whose basin has a tension row: level rising, then population falling."""
        asked = _mask(kind, KINDS)
        found = levels.take(self.basins)
        found[((self.cities.kinds & asked) != asked) | self.cities.is_district | but] = ABSENT
        ranks = np.flatnonzero(found != ABSENT)
        best: list[int] = ranks[np.argsort(found[ranks], kind="stable")[:ALIKE]].tolist()
        return best
