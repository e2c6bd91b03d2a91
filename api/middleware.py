"""What happens around every request: one address per thing, its id, its log line, its measures, its headers.

A log line holds nothing of the person who asks: no address, no text that was typed, and of the path only its pattern.
"""

import json
import logging
import re
import time
import uuid
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""On every answer that does not have them already."""
INTERNAL = "/metrics"
"""Is not served under /api as well: the proxy strips one /api, and must not reach it through a second."""

log = logging.getLogger("mobiville.api")


class Measures:
    """Requests and their seconds, by method, route and status."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("method", "route", "status")
        self.requests = Counter("mobiville_api_requests", "Requests answered", labels, registry=registry)
        self.seconds = Histogram(
            "mobiville_api_seconds",
            "Time to answer, seconds",
            labels[:2],
            registry=registry,
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5),
        )


class RequestLogMiddleware:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, measures: Measures) -> None:
        self.app, self.measures = app, measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; see the module."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked, answered = Headers(scope=scope), _Answered(time.perf_counter())
        answered.identity = _identity(asked.get("x-request-id", ""))
        is_head = scope["method"] == "HEAD"
        inner = _normalized(scope, asked)

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered.start(message)
            elif is_head:
                message = {**message, "body": b""}
            else:
                answered.size += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(inner, receive, send_on)
        finally:
            self._record(scope["method"], getattr(inner.get("route"), "path", "none"), answered)

    def _record(self, method: str, route: str, answered: "_Answered") -> None:
        """Measure and log a request that was answered."""
        seconds = time.perf_counter() - answered.started
        method = method if method in ("GET", "POST", "OPTIONS", "HEAD") else "other"
        self.measures.requests.labels(method, route, str(answered.status)).inc()
        self.measures.seconds.labels(method, route).observe(seconds)
        line = {"request": answered.identity, "method": method, "route": route, "status": answered.status}
        line |= {"ms": round(seconds * 1000, 2), "bytes": answered.size, "release": answered.release}
        log.info(json.dumps(line))


@dataclass
class _Answered:
    """What is known of a response; nothing was sent yet where its status is still 500."""

    started: float
    identity: str = ""
    status: int = 500
    size: int = 0
    release: str = ""

    def start(self, message: Message) -> None:
        """Note the status and the release, and add the headers that every response has."""
        self.status = message["status"]
        headers = MutableHeaders(scope=message)
        headers["X-Request-ID"] = self.identity
        for name, value in SECURITY.items():
            headers.setdefault(name, value)
        if "accept-encoding" not in headers.get("vary", "").lower():
            headers.add_vary_header("Accept-Encoding")
        self.release = headers.get("x-release", "")


def _normalized(scope: Scope, headers: Headers) -> Scope:
    """The request without /api and trailing slash, HEAD as GET; Accept-Encoding is gzip or not there."""
    path = scope["path"].rstrip("/") or "/"
    if path.startswith("/api/") and path.removeprefix("/api") != INTERNAL:
        path = path.removeprefix("/api")
    inner = {**scope, "path": path, "method": "GET" if scope["method"] == "HEAD" else scope["method"]}
    if encodings := headers.get("accept-encoding"):
        inner["headers"] = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
        inner["headers"] += [(b"accept-encoding", b"gzip")] if accepts_gzip(encodings) else []
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
