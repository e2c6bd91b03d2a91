"""Cities: which to choose, what each is like, and those near it or like it."""

import re
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Request, Response

import raw_data
from api.bodies import Autocomplete, CloseCities, Search, SimilarCities, SkillSearch
from api.models import (
    CityName,
    CloseCity,
    FiguresOut,
    Found,
    FoundBasin,
    JobTitle,
    LoadedCity,
    Similar,
    SimilarCity,
    Trades,
)
from api.release import Release
from api.responses import OF_A_CITY, RESPONSES, rank_of, release_of, respond
from api.search.packed import code
from api.search.places import Asked, kind_of
from api.search.tension import ANY_BASIN, ind_t, romes
from api.search.text import fold
from warehouse import tables

router = APIRouter(prefix="/cities", tags=["cities"], responses=RESPONSES)

Insee = Annotated[str, Path(description="INSEE code, in any case", examples=["29019"])]
NO_DISTRICTS = re.compile("-1ER-ARRONDISSEMENT", re.IGNORECASE)


@router.post("/search", response_model=Found)
async def search(request: Request, body: Search) -> Response:
    """Cities for a trade, ten from `index` on: those where it is wanted most first."""
    release = release_of(request)
    ranks, found, total = release.places.search(_asked(release, body), body.sortBy, body.index)
    offers = release.offers.of_cities(release.cities.codes[ranks], romes(body.codeRome))
    cities = []
    for rank, level, number in zip(ranks, found, offers, strict=True):
        region = release.region(rank)
        more = {"newRegion.name": region.get("name"), "newRegion.code": region.get("code"), "citiesJobs.number": number}
        departement = release.departements.get(release.cities.departements[rank], {})
        more |= {"departement.name": departement.get("name")}
        more |= {"bassin.tensions.ind_t": ind_t(level)} if body.onlySearchInTension else {}
        cities.append(release.city(rank, more))
    content = b'{"list":[%b],"total":%d,"index":%d}' % (b",".join(cities), total, body.index)
    return respond(request, release, content)


@router.post("/search-basins", response_model=list[FoundBasin])
async def search_basins(request: Request, body: Search) -> Response:
    """The basins where a search finds cities, for a map: those of all its pages. `index` and `sortBy` do not matter."""
    release = release_of(request)
    cities = release.cities
    basins = [
        {
            "bassin_id": basin,
            "bassin_name": release.basins.names.get(basin),
            "name": release.places.basin_names.get(basin),
            "cities": count,
            "insee_com": cities.insees[rank],
            "latitude": float(cities.latitudes[rank]),
            "longitude": float(cities.longitudes[rank]),
        }
        | ({"ind_t": ind_t(level)} if body.onlySearchInTension else {})
        for basin, level, rank, count in release.places.in_basins(_asked(release, body))
    ]
    return respond(request, release, orjson.dumps(basins))  # NaN, the unknown, is null


def _asked(release: Release, body: Search) -> Asked:
    levels = ANY_BASIN
    if body.onlySearchInTension:
        levels = release.tensions.levels(romes(body.codeRome), body.opportunity)
    regions = {_region(code) for code in body.codeRegion} if body.codeRegion else None
    departements = {fold(code).upper() for code in body.departement} or None
    return Asked(levels, regions, departements, [key for key in (body.codeCity, body.codeEnvironment) if key])


def _region(asked: int | str) -> int:
    """The code of a region; what is no number is no region, and -1 has no city."""
    return int(asked) if isinstance(asked, int) or re.fullmatch(r"\s*[0-9]{1,9}\s*", asked) else -1


@router.get("/load/{insee}", response_model=LoadedCity, responses=OF_A_CITY)
async def load(request: Request, insee: Insee) -> Response:
    """A city with all its columns, its facilities, its region, its department, and the communes that are in it now."""
    release = release_of(request)
    rank = rank_of(release, insee)
    return respond(request, release, release.made(_load, release.cities.insees[rank]))


def _load(release: Release, insee: str) -> bytes:
    city = release.cities.row(release.cities.ranks[insee])
    city["nom_comm"] = NO_DISTRICTS.sub("", (city["nom_comm"] or "").replace("--", "-"))
    city["newRegion"] = release.regions.get(city["new_code_region"])
    city["departement"] = release.departements.get(city["code_dept"])
    own = [{"code": insee, "name": city["former_name"]}] if city["former_name"] else []
    city["former"] = own + release.former.of_city.get(insee, [])
    return orjson.dumps(city | {"equipments": release.facilities.of_city(insee)})


@router.get("/figures/{insee}", response_model=FiguresOut, responses=OF_A_CITY)
async def figures(request: Request, insee: Insee) -> Response:
    """A city's figures beside the medians of France and of its department, and the criteria that it meets."""
    release = release_of(request)
    rank = rank_of(release, insee)
    found = {name: figure | _source(release, name) for name, figure in release.figures.of_city(rank).items()}
    return respond(request, release, orjson.dumps({"criterions": release.figures.criteria(rank), "figures": found}))


def _source(release: Release, column: str) -> dict[str, str | None]:
    """The first of the files which a column of `cities` may come from that the release has: publisher and vintage."""
    info, table = tables.cities.c[column].info, release.record.tables.get("cities")
    vintages = {source.source_id: source.vintage for source in table.sources} if table else {}
    name = next((name for name, _ in (*info["made_from"], *info["source"]) if name in vintages), None)
    return {"publisher": name and raw_data.publisher(name), "vintage": vintages.get(name or "")}


@router.get("/trades/{insee}", response_model=Trades, responses=OF_A_CITY)
async def trades(request: Request, insee: Insee) -> Response:
    """The trades of a city that have offers there, or a tension in its basin: those with most offers first."""
    release = release_of(request)
    rank = rank_of(release, insee)
    basin = int(release.places.basins[rank]) or None
    offers = release.offers.of_city(release.cities.insees[rank])
    levels = release.tensions.of_basin(basin) if basin else {}
    found = [
        {"codeRome": rome, "label": release.labels.get(rome), "number": offers.get(rome), "ind_t": levels.get(rome)}
        for rome in sorted(offers.keys() | levels.keys(), key=lambda rome: (-offers.get(rome, 0), rome))
    ]
    names = {"bassin_name": release.basins.names.get(basin or 0), "name": release.places.basin_names.get(basin or 0)}
    return respond(request, release, orjson.dumps({"bassin_id": basin, **names, "trades": found}))


@router.post("/autocomplete", response_model=list[CityName])  # type: ignore[valid-type]
async def autocomplete(request: Request, body: Autocomplete) -> Response:
    """The first ten cities whose name begins so, by name; then by postal code, districts, and by former names."""
    release = release_of(request)
    found = [_chosen(release, rank, CityName) for rank in release.cities.named(body.query, release.former)]
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
    near = release.cities.near(body.latitude, body.longitude, release.former.now(fold(body.inseeCode or "").upper()))
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
    kind = kind_of(**given.model_dump(include={"population", "distance_from_sea", "z_moyen"}))
    if given.insee_com is not None:
        itself = cities.codes == code(release.former.now(fold(given.insee_com).upper()))
    else:
        itself = cities.ids == (given.id if given.id in range(2**31) else -1)
    alike = release.places.like(kind, release.tensions.levels(romes(body.codeRome)), itself)
    result = [_chosen(release, rank, SimilarCity) for rank in alike]
    return respond(request, release, orjson.dumps({"result": result, "criterions": kind}))
