"""What a browser is shown: the page of `web/page/` at `/`, and the routes at `/docs`, from this host alone."""

import re
from base64 import b64encode
from hashlib import sha256
from html import escape
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from resources.settings import Settings

FILES = Path(__file__).parents[2] / "web" / "page"
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in (FILES.parent / "texts").glob("*.html")}
UNNAMED = "[non renseigné]"
"""What a legal page says where a setting of the operator is not set."""
INDEX = (FILES / "index.html").read_text(encoding="utf-8")
_STYLE = "".join(re.findall("<style>(.*?)</style>", INDEX, re.DOTALL))
FIRST_STYLE = b64encode(sha256(_STYLE.encode()).digest()).decode()
"""Of the few rules that stand in the page itself, for its first words."""
POLICY = (
    f"default-src 'self'; style-src 'self' 'sha256-{FIRST_STYLE}'; img-src 'self' https://upload.wikimedia.org; "
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


@router.get("/mentions-legales")
async def legal(request: Request) -> HTMLResponse:
    """Who publishes and who hosts the site."""
    return _text(request, "legal", "Mentions légales")


@router.get("/accessibilite")
async def accessibility(request: Request) -> HTMLResponse:
    """How accessible the site is, and whom to write to."""
    return _text(request, "accessibility", "Déclaration d’accessibilité")


def missing(request: Request) -> HTMLResponse:
    """What a browser sees at an address that there is not."""
    return _text(request, "missing", "Page introuvable", 404)


def _text(request: Request, name: str, title: str, status: int = 200) -> HTMLResponse:
    """A text of `web/texts/`."""
    settings: Settings = request.app.state.settings
    told = {"name": settings.operator_name, "contact": settings.operator_contact, "host": settings.operator_host}
    operator = {key: escape(value or UNNAMED) for key, value in told.items()}
    return framed(request, title, TEXTS[name].format(up=_up(request), **operator), status=status)


def framed(request: Request, title: str, text: str, *, kind: str = "reading", status: int = 200) -> HTMLResponse:
    """HTML in the page's own look, which needs no JavaScript. `kind`: class of what it is in: `reading`, `single`."""
    shown = TEXTS["frame"].format(up=_up(request), title=title, text=text, kind=kind)
    return HTMLResponse(shown, status, {"Content-Security-Policy": POLICY})


def _up(request: Request) -> str:
    """The way from an address to that of the page."""
    return "../" * (request.scope["raw_path"].count(b"/") - 1) or "./"


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
    app.mount("/page", GZipMiddleware(StaticFiles(directory=FILES), compresslevel=9))  # asked for once per browser
    app.mount(f"/{DOCS_FILES}", StaticFiles(packages=[("fastapi_offline", "static")]))
