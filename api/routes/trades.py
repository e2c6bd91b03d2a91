"""What work there is in a city: offers and tension by trade."""

import orjson
from fastapi import APIRouter, Request, Response

from api.models import Trades
from api.responses import NOT_FOUND, RESPONSES, rank_of, release_of, respond

router = APIRouter(prefix="/cities", tags=["cities"], responses=RESPONSES)


@router.get("/trades/{insee}", response_model=Trades, responses=RESPONSES | NOT_FOUND)
async def trades(request: Request, insee: str) -> Response:
    """The trades of a city that have offers there, or a tension in its basin: those with most offers first."""
    release = release_of(request)
    rank = rank_of(release, insee)
    basin = int(release.places.basins[rank]) or None
    offers = release.offers.of_city(release.cities.insees[rank])
    indices = release.tensions.of_basin(basin) if basin else {}
    romes = sorted(offers.keys() | indices.keys(), key=lambda rome: (-offers.get(rome, 0), rome))
    content = {
        "bassin_id": basin,
        "bassin_name": release.basins.names.get(basin) if basin else None,
        "trades": [
            {
                "codeRome": rome,
                "label": release.labels.get(rome),
                "number": offers.get(rome),
                "ind_t": indices.get(rome),
            }
            for rome in romes
        ],
    }
    return respond(request, release, orjson.dumps(content))
