"""Servers: Dagster's UI, and the read API."""

import os
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from threading import Thread
from typing import Any

import click

from pipelines.cli.common import prepare_dagster_home, read_settings
from warehouse.database import parse_url
from warehouse.errors import WarehouseError

WORKSPACE = """\
load_from:
  - python_module: {module_name: pipelines.definitions, location_name: mobiville}
"""
SERVERS = {"dagster_webserver": "pipelines.webserver"}
"""The modules that Dagster would start, and those that are started."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
def ui(host: str, port: int) -> None:
    """Open the Dagster UI and its daemon: materialize assets, see runs and their history."""
    prepare_dagster_home()
    import dagster as dg  # it takes a second
    from dagster._cli import dev
    from dagster_shared.cli import WorkspaceOpts

    from schedules.runs import end_dead_runs

    end_dead_runs(dg.DagsterInstance.get(), click.echo)
    workspace = Path(os.environ["DAGSTER_HOME"]) / "workspace.yaml"
    workspace.write_text(WORKSPACE, encoding="utf-8")
    os.environ.setdefault("MALLOC_ARENA_MAX", "1")  # what one thread frees, another uses
    Thread(target=_say_address, args=(f"http://{host}:{port}",), daemon=True).start()
    # What `dagster dev` does, which says on every start that `dg dev` does it now. Ticks stand in the UI, in words.
    options = WorkspaceOpts(workspace=(str(workspace),))
    dev.open_ipc_subprocess = _start  # type: ignore[attr-defined, assignment]
    dev.dev_command_impl("warning", "warning", "colored", str(port), host, False, None, False, options)


def _start(command: list[str], **options: Any) -> Any:
    """Start a process of `dagster dev`, of `SERVERS` where that names another module."""
    from dagster_shared.ipc import open_ipc_subprocess

    return open_ipc_subprocess([SERVERS.get(word, word) for word in command], **options)


def _say_address(url: str) -> None:
    """Say the address of the UI once it answers there, as the last line of the start."""
    while True:
        try:
            with urllib.request.urlopen(f"{url}/server_info", timeout=5):  # noqa: S310
                return click.echo(f"Dagster's UI is on {url} (Ctrl-C ends it)")
        except OSError:
            time.sleep(0.5)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--workers", default=1, show_default=True, help="Processes that answer.")
def api(host: str, port: int, workers: int) -> None:
    """Serve the read API over HTTP: see /docs. It ends gracefully when told to (SIGTERM)."""
    settings = read_settings()
    try:
        parse_url(settings.api_database_url or settings.warehouse_url)
    except WarehouseError as error:
        raise click.ClickException(str(error)) from None
    if workers > 1:  # where the workers write their measures, for /metrics to add up
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="mobiville-metrics-"))
    command = ["uvicorn", "--factory", "api.app:create_app", "--host", host, "--port", str(port)]
    command += ["--workers", str(workers), "--no-access-log", "--no-server-header", "--timeout-graceful-shutdown", "10"]
    command += ["--http", "api.protocol:BoundedProtocol"]
    command += ["--timeout-worker-healthcheck", "30"]  # a worker that starts on a busy machine is not a dead one
    os.environ.setdefault("MALLOC_ARENA_MAX", "1")  # what one thread frees, another uses
    os.execv(sys.executable, [sys.executable, "-m", *command])  # noqa: S606
