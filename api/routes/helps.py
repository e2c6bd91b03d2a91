"""Mobility aids."""

from fastapi import APIRouter, HTTPException, Request, Response
from sqlalchemy import select

from api.database import Snapshot
from api.models import Help, HelpPreview
from api.responses import NOT_FOUND, RESPONSES, answer
from api.search.text import fold
from warehouse import tables

router = APIRouter(prefix="/helps", tags=["aids"], responses=RESPONSES)


@router.get("/get-previews", response_model=list[HelpPreview])  # type: ignore[valid-type]
def previews(request: Request) -> Response:
    """All aids, in short."""

    def work(snapshot: Snapshot) -> list[dict[str, object]]:
        columns = [tables.helps.c[name] for name in HelpPreview.model_fields]
        query = select(*columns).order_by(tables.helps.c.id)
        return [dict(row) for row in snapshot.connection.execute(query).mappings()]

    return answer(request, list[HelpPreview], work)  # type: ignore[valid-type]


@router.get("/get-previews/{slug}", response_model=Help, responses=RESPONSES | NOT_FOUND)
def preview(request: Request, slug: str) -> Response:
    """An aid, whole. Its views are not counted here: the API never writes."""

    def work(snapshot: Snapshot) -> dict[str, object]:
        number = snapshot.once(_ids).get(fold(slug))
        query = select(tables.helps).where(tables.helps.c.id == number)
        row = snapshot.connection.execute(query).mappings().first()
        if row is None:
            raise HTTPException(404, "no aid has this slug")
        return dict(row)

    return answer(request, Help, work, may_miss=True)


def _ids(snapshot: Snapshot) -> dict[str, int]:
    """The id of each aid by its slug, folded."""
    query = select(tables.helps.c.slug, tables.helps.c.id).where(tables.helps.c.slug.is_not(None))
    return {fold(slug): number for slug, number in snapshot.connection.execute(query)}
