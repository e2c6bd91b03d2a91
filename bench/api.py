"""The read API on a real server process: time to answer and requests per second, beside a constant's."""

import json
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
from fastapi import FastAPI, Response

from api.app import create_app
from bench.measure import Row, row
from tests.api.server import Server

ROME = "N1103"
CONNECTIONS = 4
REQUESTS = 400
"""On one connection, one after the other, for the median."""
SECONDS = 2.0
"""With several connections, for the requests per second."""

SEARCH = {"codeRome": [ROME], "index": 0}
ASKED: dict[str, tuple[str, str, Any, dict[str, str], str]] = {
    "search, all France": ("POST", "/cities/search", SEARCH, {}, "under 10 ms"),
    "search, Ile-de-France": ("POST", "/cities/search", SEARCH | {"codeRegion": [11]}, {}, "under 10 ms"),
    "search, by the sea": ("POST", "/cities/search", SEARCH | {"sortBy": "mer", "index": 5_000}, {}, "under 10 ms"),
    "criterions": ("GET", "/cities/criterions", None, {}, "under 2 ms"),
    "criterions, 304": ("GET", "/cities/criterions", None, {"If-None-Match": 'W/"1"'}, "under 1 ms"),
    "a city": ("GET", "/cities/load/29019", None, {}, ""),
    "autocomplete": ("POST", "/cities/autocomplete", {"query": "saint-"}, {}, ""),
    "close cities": ("POST", "/cities/search-close-cities", {"latitude": 48.4, "longitude": -4.5}, {}, ""),
}


def with_constant() -> FastAPI:
    """The application, with a route more that answers a constant."""
    app = create_app()

    @app.get("/constant")
    async def constant() -> Response:
        return Response(b'{"constant": true}', media_type="application/json")

    return app


class WithConstant(Server):
    """`mobiville api`'s server and options, on that application."""

    command = (sys.executable, "-m", "uvicorn", "--factory", "bench.api:with_constant", "--no-access-log")


def measure(place: Mapping[str, str]) -> list[Row]:
    """Milliseconds (median) and requests per second of each request, beside the constant; the start; the memory."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        plain = Server(Path(folder), place["MOBIVILLE_WAREHOUSE_URL"])
        rows.append(row("API: start", plain.seconds_to_start, _empty_start(), "s", "under 2 s"))
        plain.stop()
        server = WithConstant(Path(folder), place["MOBIVILLE_WAREHOUSE_URL"])
        try:
            constant = _Request("GET", "/constant", None, {})
            beside = _median_ms(server, constant), _per_second(server, constant)
            for name, (method, path, body, headers, target) in ASKED.items():
                request = _Request(method, path, body, headers)
                rows.append(row(f"API: {name}", _median_ms(server, request), beside[0], "ms", target))
                rows.append(row("  requests per second", _per_second(server, request), beside[1], "/s", ""))
            memory = psutil.Process(server.process.pid).memory_info().rss / 2**20
            rows.append(row("API: memory after all that", memory, 0, "MiB", "under 150 MB"))
        finally:
            server.stop()
    return rows


def _empty_start() -> float:
    """Seconds in which Python starts and imports what the API stands on."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import fastapi, uvicorn, sqlalchemy, pymysql"], check=True)
    return time.perf_counter() - started


class _Request:
    """A request as bytes."""

    def __init__(self, method: str, path: str, body: Any, headers: dict[str, str]) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        told = {"Host": "bench", "Accept-Encoding": "gzip", "Content-Type": "application/json", **headers}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items())]
        lines += [f"Content-Length: {len(content)}"] if content else []
        self.data = "\r\n".join([*lines, "", ""]).encode() + content


class _Connection:
    """A kept connection that reads just enough of HTTP."""

    def __init__(self, server: Server) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: _Request) -> float:
        """Seconds until the whole answer is there; SystemExit when it is an error."""
        started = time.perf_counter()
        self.socket.sendall(request.data)
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self.socket.recv(65_536)
        head = received[:end].lower()
        status = int(head[9:12])
        length = int(head.partition(b"content-length: ")[2].partition(b"\r")[0] or 0)
        while len(received) < end + 4 + length:
            received += self.socket.recv(65_536)
        if status not in (200, 304):
            raise SystemExit(f"the API answered {status} to {request.data!r}: {received!r}")
        return time.perf_counter() - started


def _median_ms(server: Server, request: _Request) -> float:
    connection = _Connection(server)
    connection.ask(request)  # the first of a release works things out
    return 1_000 * statistics.median(connection.ask(request) for _ in range(REQUESTS))


def _per_second(server: Server, request: _Request) -> float:
    ends = time.perf_counter() + SECONDS
    answered = [0] * CONNECTIONS

    def ask(number: int) -> None:
        connection = _Connection(server)
        while time.perf_counter() < ends:
            connection.ask(request)
            answered[number] += 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(answered) / SECONDS
