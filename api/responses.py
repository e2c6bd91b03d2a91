"""Answers: from the warehouse, with the release they come from, or 304 where the client has them already."""

import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from fastapi import Request, Response
from pydantic import TypeAdapter

from api.database import Database, Snapshot, Stamp
from api.models import Problem

CACHE = "public, no-cache"
"""Keep it, but ask each time whether it is still so: the next request sees a new release."""
GZIP_LEVEL = 9
"""For answers that are compressed once per release."""

RESPONSES: dict[int | str, dict[str, Any]] = {
    304: {"description": "If-None-Match names the served release"},
    503: {"description": "No release is served, or the database is away; Retry-After says when to ask again",
          "model": Problem},
}  # fmt: skip
NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"description": "There is no such thing", "model": Problem}}


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def as_json(kind: Any, content: object, *, left_out: bool = False) -> bytes:
    """The content as the JSON of a model, checked against it; fields that were not given may be left out."""
    adapter = _adapter(kind)
    return adapter.dump_json(adapter.validate_python(content), by_alias=True, exclude_unset=left_out)


def answer(request: Request, kind: Any, work: Callable[[Snapshot], object], *, may_miss: bool = False) -> Response:
    """What the work finds in the served release, as JSON of `kind`; 304 when the client has that release's already.

    `may_miss`: the work may find nothing and raise 404, so it is done before 304 is thought of.
    """

    def respond(snapshot: Snapshot) -> Response:
        found = work(snapshot)
        if may_miss and _has(request, snapshot.stamp):
            return _unchanged(snapshot.stamp)
        content = as_json(kind, found, left_out=True)
        return _with_release(Response(content, media_type="application/json"), snapshot.stamp)

    return (None if may_miss else _if_unchanged(request)) or database_of(request).read(respond)


@dataclass(frozen=True)
class Packed:
    """An answer that is the same for everyone, as it is and compressed."""

    plain: bytes
    packed: bytes

    @classmethod
    def of(cls, plain: bytes) -> "Packed":
        """The answer, compressed now."""
        return cls(plain, gzip.compress(plain, GZIP_LEVEL, mtime=0))


def packed_answer(request: Request, make: Callable[[Snapshot], Packed]) -> Response:
    """The answer of `make`, which is worked out once per release; 304 when the client has it already."""

    def respond(snapshot: Snapshot) -> Response:
        content = snapshot.once(make)
        response = Response(content.plain, media_type="application/json")
        if accepts_gzip(request.headers.get("accept-encoding", "")):
            response = Response(content.packed, headers={"Content-Encoding": "gzip"}, media_type="application/json")
        return _with_release(response, snapshot.stamp)

    return _if_unchanged(request) or database_of(request).read(respond)


def accepts_gzip(header: str) -> bool:
    """Whether an Accept-Encoding names gzip (or anything), and not with a weight of 0."""
    weights = {}
    for part in header.lower().split(","):
        name, _, parameters = part.partition(";")
        weights[name.strip()] = not re.fullmatch(r"\s*q=0(\.0*)?\s*", parameters)
    return weights.get("gzip", weights.get("*", False))


def database_of(request: Request) -> Database:
    """The warehouse that this application reads."""
    return cast(Database, request.app.state.database)


def etag(stamp: Stamp) -> str:
    """The entity tag of a release's answers. Weak: it is the same for the compressed form."""
    return f'W/"{stamp.id}"'


def _has(request: Request, stamp: Stamp) -> bool:
    given = request.headers.get("if-none-match", "")
    tags = {tag.strip().removeprefix("W/") for tag in given.split(",")}
    return "*" in tags or etag(stamp).removeprefix("W/") in tags


def _if_unchanged(request: Request) -> Response | None:
    """304 when the client has the served release: all that is asked of the database is which one that is."""
    if "if-none-match" not in request.headers:
        return None
    served = database_of(request).served()
    return _unchanged(served) if _has(request, served) else None


def _unchanged(stamp: Stamp) -> Response:
    return _with_release(Response(status_code=304), stamp)


def _with_release(response: Response, stamp: Stamp) -> Response:
    response.headers["ETag"] = etag(stamp)
    response.headers["X-Release"] = str(stamp.id)
    response.headers["Cache-Control"] = CACHE
    return response
