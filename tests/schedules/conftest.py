"""A warehouse that is served from a copy of the sample, for schedules and sensors."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

import raw_data
from pipelines.definitions import definitions
from resources.settings import Settings


def settings_in(folder: Path) -> Settings:
    """Every path of the settings under one folder."""
    return Settings(
        raw_data=folder / "files",
        staging=folder / "staging",
        warehouse_url=f"sqlite:///{folder / 'warehouse.db'}",
        backups=folder / "backups",
        exports=folder / "exports",
    )


@pytest.fixture(scope="session")
def served_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample's files, staged and served."""
    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(raw_data.SAMPLE, folder / "files")
    result = definitions(settings_in(folder)).resolve_job_def("refresh").execute_in_process()
    assert result.success
    return folder


@pytest.fixture
def served(served_once: Path, tmp_path: Path) -> Settings:
    """The settings of a copy of it that a test may change."""
    return settings_in(Path(shutil.copytree(served_once, tmp_path / "served", symlinks=True)))


Tick = Callable[[], Any]


@pytest.fixture
def ticks_of() -> Callable[[str, Settings], Tick]:
    """A sensor as its daemon runs it: each tick starts from the cursor of the last one."""

    def ticks(name: str, settings: Settings, instance: dg.DagsterInstance | None = None) -> Tick:
        defs = definitions(settings)
        sensor = defs.get_repository_def().get_sensor_def(name)
        cursor: list[str | None] = [None]
        instance = instance or dg.DagsterInstance.ephemeral()

        def tick() -> Any:
            context = dg.build_sensor_context(instance, cursor[0], definitions=defs, sensor_name=name)
            seen = sensor.evaluate_tick(context)
            cursor[0] = seen.cursor
            return seen

        return tick

    return ticks


class Webhook(ThreadingHTTPServer):
    """A real server that keeps what is posted to it, and may refuse it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.posted: list[dict[str, Any]] = []
        self.status = 200
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hooks/s3cret"


class _Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.status == 200:
            self.server.posted.append(body)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Silent."""


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
