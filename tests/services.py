"""A real HTTP server on the loopback that stands in for an outside service, faults included."""

import json
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What is answered. delay: seconds before it; drip: seconds before each byte; cut: bytes after which the connection
    is reset; claimed: a Content-Length that the body does not have.
    """

    content: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drip: float = 0.0
    cut: int | None = None
    claimed: int | None = None

    @property
    def body(self) -> bytes:
        return self.content if isinstance(self.content, bytes) else json.dumps(self.content).encode()


@dataclass(frozen=True)
class File:
    """A file with an ETag, which may be asked for in part and on conditions. cut: of the whole file, at the first try
    of each part, the connection is reset after so many bytes; drip: seconds between pieces of 64 kB.
    """

    content: bytes
    etag: str = '"1"'
    cut: int | None = None
    drip: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)

    def answer(self, asked: Asked) -> Answer:
        headers = {"ETag": self.etag, "Content-Type": "application/octet-stream", **self.headers}
        if asked.headers.get("if-none-match") == self.etag:
            return Answer(status=304, headers=headers)
        part = re.fullmatch(r"bytes=(\d+)-", asked.headers.get("range", ""))
        if part and asked.headers.get("if-range") == self.etag:
            start, size = int(part[1]), len(self.content)
            if start >= size:
                return Answer(status=416, headers={**headers, "Content-Range": f"bytes */{size}"})
            headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
            return Answer(self.content[start:], 206, headers, cut=self.cut, drip=self.drip)
        return Answer(self.content, 200, headers, cut=self.cut, drip=self.drip)


Scripted = Answer | File | Callable[[Asked], Answer]


class Service:
    """The server. `on` scripts a path: its answers are given in turn, the last one for ever."""

    def __init__(self, tls: Path | None = None) -> None:
        self.asked: list[Asked] = []
        self._script: dict[str, list[Scripted]] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        scheme = "http"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def on(self, path: str, *answers: Scripted) -> None:
        self._script[path] = list(answers)

    def answer(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
            script = self._script.get(asked.path)
            if not script:
                return Answer({"error": "nothing here"}, 404)
            found = script.pop(0) if len(script) > 1 else script[0]
        if isinstance(found, File):
            return found.answer(asked)
        return found if isinstance(found, Answer) else found(asked)

    def asked_for(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def addresses(outside: Service) -> dict[str, str]:
    """Settings under which every client asks the service, and nobody else, without waits."""
    return {
        "mirror": outside.url,
        "ft_client_id": "PAR_mobiville",
        "ft_client_secret": "hunter2",
        "ft_token_url": f"{outside.url}/token",
        "ft_api_url": outside.url,
        "wikidata_url": f"{outside.url}/sparql",
        "wikipedia_url": f"{outside.url}/w/api.php",
        "pace": "0",
        "http_pause": "0.001",
    }


@contextmanager
def service(tls: Path | None = None) -> Iterator[Service]:
    """A service that ends with the block."""
    running = Service(tls)
    try:
        yield running
    finally:
        running.close()


def _handler(owner: Service) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            self._send(owner.answer(Asked(self.command, parts.path, query, headers, body)))

        do_POST = do_GET  # noqa: N815

        def _send(self, answer: Answer) -> None:
            time.sleep(answer.delay)
            body = answer.body
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            if answer.status not in (204, 304):
                self.send_header("Content-Length", str(len(body) if answer.claimed is None else answer.claimed))
            self.end_headers()
            try:
                self._body(answer, body)
            except OSError:
                self.close_connection = True

        def _body(self, answer: Answer, body: bytes) -> None:
            sent = body if answer.cut is None else body[: answer.cut]
            step = 1 if answer.drip and len(body) < 1000 else 1 << 16
            for start in range(0, len(sent), step):
                self.wfile.write(sent[start : start + step])
                time.sleep(answer.drip)
            self.wfile.flush()
            if answer.cut is not None and answer.cut < len(body):
                time.sleep(0.02)  # a reset takes with it what the other side has not read yet
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True
            if answer.claimed is not None:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Silent."""

    return Handler
