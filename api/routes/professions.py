"""Offers, salaries and companies: what France Travail's services answer now, kept thin."""

import asyncio
from collections.abc import Awaitable
from typing import Any, cast

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import select

from api.database import Snapshot
from api.live import Live
from api.middleware import log
from api.models import (
    CloseCompanies,
    Companies,
    Offers,
    OffersCount,
    OffersCounts,
    OffersSearch,
    Problem,
    TradeInfo,
    TradeSearch,
)
from api.responses import as_json, database_of
from resources.errors import ServiceError
from warehouse import tables
from warehouse.geography import DISTRICT_PREFIXES, FIRST_DISTRICTS

RETRY_SECONDS = 10
LIVE_TAG = "France Travail, live"
RESPONSES: dict[int | str, dict[str, Any]] = {
    503: {"description": "France Travail does not answer now, or credentials are not set", "model": Problem}
}

router = APIRouter(tags=[LIVE_TAG], responses=RESPONSES)


@router.post("/professions/search", response_model=Offers)
async def search(request: Request, body: OffersSearch) -> Response:
    """Job offers of trades around communes, as Offres d'emploi gives them, and how many there are."""
    return _json(Offers, await _needed(_offers(_live(request), body.codeRome, body.insee, count_only=False)))


@router.post("/professions/searchCountList", response_model=list[OffersCount])
async def search_count_list(request: Request, body: OffersCounts) -> Response:
    """How many offers there are around each list of communes; null where that is not known now."""
    live = _live(request)
    asked = [_offers(live, body.codeRome, insee, count_only=True) for insee in body.inseeList]
    found = await _parts(*asked)
    counts = [
        {"insee": insee, "total": counted and counted["totalOffres"]}
        for insee, counted in zip(body.inseeList, found, strict=True)
    ]
    return _json(list[OffersCount], counts)


@router.post("/professions/infos-travail", response_model=TradeInfo)
async def infos_travail(request: Request, body: TradeSearch) -> Response:
    """Salaries of a trade, its tension in the basin and the department of a commune, and the basin's hiring rate; a
    part that is not known, or not now, is null.
    """
    live, rome = _live(request), body.codeRome
    client = live.client
    place = await run_in_threadpool(database_of(request).read, lambda snapshot: _place(snapshot, body))
    basin, dept = str(place["bassinId"] or ""), place["department"]
    salaries, in_basin, in_department, hired = await _parts(
        live.ask("market", ("salaries", rome), lambda: client.salaries(rome)),
        live.ask("market", ("BASBMO", rome, basin), lambda: client.tension(rome, "BASBMO", basin)) if basin else None,
        live.ask("market", ("DEP", rome, dept), lambda: client.tension(rome, "DEP", dept)) if dept else None,
        live.ask("hiring", (rome, basin), lambda: client.hiring_rate(rome, basin)) if basin else None,
    )
    least, most = salaries or (None, None)
    found = {
        "bassinId": place["bassinId"],
        "bassinTensionIndT": place["ind_t"],
        "min": least,
        "max": most,
        "bassinTension": in_basin,
        "deptTension": in_department,
        "hiringRate": hired,
    }
    return _json(TradeInfo, found)


@router.post("/cities/search-close-companies", response_model=Companies)
async def search_close_companies(request: Request, body: CloseCompanies) -> Response:
    """Companies around a commune that are likely to hire in trades, as La Bonne Boîte tells."""
    live = _live(request)
    romes = (body.codeRome,) if isinstance(body.codeRome, str) else tuple(body.codeRome)
    insee, by_distance = FIRST_DISTRICTS.get(body.insee, body.insee), body.sort == "distance"
    asked = live.ask(
        "companies",
        (romes, insee, by_distance),
        lambda: live.client.companies(romes, insee, by_distance=by_distance),
    )
    return _json(Companies, await _needed(asked))


def _offers(live: Live, romes: list[str], insees: list[str], *, count_only: bool) -> Awaitable[Any]:
    # of Paris, Lyon and Marseille the service knows the districts
    communes = tuple(dict.fromkeys(FIRST_DISTRICTS.get(insee, insee) for insee in insees))
    key = (tuple(romes), communes, count_only)
    return live.ask("offers", key, lambda: live.client.offers(romes, communes, count_only=count_only))


def _place(snapshot: Snapshot, body: TradeSearch) -> dict[str, Any]:
    """Basin and department of a commune, and the trade's lowest `ind_t` in the basin; what is not known is None."""
    bassins, tensions, cities = tables.bassins.c, tables.tensions.c, tables.cities.c
    whole = next((c for c, districts in DISTRICT_PREFIXES.items() if body.insee.startswith(districts)), None)
    codes = [body.insee, *([whole] if whole else [])]
    connection = snapshot.connection
    basin = connection.scalar(
        select(bassins.bassin_id).where(bassins.code_commune_insee.in_(codes), bassins.deleted_at.is_(None)).limit(1)
    )
    ind_t = select(tensions.ind_t).where(
        tensions.bassin_id == basin, tensions.rome == body.codeRome, tensions.deleted_at.is_(None)
    )
    department = select(cities.code_dept).where(cities.insee_com == body.insee)
    return {
        "bassinId": basin,
        "ind_t": connection.scalar(ind_t.order_by(tensions.ind_t).limit(1)),
        "department": connection.scalar(department),
    }


def _live(request: Request) -> Live:
    """The services, if they can be asked at all."""
    live = cast(Live, request.app.state.live)
    if not live.client.has_credentials:
        raise HTTPException(
            503, "France Travail is not asked here: MOBIVILLE_FT_CLIENT_ID and MOBIVILLE_FT_CLIENT_SECRET are not set"
        )
    return live


async def _needed(asked: Awaitable[Any]) -> Any:
    """An answer without which there is none."""
    try:
        return await asked
    except ServiceError as error:
        log.warning('{"outside": "%s"}', type(error).__name__)
        raise HTTPException(
            503, "France Travail does not answer this now", {"Retry-After": str(RETRY_SECONDS)}
        ) from error


async def _parts(*asked: Awaitable[Any] | None) -> list[Any]:
    """Each answer, None for what is not asked and for what failed."""
    found = await asyncio.gather(*(_or_none(part) for part in asked))
    return list(found)


async def _or_none(asked: Awaitable[Any] | None) -> Any:
    if asked is None:
        return None
    try:
        return await asked
    except ServiceError as error:
        log.warning('{"outside": "%s"}', type(error).__name__)
        return None


def _json(kind: Any, found: object) -> Response:
    return Response(as_json(kind, found), media_type="application/json", headers={"Cache-Control": "no-store"})
