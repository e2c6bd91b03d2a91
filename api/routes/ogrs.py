"""Job titles (OGR) of the trades in tension."""

from fastapi import APIRouter, Request, Response
from sqlalchemy import select

from api.database import Snapshot
from api.models import Ogr
from api.responses import RESPONSES, Packed, as_json, packed_answer
from api.search import tension
from warehouse import tables

router = APIRouter(prefix="/ogrs", tags=["job titles"], responses=RESPONSES)


@router.get("", response_model=list[Ogr])
def ogrs(request: Request) -> Response:
    """All job titles of the ROMEs of tensions."""
    return packed_answer(request, _ogrs)


def _ogrs(snapshot: Snapshot) -> Packed:
    title, rome = tables.romeogrs.c, tables.rome_codes.c
    query = (
        select(title.code_rome.label("rome"), rome.label.label("romeLabel"), title.ogr_label.label("ogrLabel"))
        .join_from(tables.romeogrs, tables.rome_codes, rome.code == title.code_rome, isouter=True)
        .where(title.deleted_at.is_(None))
        .order_by(title.code_rome, title.code_ogr)
    )
    known = snapshot.once(tension.labels)
    rows = [dict(row) for row in snapshot.connection.execute(query).mappings() if row["rome"] in known]
    return Packed.of(as_json(list[Ogr], rows))
