"""What is served, and whether."""

import orjson
from fastapi import APIRouter, Request, Response

from api.models import Health, ReleaseOut
from api.release import JSON, Release
from api.responses import NOT_NOW, RESPONSES, release_of, respond, served_of
from warehouse.record import geography

router = APIRouter(tags=["release"], responses=RESPONSES)


@router.get("/health", response_model=Health, responses={503: {"model": Health}})
async def health(request: Request) -> Response:
    """Whether the API serves a release: 200, else 503. While the database is away it serves what it holds."""
    served = served_of(request)
    release, database = served.release, "away" if served.is_away else "ok"
    status = "ok" if release else "database away" if served.is_away else "no release"
    said = {"status": status, "database": database, "sample": bool(release and release.is_sample)}
    said |= {"release": release and release.id, "published_at": release and release.record.published_at}
    content = orjson.dumps(said, option=JSON)
    if release and not served.is_away:
        return respond(request, release, content)
    # without a tag: what is said here passes before the release does
    headers = NOT_NOW | {"X-Database": database} | ({"X-Release": str(release.id)} if release else {})
    return Response(content, 200 if release else 503, headers, "application/json")


@router.get("/release", response_model=ReleaseOut)
async def release(request: Request) -> Response:
    """The served release: its tables, their rows, the files that each was made from, and what is missing."""
    release = release_of(request)
    return respond(request, release, release.made(release_of_record))


def release_of_record(release: Release) -> bytes:
    """What the record says of the release, as JSON."""
    now, before = release.record, release.earlier[0].tables if release.earlier else {}
    of_tables = [
        {"table": t.name, "rows": t.rows, "loaded_at": t.loaded_at, "sources": [vars(source) for source in t.sources]}
        | {"rows_before": before[t.name].rows if t.name in before else None}
        | {"changed": t.name not in before or before[t.name].sha256 != t.sha256}
        for t in now.tables.values()
    ]
    head = {"id": now.id, "published_at": now.published_at, "started_at": now.started_at, "status": now.status}
    missing = [{"source": source, "consequence": consequence} for source, consequence in release.missing.items()]
    head |= {"geography": geography(now.files), "sample": release.is_sample}
    content = {**head, "missing": missing, "tables": of_tables}
    return orjson.dumps(content, option=JSON)
