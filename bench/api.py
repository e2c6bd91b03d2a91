"""The read API in a process of its own, beside a page of fixed bytes through the same application and middleware."""

import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import create_engine

from bench.measure import Row, row
from tests.api.server import Client, Server

CONNECTIONS, SECONDS, ROUNDS = 64, 3, 3
SWAP_SECONDS = 15
"""In which one release is taken over, all its tables anew."""
SEARCH = {"codeRome": ["N1103"], "index": 0}
GZIP = {"Accept-Encoding": "gzip"}
Asked = tuple[str, str, Any, dict[str, str]]
CONSTANT: Asked = ("GET", "/docs", None, {})
ASKED: dict[str, tuple[str, str, Any, dict[str, str], str]] = {
    "criterions, gzip": ("GET", "/cities/criterions", None, GZIP, "0.8"),
    "search, one ROME, all France": ("POST", "/cities/search", SEARCH, {}, "0.5"),
    "search, gzip": ("POST", "/cities/search", SEARCH, GZIP, ""),
    "search, by the sea, page 500": ("POST", "/cities/search", SEARCH | {"sortBy": "mer", "index": 5_000}, {}, ""),
    "autocomplete": ("POST", "/cities/autocomplete", {"query": "saint-"}, {}, "0.6"),
    "by-skill": ("POST", "/cities/search-by-skill", {"label": "boulang"}, {}, "0.6"),
    "load of a city": ("GET", "/cities/load/29019", None, {}, "0.3"),
    "close cities": ("POST", "/cities/search-close-cities", {"latitude": 48.4, "longitude": -4.5}, {}, ""),
}


def measure(place: Mapping[str, str]) -> list[Row]:
    """Requests per second of each request, beside the constant's; p99; a release that is taken over; memory."""
    if not shutil.which("wrk"):
        sys.exit("wrk is not installed: apt-get install wrk")
    url = place["MOBIVILLE_WAREHOUSE_URL"]
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), url)
        try:
            rows = [row("API: ready after", server.seconds_to_start, 0, "s", "8 at most")]
            for name, (*asked, target) in ASKED.items():
                pairs = [(_wrk(server, folder, *asked)[0], _wrk(server, folder, *CONSTANT)[0]) for _ in range(ROUNDS)]
                ours, constant = (statistics.median(side) for side in zip(*pairs, strict=True))
                rows.append(row(f"API: {name}", ours, constant, "/s", target))
            search: Asked = ("POST", "/cities/search", SEARCH, {})
            steady, p50, p99 = _wrk(server, folder, *search, seconds=SWAP_SECONDS)
            rows.append(row("API: search, p99 / p50", p99, p50, "ms", "5 at most"))
            rows.append(row("API: memory", psutil.Process(server.process.pid).memory_info().rss / 1e6, 0, "MB", "250"))
            _renew(url)
            swapped, *_ = _wrk(server, folder, *search, seconds=SWAP_SECONDS)
            assert "-2000" in Client(server).ask("GET", "/release")[2]["etag"], "the release was not taken over"
            rows.append(row("API: searches, a release taken over", swapped, steady, "/s", "0.7"))
            most = int(re.findall(r"VmHWM:\s+(\d+)", Path(f"/proc/{server.process.pid}/status").read_text())[0])
            rows.append(row("API: most memory", most * 1024 / 1e6, 0, "MB", "400"))
        finally:
            server.stop()
    return rows


def _renew(url: str) -> None:
    """Say that the release and all its tables are others: they are read anew."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE release_tables SET loaded_at = '2000-01-01'")
        connection.exec_driver_sql("UPDATE releases SET published_at = '2000-01-01'")
    engine.dispose()


def _wrk(
    server: Server, folder: str, method: str, path: str, body: Any, headers: dict[str, str], seconds: int = SECONDS
) -> tuple[float, float, float]:
    """Requests per second, and the median and 99th percentile of the milliseconds to answer."""
    script = Path(folder) / "request.lua"
    told = {"Content-Type": "application/json", **headers}
    lines = [f"wrk.method = '{method}'", *(f"wrk.headers['{name}'] = '{value}'" for name, value in told.items())]
    script.write_text("\n".join([*lines, f"wrk.body = '{json.dumps(body)}'" if body else ""]), encoding="utf-8")
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script)]
    command += [f"http://127.0.0.1:{server.port}{path}"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise SystemExit(f"the API failed: {said}")
    times = {name: float(value) * scale for name, value, scale in _times(said)}
    time.sleep(0.1)
    return float(re.findall(r"Requests/sec:\s+([\d.]+)", said)[0]), times["50"], times["99"]


def _times(said: str) -> list[tuple[str, str, float]]:
    units = {"us": 0.001, "ms": 1.0, "s": 1000.0}
    return [(name, value, units[unit]) for name, value, unit in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s)\b", said)]
