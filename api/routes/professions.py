"""Offers, salaries and companies: what France Travail's services answer now, kept thin.

What the warehouse knows is always answered. What a service does not answer now, or is not asked for want of
credentials, is empty or null, and `unavailable` is true.
"""

import asyncio
import json
import re
from collections.abc import Awaitable
from functools import partial
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from api.bodies import CloseCompanies, OffersCounts, OffersSearch, TradeSearch
from api.live import Live
from api.middleware import log
from api.models import Companies, Offers, OffersCount, TradeInfo
from api.release import Release
from api.responses import release_of, served_of
from api.search.tension import ind_t
from resources.errors import NoCredentialsError, ServiceError
from warehouse.geography import DISTRICT_PREFIXES, FIRST_DISTRICTS

COMPANY_PAGE = "https://annuaire-entreprises.data.gouv.fr/etablissement/"
"""The State's page of any company, by its SIRET."""
LIVE_TAG = "France Travail, live"

router = APIRouter(tags=[LIVE_TAG])


@router.post("/professions/search", response_model=Offers)
async def search(request: Request, body: OffersSearch) -> Response:
    """Job offers of trades around communes, as Offres d'emploi gives them, and how many there are."""
    (found,), missing = await _parts(_offers(request, body.codeRome, body.insee, count_only=False))
    return _json((found or {"resultats": [], "totalOffres": None}) | missing)


@router.post("/professions/searchCountList", response_model=list[OffersCount])
async def search_count_list(request: Request, body: OffersCounts) -> Response:
    """How many offers there are around each list of communes; null where that is not known now."""
    asked = [_parts(_offers(request, body.codeRome, insee, count_only=True)) for insee in body.inseeList]
    counts = [
        {"insee": insee, "total": found and found["totalOffres"]} | missing
        for insee, ((found,), missing) in zip(body.inseeList, await asyncio.gather(*asked), strict=True)
    ]
    return _json(counts)


@router.post("/professions/infos-travail", response_model=TradeInfo)
async def infos_travail(request: Request, body: TradeSearch) -> Response:
    """Salaries of a trade, its tension in the basin and the department of a commune, and the basin's hiring rate; a
    part that is not known, or not now, is null.
    """
    live, rome = request.app.state.live, body.codeRome
    client = live.client
    number, level, dept = _place(release_of(request), body)
    basin = str(number or "")
    (salaries, in_basin, in_department, hired), missing = await _parts(
        live.ask("market", ("salaries", rome), partial(client.salaries, rome)),
        live.ask("market", ("BASBMO", rome, basin), partial(client.tension, rome, "BASBMO", basin)) if basin else None,
        live.ask("market", ("DEP", rome, dept), partial(client.tension, rome, "DEP", dept)) if dept else None,
        live.ask("hiring", (rome, basin), partial(client.hiring_rate, rome, basin)) if basin else None,
    )
    least, most = salaries or (None, None)
    found = {"bassinId": number, "bassinTensionIndT": level, "min": least, "max": most}
    found |= {"bassinTension": in_basin, "deptTension": in_department, "hiringRate": hired}
    return _json(found | missing)


def _place(release: Release, body: TradeSearch) -> tuple[int | None, int | None, str]:
    """Basin of a commune (of a district: its city's), the trade's lowest `ind_t` there, department; None: not known."""
    of_commune, ranks = release.basins.of_commune, release.cities.ranks
    insee = release.former.now(body.insee)
    whole = next((c for c, districts in DISTRICT_PREFIXES.items() if insee.startswith(districts)), "")
    basin = of_commune.get(insee) or of_commune.get(whole)
    level = ind_t(int(release.tensions.levels([body.codeRome])[basin])) if basin else None
    department = release.cities.row(ranks[insee])["code_dept"] if insee in ranks else None
    return basin, level, department or ""


@router.post("/cities/search-close-companies", response_model=Companies)
async def search_close_companies(request: Request, body: CloseCompanies) -> Response:
    """Companies around a commune that are likely to hire in trades, as La Bonne Boîte tells."""
    live, romes = request.app.state.live, tuple(body.codeRome)
    insee, by_distance = _known_outside(request, body.insee), body.sort == "distance"
    question = partial(live.client.companies, romes, insee, by_distance=by_distance)
    (found,), missing = await _parts(live.ask("companies", (romes, insee, by_distance), question))
    if found is None:
        return _json({"companies": [], "companies_count": None} | missing)
    companies = [company | {"url": _page_of(company)} for company in found["companies"]]
    return _json(found | {"companies": companies})


def _page_of(company: dict[str, Any]) -> str | None:
    """Where a company is shown: as the service says, else by its SIRET; None where it has none."""
    url, siret = company.get("url"), str(company.get("siret") or "")
    if isinstance(url, str) and url.startswith(("https://", "http://")):
        return url
    return COMPANY_PAGE + siret if re.fullmatch("[0-9]{14}", siret) else None


def _known_outside(request: Request, insee: str) -> str:
    """A commune as the services outside know it: of a former code that of the commune now, of Paris, Lyon and Marseille
    their first district.
    """
    release = served_of(request).release
    now = release.former.now(insee) if release else insee
    return FIRST_DISTRICTS.get(now, now)


def _offers(request: Request, romes: list[str], insees: list[str], *, count_only: bool) -> Awaitable[Any]:
    live: Live = request.app.state.live
    communes = tuple(dict.fromkeys(_known_outside(request, insee) for insee in insees))
    key = (tuple(romes), communes, count_only)
    return live.ask("offers", key, partial(live.client.offers, romes, communes, count_only=count_only))


async def _parts(*asked: Awaitable[Any] | None) -> tuple[list[Any], dict[str, bool]]:
    """Each answer, None for what is not asked or failed; and what to add where one failed."""
    outcomes = await asyncio.gather(*(part for part in asked if part is not None), return_exceptions=True)
    answers = iter(outcomes)
    found = [None if part is None else next(answers) for part in asked]
    failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    for error in failed:
        if not isinstance(error, ServiceError):
            raise error
        if not isinstance(error, NoCredentialsError):
            log.warning(json.dumps({"outside": type(error).__name__}))
    answered = [None if isinstance(outcome, BaseException) else outcome for outcome in found]
    return answered, {"unavailable": True} if failed else {}


def _json(found: object) -> Response:
    return Response(orjson.dumps(found), media_type="application/json", headers={"Cache-Control": "no-store"})
