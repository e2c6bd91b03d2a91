"""What the routes must answer, worked out row by row from the tables, in the plainest way."""

import math
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any

Row = dict[str, Any]
Tables = dict[str, list[Row]]

DISTRICTS = {"75056": "751", "69123": "6938", "13055": "132"}
SEA, HIGH, SMALL = 30, 600, 20
CRITERIA = {
    "side-sea": lambda c: c["distance_from_sea"] is not None and c["distance_from_sea"] <= SEA,
    "mountain": lambda c: c["z_moyen"] is not None and c["z_moyen"] >= HIGH,
    "campagne": lambda c: (
        None not in (c["distance_from_sea"], c["population"], c["z_moyen"])
        and c["distance_from_sea"] >= SEA
        and c["population"] <= SMALL
        and c["z_moyen"] <= HIGH
    ),
    "small-city": lambda c: c["population"] is not None and c["population"] <= SMALL,
    "medium-city": lambda c: c["population"] is not None and 20 < c["population"] < 50,
    "big-city": lambda c: c["population"] is not None and 50 <= c["population"] < 200,
    "extra-big-city": lambda c: c["population"] is not None and c["population"] >= 200,
}


def plain(row: Row) -> Row:
    """A row as JSON has it."""
    return {key: f"{v.isoformat()}Z" if isinstance(v, datetime) else v for key, v in row.items()}


def basin_of(tables: Tables) -> dict[str, int]:
    return {row["code_commune_insee"]: row["bassin_id"] for row in tables["bassins"] if row["deleted_at"] is None}


def tensions(tables: Tables, romes: list[str], opportunity: int | None = None) -> dict[int, list[Row]]:
    """The tension rows of the trades, by basin."""
    found: dict[int, list[Row]] = defaultdict(list)
    for row in tables["tensions"]:
        fits = opportunity is None or (row["ind_t"] is not None and (row["ind_t"] < 4) == (opportunity == 1))
        if row["deleted_at"] is None and row["rome"] in romes and fits:
            found[row["bassin_id"]].append(row)
    return found


def least(rows: list[Row]) -> int | None:
    return min((row["ind_t"] for row in rows if row["ind_t"] is not None), default=None)


def last(value: float | None) -> float:
    return math.inf if value is None else value


def highest_first(value: float | None) -> float:
    return math.inf if value is None else -value


def as_list(asked: Any) -> list[Any]:
    """One value is a list of one, an empty one is none."""
    return [one for one in (asked if isinstance(asked, list) else [asked]) if one not in (None, "")]


def belongs(insee: str, city: str) -> bool:
    """Whether what is said of a commune is said of the city: of itself, and of a city's districts."""
    return insee == city or (city in DISTRICTS and insee.startswith(DISTRICTS[city]) and insee not in DISTRICTS)


def search(tables: Tables, body: Row) -> list[Row]:
    """Every city that is found, in order."""
    romes, regions = as_list(body.get("codeRome")), [int(code) for code in as_list(body.get("codeRegion"))]
    departements = as_list(body.get("departement"))
    opportunity = int(body["opportunity"]) if body.get("opportunity") else None
    region_of = {row["code"]: row for row in tables["new_regions"]}
    departement_of = {row["code"]: row["name"] for row in tables["departements"]}
    basins, wanted = basin_of(tables), tensions(tables, romes, opportunity)
    offers_of = [row for row in tables["cities_jobs"] if row["rome_id"] in romes]
    found = []
    for city in tables["cities"]:
        if city["insee_com"] not in basins or (regions and city["new_code_region"] not in regions):
            continue
        if departements and city["code_dept"] not in departements:
            continue
        if not all(CRITERIA[body[key]](city) for key in ("codeCity", "codeEnvironment") if body.get(key)):
            continue
        rows = wanted.get(basins[city["insee_com"]], [])
        in_tension = body.get("onlySearchInTension", True)
        if in_tension and not rows:
            continue
        region = region_of.get(city["new_code_region"], {})
        offers = [row["number"] for row in offers_of if belongs(row["insee_code"], city["insee_com"])]
        item = plain(city) | {
            "newRegion.name": region.get("name"),
            "newRegion.code": region.get("code"),
            "departement.name": departement_of.get(city["code_dept"]),
            "citiesJobs.number": sum(offers) if offers else None,
        }
        if in_tension:
            item["bassin.tensions.ind_t"] = least(rows)
        found.append(item)
    middle: Callable[[Row], float] = {
        "mer": lambda c: last(c["distance_from_sea"]),
        "montagne": lambda c: highest_first(c["z_moyen"]),
    }.get(body.get("sortBy") or "", lambda c: 0)
    return sorted(
        found,
        key=lambda c: (
            last(c.get("bassin.tensions.ind_t")),
            middle(c),
            highest_first(c["population"]),
            c["insee_com"],
        ),
    )


def is_district(city: Row) -> bool:
    return (city["nom_comm"] or "").endswith("-ARRONDISSEMENT")


def by_population(cities: list[Row]) -> list[Row]:
    return sorted(cities, key=lambda c: (highest_first(c["population"]), c["insee_com"]))


def close(tables: Tables, latitude: float, longitude: float, but: str) -> list[Row]:
    regions = {row["code"]: row["name"] for row in tables["new_regions"]}
    around = [
        city
        for city in tables["cities"]
        if city["geo_point_2d_x"] is not None
        and abs(city["geo_point_2d_x"] - latitude) <= 0.5
        and abs(city["geo_point_2d_y"] - longitude) <= 0.5
        and city["insee_com"] != but
        and not is_district(city)
    ]
    return [plain(c) | {"newRegion.name": regions.get(c["new_code_region"])} for c in by_population(around)[:6]]


def kilometres(latitude: float, longitude: float, city: Row) -> float:
    """By the law of cosines, where the API uses the haversine."""
    a, b = math.radians(latitude), math.radians(city["geo_point_2d_x"])
    c = math.radians(city["geo_point_2d_y"] - longitude)
    return 6371 * math.acos(min(1, math.sin(a) * math.sin(b) + math.cos(a) * math.cos(b) * math.cos(c)))


def kind(city: Row) -> list[str]:
    size = city["population"]
    sizes = ["small-city", "medium-city", "big-city", "extra-big-city"]
    found = [sizes[sum(size >= bound for bound in (20, 50, 200))]] if size is not None else []
    if city["distance_from_sea"] is not None and city["distance_from_sea"] < SEA:
        found.append("side-sea")
    if CRITERIA["campagne"](city):
        found.append("campagne")
    if city["z_moyen"] is not None and city["z_moyen"] > HIGH:
        found.append("mountain")
    return found


def similar(tables: Tables, given: Row, rome: str) -> tuple[list[Row], list[str]]:
    asked, basins, wanted = kind(given), basin_of(tables), tensions(tables, [rome])
    alike = []
    for city in by_population(tables["cities"]):
        rows = wanted.get(basins.get(city["insee_com"], 0), [])
        if rows and city["id"] != given["id"] and not is_district(city) and set(asked) <= set(kind(city)):
            alike.append((last(least(rows)), {key: city[key] for key in ("id", "insee_com", "name", "nom_comm")}))
    return [city for _, city in sorted(alike, key=lambda pair: pair[0])[:6]], asked


def unaccented(text: str) -> str:
    return text.translate(str.maketrans("éèêëàâîïôùûüçÉÈÊÀÂÎÔÇœ", "eeeeaaiiouuucEEEAAIOCo"))
