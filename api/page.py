"""The page where one sees what the warehouse serves: files of `web/page/`, as they are."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles

FILES = Path(__file__).parents[1] / "web" / "page"
POLICY = (
    "default-src 'self'; img-src 'self' data: https://upload.wikimedia.org; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""No script, style or request but our own; a city's photo comes from Wikimedia once the reader asks for it."""


def add_to(app: FastAPI) -> None:
    """The page at `/`, its files under `/page`."""

    async def page() -> FileResponse:
        return FileResponse(
            FILES / "index.html", headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
        )

    app.add_api_route("/", page, methods=["GET", "HEAD"], include_in_schema=False, response_model=None)
    app.mount("/page", StaticFiles(directory=FILES))
