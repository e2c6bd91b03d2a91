"""`mobiville api` as a process of its own, and a client that keeps its connection."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


class Server:
    """The API, started on a free port of this machine."""

    command: tuple[str, ...] = (str(Path(sys.executable).parent / "mobiville"), "api")

    def __init__(self, folder: Path, url: str, *options: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.log = folder / f"api-{self.port}.log"
        environment = {key: value for key, value in os.environ.items() if not key.startswith("MOBIVILLE_")}
        environment |= {"MOBIVILLE_API_DATABASE_URL": url}
        command = [*self.command, "--port", str(self.port), *options]
        started = time.monotonic()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True
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
