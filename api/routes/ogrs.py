"""Job titles (OGR) of the trades in tension."""

import orjson
from fastapi import APIRouter, Request, Response

from api.models import Ogr
from api.release import Release
from api.responses import RESPONSES, release_of, respond

router = APIRouter(prefix="/ogrs", tags=["job titles"], responses=RESPONSES)


@router.get("", response_model=list[Ogr])
async def ogrs(request: Request) -> Response:
    """All job titles of the ROMEs of tensions."""
    release = release_of(request)
    return respond(request, release, release.made(ogrs_of))


def ogrs_of(release: Release) -> bytes:
    """The job titles, as JSON."""
    known, labels = release.tensions.labels, release.labels
    titles = release.titles.listed
    return orjson.dumps(
        [{"rome": rome, "romeLabel": labels.get(rome), "ogrLabel": label} for rome, label in titles if rome in known]
    )
