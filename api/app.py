"""The application: the routes, at `/` and at `/api`, and what happens around them."""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from api.database import Database, NotServedError
from api.live import Live
from api.middleware import INTERNAL, RequestLogMiddleware, log
from api.release import Served
from api.responses import NOT_NOW, MovedError, moved, served_of
from api.routes import cities, downloads, lists, pages, professions, release
from resources.settings import Settings

PREPARED = (lists.criterions_of, lists.ogrs_of, release.release_of_record)
"""Large answers that are made with each release, before it is served."""
MOST_BYTES = 1_000_000
"""Of a request's body; more is answered 413."""


def create_app(url: str | None = None) -> FastAPI:
    """The application on a warehouse: by default MOBIVILLE_API_DATABASE_URL, else MOBIVILLE_WAREHOUSE_URL."""
    settings = Settings()
    served = Served(Database(url or settings.api_database_url or settings.warehouse_url), PREPARED)
    live = Live(settings)
    _log_to_stdout()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(served.look)
        looking = asyncio.create_task(served.look_on())
        yield
        live.close()
        looking.cancel()
        await asyncio.wait([looking])
        served.database.close()

    app = FastAPI(
        title="Mobiville",
        version=version("mobiville-warehouse"),
        description="Where a trade is wanted in France, and what life is like there: what the warehouse serves.",
        openapi_url=None,  # these two come from this host alone: see api/routes/pages.py
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would lose the /api that the proxy strips
        lifespan=lifespan,
        middleware=MIDDLEWARE,
        exception_handlers=HANDLERS,
    )
    app.state.settings, app.state.served, app.state.live = settings, served, live
    for room in (cities, lists, professions, release, downloads, pages):
        app.include_router(room.router)
    app.add_api_route(INTERNAL, _metrics, include_in_schema=False)
    pages.add_files_to(app)
    downloads.add_files_to(app, settings.exports)
    return app


MIDDLEWARE = [  # from the outermost layer to the innermost
    Middleware(RequestLogMiddleware),
    Middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD", "POST"],
        allow_headers=["Content-Type", "If-None-Match", "X-Request-ID"],
        expose_headers=["ETag", "X-Database", "X-Release", "X-Request-ID", "Retry-After", "Content-Range"],
        max_age=86_400,
    ),
    Middleware(GZipMiddleware, minimum_size=1_000, compresslevel=1),
    Middleware(RequestBodyLimitMiddleware, max_body_size=MOST_BYTES),
]


async def _metrics() -> Response:
    """Requests, their seconds, and the process, for Prometheus."""
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # several workers: the sum of what each has written there
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _log_to_stdout() -> None:
    """One JSON object per line."""
    if not log.handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("%(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False


async def _wrong(_request: Request, error: RequestValidationError) -> JSONResponse:
    """Names each field and repeats nothing of what was sent, which may not even be text."""
    detail = [{"loc": found["loc"], "msg": found["msg"], "type": found["type"]} for found in error.errors()]
    message = "; ".join(f"{'.'.join(map(str, found['loc'][1:])) or 'body'}: {found['msg']}" for found in detail)
    return JSONResponse({"message": message, "detail": detail}, 422)


async def _refused(request: Request, error: HTTPException) -> Response:
    is_page = "route" not in request.scope and not request.scope["raw_path"].startswith(b"/api/")
    if error.status_code == 404 and is_page and "text/html" in request.headers.get("accept", ""):
        return pages.missing(request)
    status = 422 if error.status_code == 400 else error.status_code  # a body that is no JSON, in any way
    return JSONResponse({"message": error.detail}, status, error.headers)


async def _not_served(request: Request, _error: NotServedError) -> JSONResponse:
    is_away = served_of(request).is_away
    message = "the database does not answer, and no release is held" if is_away else "no release is served yet"
    return JSONResponse({"message": message}, 503, NOT_NOW)


HANDLERS: Any = {
    RequestValidationError: _wrong,
    HTTPException: _refused,
    NotServedError: _not_served,
    MovedError: moved,
}
"""Each error is answered by `{message, …}`; a commune that is in another now is none."""
