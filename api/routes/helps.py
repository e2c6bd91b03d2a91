"""Mobility aids."""

import orjson
from fastapi import APIRouter, HTTPException, Request, Response

from api.models import Help, HelpPreview
from api.release import Release
from api.responses import NOT_FOUND, RESPONSES, release_of, respond
from api.search.text import fold

router = APIRouter(prefix="/helps", tags=["aids"], responses=RESPONSES)


@router.get("/get-previews", response_model=list[HelpPreview])  # type: ignore[valid-type]
async def previews(request: Request) -> Response:
    """All aids, in short."""
    release = release_of(request)
    return respond(request, release, release.made(previews_of))


def previews_of(release: Release) -> bytes:
    """The aids in short, as JSON."""
    rows = release.contents["helps"]
    return orjson.dumps([{name: row[name] for name in HelpPreview.model_fields} for row in rows])


@router.get("/get-previews/{slug}", response_model=Help, responses=RESPONSES | NOT_FOUND)
async def preview(request: Request, slug: str) -> Response:
    """An aid, whole. Its views are not counted here: the API never writes."""
    release = release_of(request)
    if not (row := release.helps.get(fold(slug))):
        raise HTTPException(404, "no aid has this slug")
    return respond(request, release, orjson.dumps(row))
