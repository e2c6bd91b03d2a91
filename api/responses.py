"""Responses: JSON of the held release, with its headers, or 304 where the client has it already."""

from typing import Any

from fastapi import HTTPException, Request, Response

from api.database import NotServedError
from api.models import Problem
from api.release import Ready, Release, Served
from api.search.text import fold
from warehouse.errors import MobivilleError

RESPONSES: dict[int | str, dict[str, Any]] = {
    304: {"description": "If-None-Match names the served release"},
    503: {"description": "No release is held yet; Retry-After says when to ask again", "model": Problem},
}
NOT_NOW = {"Retry-After": "5", "Cache-Control": "no-store"}
"""Headers of a 503: when to ask again (seconds)."""
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such thing", "model": Problem}}
OF_A_CITY = NOT_FOUND | {308: {"description": "A former code; Location is that of the commune now"}}


def served_of(request: Request) -> Served:
    """The release that this application holds, and whether the database is away."""
    served: Served = request.app.state.served
    return served


def release_of(request: Request) -> Release:
    """The release that the request is answered from. Raises NotServedError where none is held."""
    release = served_of(request).release
    if release is None:
        raise NotServedError
    return release


def respond(request: Request, release: Release, content: bytes | Ready) -> Response:
    """JSON of the release; 304 when the client has that release's answers already."""
    headers = _headers(request, release)
    given = request.headers.get("if-none-match", "").replace("W/", "").split(",")
    if not {"*", release.etag.removeprefix("W/")}.isdisjoint(tag.strip() for tag in given):  # weak: compressed or not
        return Response(status_code=304, headers=headers)
    if isinstance(content, Ready):
        is_packed = "gzip" in request.headers.get("accept-encoding", "")
        headers = headers | {"Content-Encoding": "gzip"} if is_packed else headers
        content = content.gzipped if is_packed else content.plain
    return Response(content, headers=headers, media_type="application/json")


class MovedError(MobivilleError):
    """A code was asked for that a commune had before; `current` is that of the commune now."""

    def __init__(self, current: str) -> None:
        super().__init__(current)
        self.current = current


async def moved(request: Request, error: MovedError) -> Response:
    """308 to the address that ends with the present code. Relative: the proxy has stripped what stood before."""
    asked = request.scope["raw_path"].decode("ascii", "replace")
    up = "../" * (len(asked) - len(asked.rstrip("/")))  # a trailing slash is a part more
    return Response(status_code=308, headers=_headers(request, release_of(request)) | {"Location": up + error.current})


def _headers(request: Request, release: Release) -> dict[str, str]:
    return release.headers | ({"X-Database": "away"} if served_of(request).is_away else {})


def rank_of(release: Release, insee: str) -> int:
    """The rank of the city with this INSEE code, in any case. Raises MovedError for a former code, HTTPException 404
    where there is none.
    """
    asked = fold(insee).upper()
    rank = release.cities.ranks.get(asked)
    if rank is None:
        if current := release.former.current.get(asked):
            raise MovedError(current)
        raise HTTPException(404, "no city has this INSEE code")
    return rank
