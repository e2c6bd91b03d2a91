"""What is served, and whether."""

from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.exc import SQLAlchemyError

from api.database import NotServedError, Snapshot
from api.models import Health, ReleaseOut
from api.responses import RESPONSES, answer, as_json
from warehouse.record import recorded

router = APIRouter(tags=["release"], responses=RESPONSES)


@router.get("/health", response_model=Health, responses={503: {"model": Health}})
def health(request: Request) -> Response:
    """Whether the API serves a release: 200, else 503."""

    def work(snapshot: Snapshot) -> dict[str, Any]:
        return {"status": "ok", "release": snapshot.stamp.id, "published_at": snapshot.stamp.published_at}

    try:
        return answer(request, Health, work)
    except NotServedError:
        return _not_well("no release")
    except SQLAlchemyError:
        return _not_well("database away")


def _not_well(why: str) -> Response:
    content = as_json(Health, {"status": why, "release": None, "published_at": None})
    return Response(content, 503, {"Retry-After": "5", "Cache-Control": "no-store"}, "application/json")


@router.get("/release", response_model=ReleaseOut)
def release(request: Request) -> Response:
    """The served release: its tables, their rows, and the files that each was made from."""

    def work(snapshot: Snapshot) -> dict[str, Any]:
        found, *earlier = recorded(snapshot.connection, limit=2)
        before = earlier[0].tables if earlier else {}
        of_tables = [
            {
                "table": t.name,
                "rows": t.rows,
                "rows_before": before[t.name].rows if t.name in before else None,
                "changed": t.name not in before or before[t.name].sha256 != t.sha256,
                "loaded_at": t.loaded_at,
                "sources": [vars(s) for s in t.sources],
            }
            for t in found.tables.values()
        ]
        return {**{name: getattr(found, name) for name in ReleaseOut.model_fields}, "tables": of_tables}

    return answer(request, ReleaseOut, work)
