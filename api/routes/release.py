"""What is served, and whether."""

import orjson
from fastapi import APIRouter, Request, Response

from api.models import Health, ReleaseOut
from api.release import JSON, Release
from api.responses import RESPONSES, release_of, respond, served_of

router = APIRouter(tags=["release"], responses=RESPONSES)


@router.get("/health", response_model=Health, responses={503: {"model": Health}})
async def health(request: Request) -> Response:
    """Whether the API serves a release: 200, else 503. While the database is away it serves what it holds."""
    served = served_of(request)
    release, database = served.release, "away" if served.is_away else "ok"
    if release is None:
        status = "database away" if served.is_away else "no release"
        none = {"status": status, "release": None, "published_at": None, "database": database, "sample": False}
        headers = {"Retry-After": "5", "Cache-Control": "no-store"}
        return Response(orjson.dumps(none), 503, headers, "application/json")
    found = {"status": "ok", "release": release.stamp.id, "published_at": release.stamp.published_at}
    found |= {"database": database, "sample": release.is_sample}
    content = orjson.dumps(found, option=JSON)
    if served.is_away:  # without a tag: what is said here passes before the release does
        headers = {"X-Release": str(release.stamp.id), "X-Database": "away", "Cache-Control": "no-store"}
        return Response(content, headers=headers, media_type="application/json")
    return respond(request, release, content)


@router.get("/release", response_model=ReleaseOut)
async def release(request: Request) -> Response:
    """The served release: its tables, their rows, the files that each was made from, and what is missing."""
    release = release_of(request)
    return respond(request, release, release.made(release_json))


def release_json(release: Release) -> bytes:
    """What the record says of the release, as JSON."""
    found = release.record
    before = release.earlier[0].tables if release.earlier else {}
    of_tables = [
        {
            "table": t.name,
            "rows": t.rows,
            "rows_before": before[t.name].rows if t.name in before else None,
            "changed": t.name not in before or before[t.name].sha256 != t.sha256,
            "loaded_at": t.loaded_at,
            "sources": [vars(source) for source in t.sources],
        }
        for t in found.tables.values()
    ]
    head = {"id": found.id, "published_at": found.published_at, "started_at": found.started_at, "status": found.status}
    missing = [{"source": source, "consequence": consequence} for source, consequence in release.missing.items()]
    content = {**head, "sample": release.is_sample, "missing": missing, "tables": of_tables}
    return orjson.dumps(content, option=JSON)
