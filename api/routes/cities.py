"""Cities: which to choose, what each is like, and those near it or like it."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from sqlalchemy import RowMapping, Select, Table, bindparam, func, select

from api.database import Snapshot
from api.models import (
    Autocomplete,
    CityName,
    CloseCities,
    CloseCity,
    Criterions,
    Found,
    FoundBasin,
    JobTitle,
    LoadedCity,
    Search,
    Similar,
    SimilarCities,
    SkillSearch,
)
from api.responses import NOT_FOUND, RESPONSES, Packed, answer, as_json, packed_answer
from api.search import tension
from api.search.places import Tension, kind_of, places
from api.search.text import fold
from api.search.titles import titles
from warehouse import tables
from warehouse.codes import COMMUNE
from warehouse.criteria import CRITERIA

router = APIRouter(prefix="/cities", tags=["cities"], responses=RESPONSES)

NO_DISTRICTS = "-1ER-ARRONDISSEMENT"


@router.get("/criterions", response_model=Criterions, response_model_exclude_unset=True)
def criterions(request: Request) -> Response:
    """What the first page needs: criteria, regions with their trades, and the trades by label."""
    return packed_answer(request, _criterions)


def _criterions(snapshot: Snapshot) -> Packed:
    regions = snapshot.connection.execute(select(tables.regions_tensions_criterions.c.json)).scalar()
    romes = sorted(snapshot.once(tension.labels).items(), key=lambda rome: (fold(rome[1] or ""), rome[0]))
    content = {
        "criterions": [
            {"label": c.label, "tag": c.tag, "icon": c.icon, "weight": c.weight, "key": c.key}
            | ({"subLabel": c.sub_label} if c.sub_label else {})
            for c in CRITERIA
        ],
        "regions": regions or [],
        "codeRomes": [{"key": key, "label": label} for key, label in romes],
    }
    return Packed.of(as_json(Criterions, content, left_out=True))


@router.post("/search", response_model=Found, response_model_exclude_unset=True)
def search(request: Request, body: Search) -> Response:
    """Cities for a trade, ten from `index` on: those where it is wanted most first."""
    return answer(request, Found, lambda snapshot: _search(snapshot, body))


def _search(snapshot: Snapshot, body: Search) -> dict[str, Any]:
    indices, regions, criteria = _asked(snapshot, body)
    index = body.index or 0
    page, total = snapshot.once(places).search(indices, regions, criteria, body.sortBy, index)
    insees = [place.insee for place in page]
    rows = _cities(snapshot, insees)
    offers = _offers(snapshot, insees, tension.codes(body.codeRome or []))
    found = []
    for place in page:
        city = {**rows[place.insee], "citiesJobs.number": offers.get(place.insee)}
        if indices is not None:
            city["bassin.tensions.ind_t"] = indices[place.basin or 0]
        found.append(city)
    return {"list": found, "total": total, "index": index}


@router.post("/search-basins", response_model=list[FoundBasin], response_model_exclude_unset=True)
def search_basins(request: Request, body: Search) -> Response:
    """The basins where a search finds cities, for a map: those of all its pages. `index` and `sortBy` do not matter."""
    return answer(request, list[FoundBasin], lambda snapshot: _search_basins(snapshot, body))


def _search_basins(snapshot: Snapshot, body: Search) -> list[dict[str, Any]]:
    indices, regions, criteria = _asked(snapshot, body)
    names = snapshot.once(tension.basins)
    return [
        {
            "bassin_id": basin,
            "bassin_name": names.get(basin),
            "cities": count,
            "insee_com": place.insee,
            "latitude": place.latitude,
            "longitude": place.longitude,
        }
        | ({} if indices is None else {"ind_t": indices[basin]})
        for basin, (place, count) in sorted(snapshot.once(places).basins(indices, regions, criteria).items())
    ]


def _asked(snapshot: Snapshot, body: Search) -> tuple[Tension | None, set[int] | None, list[str]]:
    """What a search asks for: the tension in each basin (None: any basin will do), regions (None: all), criteria."""
    in_tension = body.onlySearchInTension is not False
    indices = tension.lowest(snapshot, tension.codes(body.codeRome or []), body.opportunity) if in_tension else None
    return indices, _regions(body.codeRegion), [key for key in (body.codeCity, body.codeEnvironment) if key]


def _regions(asked: Iterable[int | str] | None) -> set[int] | None:
    """The codes of the regions that are asked for; None for all. What is no number is no region; -1 has no city."""
    texts = [str(code).strip() if isinstance(code, str) else code for code in asked or [] if code != ""]
    if not texts:
        return None
    return {code if isinstance(code, int) else int(code) if re.fullmatch("[0-9]{1,9}", code) else -1 for code in texts}


_CITIES = (
    select(
        tables.cities,
        tables.new_regions.c.name.label("newRegion.name"),
        tables.new_regions.c.code.label("newRegion.code"),
    )
    .join_from(
        tables.cities, tables.new_regions, tables.new_regions.c.code == tables.cities.c.new_code_region, isouter=True
    )
    .where(tables.cities.c.insee_com.in_(bindparam("insees", expanding=True)))
)


def _cities(snapshot: Snapshot, insees: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The rows of cities with the name and the code of their region, by INSEE code."""
    found = snapshot.connection.execute(_CITIES, {"insees": insees}).mappings() if insees else ()
    return {row["insee_com"]: dict(row) for row in found}


_OFFERS = (
    select(tables.cities_jobs.c.insee_code, func.sum(tables.cities_jobs.c.number))
    .where(
        tables.cities_jobs.c.insee_code.in_(bindparam("insees", expanding=True)),
        tables.cities_jobs.c.rome_id.in_(bindparam("romes", expanding=True)),
    )
    .group_by(tables.cities_jobs.c.insee_code)
)


def _offers(snapshot: Snapshot, insees: Sequence[str], romes: Sequence[str]) -> dict[str, int]:
    """Offers of the trades per city, number; a city without any is not there."""
    if not (insees and romes):
        return {}
    return dict(snapshot.connection.execute(_OFFERS, {"insees": insees, "romes": romes}).all())


def _rows(snapshot: Snapshot, query: Select[Any]) -> Sequence[RowMapping]:
    return snapshot.connection.execute(query).mappings().all()


@router.get(
    "/load/{insee}", response_model=LoadedCity, response_model_exclude_unset=True, responses=RESPONSES | NOT_FOUND
)
def load(request: Request, insee: str) -> Response:
    """A city with all that is known of it: its facilities, its region, its department."""
    return answer(request, LoadedCity, lambda snapshot: _load(snapshot, fold(insee).upper()), may_miss=True)


def _load(snapshot: Snapshot, insee: str) -> dict[str, Any]:
    def rows_of(table: Table, column: str, value: object) -> list[dict[str, Any]]:
        query = select(table).where(table.c[column] == value).order_by(*table.primary_key)
        return [dict(row) for row in _rows(snapshot, query)]

    found = rows_of(tables.cities, "insee_com", insee) if re.fullmatch(COMMUNE, insee) else []
    if not found:
        raise HTTPException(404, "no city has this INSEE code")
    city = found[0]
    name = re.sub(NO_DISTRICTS, "", (city["nom_comm"] or "").replace("--", "-"), flags=re.IGNORECASE)
    regions = rows_of(tables.new_regions, "code", city["new_code_region"])
    departements = rows_of(tables.departements, "code", city["code_dept"])
    return city | {
        "nom_comm": name,
        "equipments": rows_of(tables.equipments, "depcom", insee),
        "newRegion": regions[0] if regions else None,
        "departement": departements[0] if departements else None,
    }


@router.post("/autocomplete", response_model=list[CityName])  # type: ignore[valid-type]
def autocomplete(request: Request, body: Autocomplete) -> Response:
    """The first ten cities whose name begins so, by name."""

    def work(snapshot: Snapshot) -> list[dict[str, Any]]:
        insees = snapshot.once(places).beginning_with(body.query)
        rows = _cities(snapshot, insees)
        return [{name: rows[insee][name] for name in CityName.model_fields} for insee in insees]

    return answer(request, list[CityName], work)  # type: ignore[valid-type]


@router.post("/search-by-skill", response_model=list[JobTitle])
def search_by_skill(request: Request, body: SkillSearch) -> Response:
    """Ten job titles, the best match first."""

    def work(snapshot: Snapshot) -> list[dict[str, str]]:
        return [{"codeRome": rome, "label": label} for rome, label in snapshot.once(titles).search(body.label)]

    return answer(request, list[JobTitle], work)


@router.post("/search-close-cities", response_model=list[CloseCity])
def search_close_cities(request: Request, body: CloseCities) -> Response:
    """The six most populous cities around a point."""

    def work(snapshot: Snapshot) -> list[dict[str, Any]]:
        but = fold(body.inseeCode or "").upper()
        near = snapshot.once(places).near(body.latitude, body.longitude, but)
        rows = _cities(snapshot, [place.insee for place, _ in near])
        return [rows[place.insee] | {"distance": distance} for place, distance in near]

    return answer(request, list[CloseCity], work)


@router.post("/search-similar-cities", response_model=Similar)
def search_similar_cities(request: Request, body: SimilarCities) -> Response:
    """Six cities like the given one where the trade is in tension too, and on what they are alike."""

    def work(snapshot: Snapshot) -> dict[str, Any]:
        kind = kind_of(body.city.population, body.city.distance_from_sea, body.city.z_moyen)
        where = tension.lowest(snapshot, tension.codes([body.codeRome]))
        alike = snapshot.once(places).like(kind, where, body.city.id)
        rows = _cities(snapshot, [place.insee for place in alike])
        result = [{name: rows[place.insee][name] for name in ("id", "insee_com", "nom_comm")} for place in alike]
        return {"result": result, "criterions": kind}

    return answer(request, Similar, work)
