"""`mobiville api` as a process of its own, and a client that keeps its connection."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.api.releases import looks

SEEN_SECONDS = 10
"""Until then a swap, or a database that is away or back, is seen."""


class Server:
    """The API, started on a free port of this machine."""

    command: tuple[str, ...] = (str(Path(sys.executable).parent / "mobiville"), "api")

    def __init__(self, folder: Path, url: str, *options: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.log = folder / f"api-{self.port}.log"
        self.folder = folder
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("MOBIVILLE_")}
        self.environment |= {"MOBIVILLE_API_DATABASE_URL": url}
        self.arguments = [*self.command, "--port", str(self.port), *options]
        self.start()

    def start(self) -> None:
        """Start it, at the same port as before if it was stopped, and wait until it listens."""
        started = time.monotonic()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                self.arguments,
                env=self.environment,
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while not self._listens():
            assert self.process.poll() is None, self.log.read_text("utf-8")
            assert time.monotonic() - started < 30, "the API did not start in half a minute"
            time.sleep(0.02)
        self.seconds_to_start = time.monotonic() - started

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> int:
        """Tell it to end, and wait; its exit code. It and its workers are killed when it does not."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise


class Client:
    """One kept connection."""

    def __init__(self, server: Server) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, dict[str, str]]:
        """Status, body (JSON where it is), headers in lower case."""
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body)
        self.connection.request(method, path, sent, {"Content-Type": "application/json", **headers})
        answer = self.connection.getresponse()
        content = answer.read()
        is_json = answer.headers.get_content_type() == "application/json" and content
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, json.loads(content) if is_json else content, found


class Load:
    """Clients that ask, each on its own connection, with a pause (seconds) before each request, and note what they got.

    A connection that is closed ends its client; half an answer is an exception of the thread, which pytest reports.
    """

    def __init__(self, server: Server, clients: int, pause: float = 0) -> None:
        self.server, self.pause, self.ended = server, pause, threading.Event()
        self.statuses: Counter[int] = Counter()
        self.closed = 0
        self.mixed: list[Any] = []
        self.seen: set[str] = set()
        self.threads = [threading.Thread(target=self._ask, args=(n,)) for n in range(clients)]
        for thread in self.threads:
            thread.start()

    def _ask(self, first: int) -> None:
        client, asked = Client(self.server), list(looks().items())
        while not self.ended.wait(self.pause):
            first += 1
            (method, path, body), release_of = asked[first % len(asked)]
            try:
                status, answer, headers = client.ask(method, path, body.encode() or None)
            except ConnectionError:
                self.closed += 1
                return
            self.statuses[status] += 1
            if status == 200:
                said = release_of(answer)
                self.seen |= said
                if said != {headers["x-release"]}:
                    self.mixed.append((path, headers["x-release"], said))

    def end(self) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join(30)


def serves(client: Client, number: int) -> bool:
    """Whether it serves this release by now."""
    return bool(client.ask("GET", "/health")[1]["release"] == number)


def within(seconds: float, condition: Callable[[], bool]) -> None:
    """Wait until something is so, at most so long."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, f"it is not so after {seconds} s"
        time.sleep(0.05)
