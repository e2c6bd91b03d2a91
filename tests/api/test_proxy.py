"""The proxy's configuration, in a real nginx before the real API."""

import json
import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.api.server import Client, Server
from tests.conftest import ROOT

NGINX = ROOT / "deploy" / "nginx"


def _program(name: str) -> str:
    found = shutil.which(name, path=os.environ["PATH"] + os.pathsep + "/usr/sbin")
    if found is None:
        message = f"{name} is not installed: tools/install_test_programs"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Proxy:
    """nginx on the configuration, with the places and ports of this machine."""

    def __init__(self, folder: Path, server: Server, tls: Path) -> None:
        self.port, self.tls_port, self.folder = _free_port(), _free_port(), folder
        text = (NGINX / "mobiville.conf").read_text("utf-8")
        for there, here in (
            ("api:8000", f"127.0.0.1:{server.port}"),
            ("listen 80;", f"listen 127.0.0.1:{self.port};"),
            ("/etc/nginx/tls", str(tls)),
            ("/dev/stdout", str(folder / "access.log")),
            ("/dev/stderr", str(folder / "error.log")),
        ):
            assert there in text
            text = text.replace(there, here)
        (folder / "mobiville.conf").write_text(text)
        temporary = "".join(
            f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        main = folder / "nginx.conf"
        main.write_text(
            f"daemon off; pid {folder}/pid; error_log {folder}/main.log;\nevents {{ }}\n"
            f"http {{\n{temporary}include {folder}/mobiville.conf;\n}}\n"
        )
        command = [_program("nginx"), "-p", str(folder), "-e", f"{folder}/main.log", "-c", str(main)]
        checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
        self.process = subprocess.Popen(command)
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
            assert self.process.poll() is None
            time.sleep(0.02)

    def client(self) -> Client:
        return Client(self)  # type: ignore[arg-type]  # a port is all that it needs

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture
def proxy(serve: Any, sample_in_sqlite: str, tmp_path: Path) -> Iterator[Proxy]:
    running = Proxy(tmp_path, serve(sample_in_sqlite), NGINX / "no_tls")
    yield running
    running.stop()


def test_api_is_stripped_and_answers_come_compressed_and_whole(proxy: Proxy) -> None:
    client = proxy.client()
    for path in ("/api/release", "/release"):
        status, answer, headers = client.ask("GET", path)
        assert (status, answer["id"]) == (200, 1)
        assert len(headers["x-request-id"]) == 32
    assert client.ask("GET", "/api/release", None, **{"If-None-Match": headers["etag"]})[0] == 304
    assert client.ask("POST", "/api/cities/search", {"codeRome": ["D1102"]})[1]["total"] > 0
    _, packed, headers = client.ask("GET", "/api/helps/get-previews", None, **{"Accept-Encoding": "identity"})
    assert "content-encoding" not in headers
    request = urllib.request.Request(
        f"http://127.0.0.1:{proxy.port}/api/cities/criterions", headers={"Accept-Encoding": "gzip"}
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
    assert packed


def test_metrics_are_not_for_outside_and_large_bodies_are_refused(proxy: Proxy) -> None:
    client = proxy.client()
    for path in ("/metrics", "/metrics/", "//metrics", "/%6detrics", "/METRICS", "/x/../metrics", "/page/../metrics"):
        for prefix in ("", "/api", "/api/api", "/api/", "//api//api", "/api/./api"):
            assert client.ask("GET", prefix + path)[0] == 404, prefix + path
            assert client.ask("HEAD", prefix + path)[0] == 404, prefix + path
    assert proxy.client().ask("POST", "/api/cities/search-by-skill", b"a" * 1_100_000)[0] == 413


def test_a_client_has_a_thousand_requests_a_minute_and_no_log_says_who_it_is(proxy: Proxy) -> None:
    client = proxy.client()
    started = time.monotonic()
    statuses = Counter(client.ask("GET", "/nope")[0] for _ in range(1_200))
    allowed = 1_001 + (time.monotonic() - started) * 1_000 / 60
    assert statuses.keys() == {404, 429}
    assert 1_000 <= statuses[404] <= allowed + 2
    proxy.stop()
    lines = (proxy.folder / "access.log").read_text().splitlines()
    assert json.loads(lines[0]).keys() == {"request", "method", "status", "ms", "bytes"}
    for log in proxy.folder.glob("*.log"):
        if "api" not in log.name:
            assert "127.0.0.1" not in log.read_text(), log


def test_slow_clients_of_one_address_are_bounded(proxy: Proxy) -> None:
    """They hold 40 connections; more are refused, and what they hold is taken back."""
    sockets = [socket.create_connection(("127.0.0.1", proxy.port), timeout=20) for _ in range(60)]
    for connection in sockets:  # the body never comes
        connection.sendall(b"POST /api/cities/search HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{")
    answers = Counter(_first_line(connection) for connection in sockets)
    assert answers[b"HTTP/1.1 429 Too Many Requests"] == 20
    assert proxy.client().ask("GET", "/api/health")[0] == 200


def _first_line(connection: socket.socket) -> bytes:
    """The status line of what is answered; empty where the connection is closed without an answer."""
    with connection:
        try:
            return connection.recv(1_000).partition(b"\r\n")[0]
        except ConnectionError:
            return b""


def test_large_headers_are_refused(proxy: Proxy) -> None:
    assert proxy.client().ask("GET", "/api/health", None, **{"X-Long": "a" * 6_000})[0] == 200
    assert proxy.client().ask("GET", "/api/health", None, **{"X-Long": "a" * 9_000})[0] in (400, 431)
    many = {f"X-{number}": "a" * 7_000 for number in range(6)}
    assert proxy.client().ask("GET", "/api/health", None, **many)[0] in (400, 431)


def test_tls_by_configuration(serve: Any, sample_in_sqlite: str, tmp_path: Path) -> None:
    tls = tmp_path / "tls"
    tls.mkdir()
    subprocess.run(
        [
            *(_program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", "/CN=localhost", "-keyout", str(tls / "key.pem"), "-out", str(tls / "certificate.pem")),
        ],
        check=True,
        capture_output=True,
    )
    port = _free_port()
    text = (NGINX / "tls.conf").read_text("utf-8").replace("/etc/nginx/tls", str(tls))
    (tls / "tls.conf").write_text(text.replace("listen 443", f"listen 127.0.0.1:{port}"))
    proxy = Proxy(tmp_path, serve(sample_in_sqlite), tls)
    try:
        trusted = ssl.create_default_context(cafile=str(tls / "certificate.pem"))
        trusted.check_hostname = False
        with urllib.request.urlopen(f"https://127.0.0.1:{port}/api/health", context=trusted) as answer:
            assert json.load(answer)["status"] == "ok"
        status, _, headers = proxy.client().ask("GET", "/api/health?a=b")
        assert (status, headers["location"]) == (301, "https://127.0.0.1/api/health?a=b")
    finally:
        proxy.stop()


def test_nothing_but_the_proxy_is_reachable_from_outside() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]
    open_to_all = {
        name
        for name, service in services.items()
        if any(not port.startswith("127.0.0.1:") for port in service.get("ports", []))
    }
    assert open_to_all == {"nginx"}
    assert "reader:" in services["api"]["environment"]["MOBIVILLE_API_DATABASE_URL"]
    assert "MOBIVILLE_DB_PASSWORD" not in str(services["api"])
