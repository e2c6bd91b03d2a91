"""The application: the routes, at `/` and at `/api`, and what happens around them."""

import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.exceptions import HTTPException
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from api.database import Database, NotServedError
from api.live import Live
from api.middleware import INTERNAL, Measures, RequestLogMiddleware, log
from api.release import Served
from api.responses import served_of
from api.routes import cities, helps, ogrs, page, professions, release, trades
from resources.settings import Settings

RESOURCES = (cities.router, trades.router, ogrs.router, helps.router, professions.router, release.router)
PREPARED = (cities.criterions_of, ogrs.ogrs_of, release.release_json)
"""Large answers that are made with each release, before it is served."""
MOST_BYTES = 1_000_000
"""Of a request's body; more is answered 413."""
RETRY_SECONDS = 5
"""When to ask again, where the database is away or no release is served."""
DOCS_FILES = "docs-files"
"""Swagger UI, which explains the routes in a browser: from a package, so that no other host is asked."""
DOCS_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data:; "
    "script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'"
)


def create_app(url: str | None = None) -> FastAPI:
    """The application on a warehouse: by default MOBIVILLE_API_DATABASE_URL, else MOBIVILLE_WAREHOUSE_URL."""
    settings = Settings()
    served = Served(Database(url or settings.api_database_url or settings.warehouse_url), PREPARED)
    live = Live(settings)
    _log_to_stdout()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(served.start)
        yield
        live.close()
        await run_in_threadpool(served.close)

    app = FastAPI(
        title="Mobiville",
        version=version("mobiville-warehouse"),
        description="Where a trade is wanted in France, and what life is like there: what the warehouse serves.",
        openapi_url=None,  # these two come from this host alone: see below
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would lose the /api that the proxy strips
        lifespan=lifespan,
    )
    app.state.served = served
    app.state.live = live
    for router in RESOURCES:
        app.include_router(router)
    registry = CollectorRegistry()
    _add_service_routes(app, registry)
    page.add_to(app)
    _add_errors(app)
    _add_middleware(app, registry)
    return app


def _add_middleware(app: FastAPI, registry: CollectorRegistry) -> None:
    """From the innermost layer to the outermost."""
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=MOST_BYTES)
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=1)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD", "POST"],
        allow_headers=["Content-Type", "If-None-Match", "X-Request-ID"],
        expose_headers=["ETag", "X-Database", "X-Release", "X-Request-ID", "Retry-After"],
        max_age=86_400,
    )
    app.add_middleware(RequestLogMiddleware, measures=Measures(registry))


def _log_to_stdout() -> None:
    """One JSON object per line."""
    if not log.handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(logging.Formatter("%(message)s"))
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False


def _add_service_routes(app: FastAPI, registry: CollectorRegistry) -> None:
    for collector in (GCCollector, PlatformCollector, ProcessCollector):
        collector(registry=registry)

    async def metrics() -> Response:
        """Requests, their seconds, and the process, for Prometheus."""
        shown = registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # several workers: the sum of what each has written there
            shown = CollectorRegistry()
            MultiProcessCollector(shown)  # type: ignore[no-untyped-call]
        return Response(generate_latest(shown), media_type=CONTENT_TYPE_LATEST)

    async def docs() -> HTMLResponse:
        page = get_swagger_ui_html(
            openapi_url="openapi.json",
            title=app.title,
            swagger_js_url=f"{DOCS_FILES}/swagger-ui-bundle.js",
            swagger_css_url=f"{DOCS_FILES}/swagger-ui.css",
            swagger_favicon_url=f"{DOCS_FILES}/favicon.png",
        )
        page.headers["Content-Security-Policy"] = DOCS_POLICY
        return page

    async def openapi() -> JSONResponse:
        return JSONResponse(app.openapi())

    app.mount(f"/{DOCS_FILES}", StaticFiles(packages=[("fastapi_offline", "static")]))
    for path, endpoint in ((INTERNAL, metrics), ("/docs", docs), ("/openapi.json", openapi)):
        app.add_api_route(path, endpoint, include_in_schema=False, response_model=None)


def _add_errors(app: FastAPI) -> None:
    """Each error is `{message, …}`; none repeats what was sent, which may not even be text."""

    @app.exception_handler(RequestValidationError)
    async def wrong(_request: Request, error: RequestValidationError) -> JSONResponse:
        detail = [{"loc": found["loc"], "msg": found["msg"], "type": found["type"]} for found in error.errors()]
        message = "; ".join(f"{'.'.join(map(str, found['loc'][1:])) or 'body'}: {found['msg']}" for found in detail)
        return JSONResponse({"message": message, "detail": detail}, 422)

    @app.exception_handler(HTTPException)
    async def refused(_request: Request, error: HTTPException) -> JSONResponse:
        status = 422 if error.status_code == 400 else error.status_code  # a body that is no JSON, in any way
        return JSONResponse({"message": error.detail}, status, error.headers)

    @app.exception_handler(NotServedError)
    async def not_served(request: Request, _error: NotServedError) -> JSONResponse:
        is_away = served_of(request).is_away
        message = "the database does not answer, and no release is held" if is_away else "no release is served yet"
        headers = {"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"}
        return JSONResponse({"message": message}, 503, headers)
