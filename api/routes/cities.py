"""Cities: which to choose, what each is like, and those near it or like it."""

import re
from collections.abc import Iterable
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from api.bodies import Autocomplete, CloseCities, Search, SimilarCities, SkillSearch
from api.models import CityName, CloseCity, Criterions, Found, FoundBasin, JobTitle, LoadedCity, Similar, SimilarCity
from api.release import Release
from api.responses import NOT_FOUND, RESPONSES, rank_of, release_of, respond
from api.search.packed import Array, code
from api.search.places import kind_of
from api.search.tension import ind_t, romes
from api.search.text import fold
from warehouse.criteria import CRITERIA

router = APIRouter(prefix="/cities", tags=["cities"], responses=RESPONSES)

NO_DISTRICTS = re.compile("-1ER-ARRONDISSEMENT", re.IGNORECASE)


@router.get("/criterions", response_model=Criterions, response_model_exclude_unset=True)
async def criterions(request: Request) -> Response:
    """What the first page needs: criteria, regions with their trades, and the trades by label."""
    release = release_of(request)
    return respond(request, release, release.made(criterions_of))


def criterions_of(release: Release) -> bytes:
    """Criteria, regions and trades, as JSON."""
    regions = release.contents["regions_tensions_criterions"]
    trades = sorted(release.tensions.labels.items(), key=lambda trade: (fold(trade[1] or ""), trade[0]))
    content = {
        "criterions": [
            {"label": c.label, "tag": c.tag, "icon": c.icon, "weight": c.weight, "key": c.key}
            | ({"subLabel": c.sub_label} if c.sub_label else {})
            for c in CRITERIA
        ],
        "regions": regions[0]["json"] if regions else [],
        "codeRomes": [{"key": key, "label": label} for key, label in trades],
    }
    return orjson.dumps(content)


@router.post("/search", response_model=Found, response_model_exclude_unset=True)
async def search(request: Request, body: Search) -> Response:
    """Cities for a trade, ten from `index` on: those where it is wanted most first."""
    release = release_of(request)
    levels, regions, criteria = _asked(release, body)
    ranks, found, total = release.places.search(levels, regions, criteria, body.sortBy, body.index)
    offers = release.offers.of_cities(release.cities.codes[ranks], romes(body.codeRome))
    cities = []
    for rank, level, number in zip(ranks, found, offers, strict=True):
        region = release.region(rank)
        more = {"newRegion.name": region.get("name"), "newRegion.code": region.get("code"), "citiesJobs.number": number}
        cities.append(release.city(rank, more if levels is None else more | {"bassin.tensions.ind_t": ind_t(level)}))
    content = b'{"list":[%b],"total":%d,"index":%d}' % (b",".join(cities), total, body.index)
    return respond(request, release, content)


@router.post("/search-basins", response_model=list[FoundBasin], response_model_exclude_unset=True)
async def search_basins(request: Request, body: Search) -> Response:
    """The basins where a search finds cities, for a map: those of all its pages. `index` and `sortBy` do not matter."""
    release = release_of(request)
    levels, regions, criteria = _asked(release, body)
    cities = release.cities
    basins = [
        {
            "bassin_id": basin,
            "bassin_name": release.basins.names.get(basin),
            "cities": count,
            "insee_com": cities.insees[rank],
            "latitude": float(cities.latitudes[rank]),
            "longitude": float(cities.longitudes[rank]),
        }
        | ({} if levels is None else {"ind_t": ind_t(level)})
        for basin, level, rank, count in release.places.in_basins(levels, regions, criteria)
    ]
    return respond(request, release, orjson.dumps(basins))  # NaN, the unknown, is null


def _asked(release: Release, body: Search) -> tuple[Array | None, set[int] | None, list[str]]:
    """What a search asks for: the level of each basin (None: any basin will do), regions (None: all), criteria."""
    in_tension = body.onlySearchInTension
    levels = release.tensions.levels(romes(body.codeRome), body.opportunity) if in_tension else None
    return levels, _regions(body.codeRegion), [key for key in (body.codeCity, body.codeEnvironment) if key]


def _regions(asked: Iterable[int | str]) -> set[int] | None:
    """The codes of the regions that are asked for; None for all. What is no number is no region; -1 has no city."""
    texts = [str(code).strip() if isinstance(code, str) else code for code in asked]
    if not texts:
        return None
    return {code if isinstance(code, int) else int(code) if re.fullmatch("[0-9]{1,9}", code) else -1 for code in texts}


@router.get("/load/{insee}", response_model=LoadedCity, responses=RESPONSES | NOT_FOUND)
async def load(request: Request, insee: str) -> Response:
    """A city with all its columns, its facilities, its region and its department."""
    release = release_of(request)
    rank = rank_of(release, insee)
    return respond(request, release, release.made(_load, release.cities.insees[rank]))


def _load(release: Release, insee: str) -> bytes:
    city = release.cities.row(release.cities.ranks[insee])
    city["nom_comm"] = NO_DISTRICTS.sub("", (city["nom_comm"] or "").replace("--", "-"))
    city["newRegion"] = release.regions.get(city["new_code_region"])
    city["departement"] = release.departements.get(city["code_dept"])
    return orjson.dumps(city)[:-1] + b',"equipments":' + release.facilities.of_city(insee) + b"}"


@router.post("/autocomplete", response_model=list[CityName])  # type: ignore[valid-type]
async def autocomplete(request: Request, body: Autocomplete) -> Response:
    """The first ten cities whose name begins so, by name; then by postal code, and districts."""
    release = release_of(request)
    found = [_chosen(release, rank, CityName) for rank in release.cities.named(body.query)]
    return respond(request, release, orjson.dumps(found))


def _chosen(release: Release, rank: int, model: Any) -> dict[str, Any]:
    """The columns of a city that a model has."""
    row = release.cities.row(rank)
    return {name: row[name] for name in model.model_fields}


@router.post("/search-by-skill", response_model=list[JobTitle])
async def search_by_skill(request: Request, body: SkillSearch) -> Response:
    """Ten job titles, the best match first."""
    release = release_of(request)
    found = [{"codeRome": rome, "label": label} for rome, label in release.titles.search(body.label)]
    return respond(request, release, orjson.dumps(found))


@router.post("/search-close-cities", response_model=list[CloseCity])
async def search_close_cities(request: Request, body: CloseCities) -> Response:
    """The six most populous cities around a point."""
    release = release_of(request)
    near = release.cities.near(body.latitude, body.longitude, fold(body.inseeCode or "").upper())
    cities = [
        release.city(rank, {"newRegion.name": release.region(rank).get("name"), "distance": distance})
        for rank, distance in near
    ]
    return respond(request, release, b"[%b]" % b",".join(cities))


@router.post("/search-similar-cities", response_model=Similar)
async def search_similar_cities(request: Request, body: SimilarCities) -> Response:
    """Six cities like the given one where the trade is in tension too, and on what they are alike."""
    release = release_of(request)
    given, cities = body.city, release.cities
    kind = kind_of(given.population, given.distance_from_sea, given.z_moyen)
    if given.insee_com is not None:
        itself = cities.codes == code(fold(given.insee_com).upper())
    else:
        itself = cities.ids == (given.id if given.id in range(2**31) else -1)
    alike = release.places.like(kind, release.tensions.levels(romes(body.codeRome)), itself)
    result = [_chosen(release, rank, SimilarCity) for rank in alike]
    return respond(request, release, orjson.dumps({"result": result, "criterions": kind}))
