"""What work there is in a city: offers and tension by trade."""

import re
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from sqlalchemy import func, select

from api.database import Snapshot
from api.models import Trades
from api.responses import NOT_FOUND, RESPONSES, answer
from api.search.tension import basins
from api.search.text import fold
from warehouse import tables
from warehouse.codes import COMMUNE

router = APIRouter(prefix="/cities", tags=["cities"], responses=RESPONSES)


@router.get("/trades/{insee}", response_model=Trades, responses=RESPONSES | NOT_FOUND)
def trades(request: Request, insee: str) -> Response:
    """The trades of a city that have offers there, or a tension in its basin: those with most offers first."""
    return answer(request, Trades, lambda snapshot: _trades(snapshot, fold(insee).upper()), may_miss=True)


def _trades(snapshot: Snapshot, insee: str) -> dict[str, Any]:
    city, basin, offer, tension = (
        table.c for table in (tables.cities, tables.bassins, tables.cities_jobs, tables.tensions)
    )

    def pairs(first: Any, second: Any, *conditions: Any) -> dict[Any, Any]:
        return dict(
            snapshot.connection.execute(select(first, second).where(*conditions).group_by(first)).tuples().all()
        )

    known = select(city.id).where(city.insee_com == insee)
    if not re.fullmatch(COMMUNE, insee) or snapshot.connection.execute(known).first() is None:
        raise HTTPException(404, "no city has this INSEE code")
    where = snapshot.connection.execute(
        select(basin.bassin_id).where(basin.code_commune_insee == insee, basin.deleted_at.is_(None))
    ).scalar()
    offers = pairs(offer.rome_id, func.sum(offer.number), offer.insee_code == insee)
    indices = pairs(tension.rome, func.min(tension.ind_t), tension.bassin_id == where, tension.deleted_at.is_(None))
    labels = snapshot.once(_labels)
    romes = sorted(offers.keys() | indices.keys(), key=lambda rome: (-int(offers.get(rome, 0)), rome))
    return {
        "bassin_id": where,
        "bassin_name": snapshot.once(basins).get(where) if where else None,
        "trades": [
            {"codeRome": rome, "label": labels.get(rome), "number": offers.get(rome), "ind_t": indices.get(rome)}
            for rome in romes
        ],
    }


def _labels(snapshot: Snapshot) -> dict[str, str]:
    """The label of each ROME code of the referential."""
    return dict(snapshot.connection.execute(select(tables.rome_codes.c.code, tables.rome_codes.c.label)).all())
