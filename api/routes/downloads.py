"""The files to download: what there is, the files themselves, and what each column holds, on a page."""

import html
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from api.middleware import DOWNLOADS
from api.models import Downloads
from api.responses import NOT_FOUND
from api.routes.pages import framed
from warehouse.datapackage import KINDS, LATEST, Package, latest, packages

router = APIRouter(tags=["downloads"], responses=NOT_FOUND)

FACTS = ("table", "description", "path", "format", "mediatype", "rows", "bytes", "hash")
TYPES = {"string": "texte", "integer": "nombre entier", "number": "nombre", "date": "date"}
ENGLISH = 'lang="en"'
"""Of what `warehouse/tables.py` says, for screen readers; tables are described once, for people and programs alike."""
HEAD = ("Colonne", "Contenu", "Type", "Unité", "Source", "Exemple", "Part de vides")
TITLE = "Dictionnaire des données"
INTRODUCTION = """<h1>{heading}</h1>
<p>{title}, version {version}, publiée le {created}. <a href="downloads/latest/datapackage.json">Description pour les
programmes</a>, <a href="downloads">fichiers</a>. Les descriptions et les unités sont en anglais.</p>"""


@router.get("/downloads", response_model=Downloads)
def downloads(request: Request) -> JSONResponse:
    """The files of the newest release: each table as Parquet and as CSV, where it is, its size, its sha256; whose data.

    Addresses begin after this one. Those under `latest` are always those of the newest release; those under a number
    stay while that release is kept.
    """
    package = _latest(request)
    folder = f"downloads/{package['version']}"
    files = [
        {name: file[name] for name in FACTS} | {"path": f"{folder}/{file['path']}"} for file in package["resources"]
    ]
    sources = {of["title"]: of for file in package["resources"] for of in file.get("sources", [])}
    return JSONResponse(
        {
            "release": int(package["version"]),
            "published_at": package["created"],
            "sample": package["sample"],
            "latest": f"downloads/{LATEST}",
            "releases": list(packages(_folder(request))),
            "files": files,
            "sources": list(sources.values()),
        }
    )


@router.get("/dictionary", include_in_schema=False)
def dictionary(request: Request) -> HTMLResponse:
    """Every table and column of the newest release, for a browser: type, unit, source, example, share of NULLs."""
    package = _latest(request)
    found = [_table(file) for file in package["resources"] if file["format"] == "csv"]
    said = {name: html.escape(package[name]) for name in ("title", "version")} | {"created": package["created"][:10]}
    return framed(request, TITLE, INTRODUCTION.format(heading=TITLE, **said) + "".join(found), kind="single")


def _table(file: Package) -> str:
    """A table of the page."""
    head = "".join(f'<th scope="col">{name}</th>' for name in HEAD)
    rows = "".join(f"<tr>{_cells(field, file['rows'])}</tr>" for field in file["schema"]["fields"])
    who = "; ".join(f"{of['title']} ({of['publisher']}, {of['licence']})" for of in file.get("sources", []))
    name = html.escape(file["table"])
    return (
        f'<section><h2 id="{name}">{name}</h2><p {ENGLISH}>{html.escape(file["description"])}.</p>'
        f"<p>{file['rows']} lignes. Sources : {html.escape(who) or 'aucune'}.</p>"
        f'<div class="wide" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        "</section>"
    )


def _cells(field: Package, rows: int) -> str:
    """A column of a table, as a row of the page."""
    cells = (
        (field["name"], ""),
        (field["description"], f" {ENGLISH}"),
        (TYPES[field["type"]], ""),
        (field.get("unit", ""), f" {ENGLISH}"),
        (", ".join(field.get("sources", [])), ""),
        (str(field.get("example", "")), ""),
        (f"{field['nulls'] / rows:.0%}" if rows else "", ""),
    )
    return "".join(f"<td{language}>{html.escape(cell)}</td>" for cell, language in cells)


class _Files(StaticFiles):
    """Files of a folder, a Parquet file with its own media type, which Python's list lacks."""

    def file_response(self, full_path: Any, *arguments: Any, **named: Any) -> Response:
        response = super().file_response(full_path, *arguments, **named)
        if str(full_path).endswith(".parquet"):
            response.headers["Content-Type"] = KINDS["parquet"]["mediatype"]
        return response


def add_files_to(app: FastAPI, folder: Path) -> None:
    """The files, in parts too."""
    app.state.exports = folder
    files = _Files(directory=folder, check_dir=False)
    files.config_checked = True  # the first refresh makes the folder
    app.mount(DOWNLOADS, files)


def _folder(request: Request) -> Path:
    folder: Path = request.app.state.exports
    return folder


def _latest(request: Request) -> Package:
    package = latest(_folder(request))
    if package is None:
        raise HTTPException(404, "no files are there yet: a refresh writes them, and `mobiville export`")
    return package
