"""What a browser is shown: the page of `web/page/` at `/`, and the routes at `/docs`, from this host alone."""

import re
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

FILES = Path(__file__).parents[2] / "web" / "page"
POLICY = (
    "default-src 'self'; img-src 'self' https://upload.wikimedia.org; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""No script, style or request but our own; a city's photo comes from Wikimedia once the reader asks for it."""
DOCS_FILES = "docs-files"
"""Swagger UI, which explains the routes in a browser."""
DOCS_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data:; "
    "script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'"
)

router = APIRouter(include_in_schema=False)


@router.get("/")
async def page() -> FileResponse:
    """The page where one sees what the warehouse serves."""
    return FileResponse(FILES / "index.html", headers={"Content-Security-Policy": POLICY})


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """The routes, to read and to try."""
    shown = get_swagger_ui_html(
        openapi_url="openapi.json",
        title=request.app.title,
        swagger_js_url=f"{DOCS_FILES}/swagger-ui-bundle.js",
        swagger_css_url=f"{DOCS_FILES}/swagger-ui.css",
        swagger_favicon_url=f"{DOCS_FILES}/favicon.png",
    )
    shown.headers["Content-Security-Policy"] = DOCS_POLICY
    return shown


@router.get("/openapi.json")
async def openapi(request: Request) -> JSONResponse:
    """The routes, described for programs; each is called by the first sentence of its description."""
    described = request.app.openapi()
    for routes in described["paths"].values():
        for route in routes.values():
            route["summary"] = re.split(r"\.(?:\s|$)", route["description"])[0].replace("\n", " ")
    return JSONResponse(described)


def add_files_to(app: FastAPI) -> None:
    """What the pages ask for."""
    app.mount("/page", StaticFiles(directory=FILES))
    app.mount(f"/{DOCS_FILES}", StaticFiles(packages=[("fastapi_offline", "static")]))
