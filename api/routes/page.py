"""The page where one sees what the warehouse serves: files of `web/page/`, as they are."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse
from starlette.staticfiles import StaticFiles

FILES = Path(__file__).parents[2] / "web" / "page"
POLICY = (
    "default-src 'self'; img-src 'self' https://upload.wikimedia.org; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""No script, style or request but our own; a city's photo comes from Wikimedia once the reader asks for it."""
CACHE = "no-cache"
"""Keep it, but ask each time whether it is still so: a new version of the page is seen at once, and whole."""


class Files(StaticFiles):
    """Files that a browser keeps, and asks for again by their ETag."""

    def file_response(self, *args: Any, **options: Any) -> Response:
        """The file, or 304."""
        response = super().file_response(*args, **options)
        response.headers["Cache-Control"] = CACHE
        return response


def add_to(app: FastAPI) -> None:
    """The page at `/`, its files under `/page`."""

    async def page() -> FileResponse:
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": CACHE}
        return FileResponse(FILES / "index.html", headers=headers)

    app.add_api_route("/", page, methods=["GET", "HEAD"], include_in_schema=False, response_model=None)
    app.mount("/page", Files(directory=FILES))
