"""What happens around every request: one address per thing, its id, its log line, its measures, its headers.

A log line holds nothing of the person who asks: no address, no text that was typed, and of the path only its pattern.
"""

import json
import logging
import re
import time
import uuid
from typing import Any

from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""On every answer that does not have them already."""
INTERNAL = "/metrics"
"""Is not served under /api as well: the proxy strips one /api, and must not reach it through a second."""

DOWNLOADS = "/downloads"
"""Below it are files, which are answered as they are, never compressed: a part of one is asked for by its bytes."""

log = logging.getLogger("mobiville.api")


LABELS = ("method", "route", "status")
REQUESTS = Counter("mobiville_api_requests", "Requests answered", LABELS)
BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5)
SECONDS = Histogram("mobiville_api_seconds", "Time to answer, seconds", LABELS[:2], buckets=BUCKETS)


class RequestLogMiddleware:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; see the module."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, asked = time.perf_counter(), Headers(scope=scope)
        inner, method = _normalized(scope, asked), scope["method"]
        identity = _identity(asked.get("x-request-id", ""))
        noted: dict[str, Any] = {"request": identity, "status": 500, "bytes": 0, "release": ""}

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = _completed(message, identity)
                noted.update(status=message["status"], release=headers.get("x-release", ""))
            elif method == "HEAD":
                message = {**message, "body": b""}
            else:
                noted["bytes"] += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(inner, receive, send_on)
        finally:
            seconds = time.perf_counter() - started
            method = method if method in ("GET", "POST", "OPTIONS", "HEAD") else "other"
            route = getattr(inner.get("route"), "path", "none")
            REQUESTS.labels(method, route, str(noted["status"])).inc()
            SECONDS.labels(method, route).observe(seconds)
            log.info(json.dumps(noted | {"method": method, "route": route, "ms": round(seconds * 1000, 2)}))


def _completed(message: Message, identity: str) -> MutableHeaders:
    """The headers of a response, with those that every one has."""
    headers = MutableHeaders(scope=message)
    headers["X-Request-ID"] = identity
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    vary = dict.fromkeys(filter(None, headers.get("vary", "").split(", "))) | {"Accept-Encoding": None}
    headers["Vary"] = ", ".join(vary)
    return headers


def _normalized(scope: Scope, headers: Headers) -> Scope:
    """The request without /api and trailing slash, HEAD as GET but for files; Accept-Encoding is gzip or not there."""
    path = scope["path"].rstrip("/") or "/"
    if path.startswith("/api/") and path.removeprefix("/api") != INTERNAL:
        path = path.removeprefix("/api")
    is_file = path.startswith(f"{DOWNLOADS}/")
    inner = {**scope, "path": path, "method": "GET" if scope["method"] == "HEAD" and not is_file else scope["method"]}
    if encodings := headers.get("accept-encoding"):
        inner["headers"] = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
        inner["headers"] += [(b"accept-encoding", b"gzip")] if accepts_gzip(encodings) and not is_file else []
    return inner


def accepts_gzip(header: str) -> bool:
    """Whether an Accept-Encoding names gzip (or anything), and not with a weight of 0."""
    weights = {}
    for part in header.lower().split(","):
        name, _, parameters = part.partition(";")
        weights[name.strip()] = not re.fullmatch(r"\s*q=0(\.0*)?\s*", parameters)
    return weights.get("gzip", weights.get("*", False))


def _identity(given: str) -> str:
    """The id that the proxy gave the request, where it is one; else a new one."""
    return given if re.fullmatch(r"[\w.-]{8,64}", given, re.ASCII) else uuid.uuid4().hex
