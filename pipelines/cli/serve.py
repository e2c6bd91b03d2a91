"""Servers: Dagster's UI, and the read API."""

import os
import sys
import tempfile

import click

from pipelines.cli.common import prepare_dagster_home, read_settings
from warehouse.database import parse_url
from warehouse.errors import WarehouseError


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True)
def ui(host: str, port: int) -> None:
    """Open the Dagster UI and its daemon: materialize assets, see runs and their history."""
    prepare_dagster_home()
    import dagster as dg  # it takes a second

    from schedules.runs import end_dead_runs

    end_dead_runs(dg.DagsterInstance.get(), click.echo)
    command = ["dagster", "dev", "-m", "pipelines.definitions", "-h", host, "-p", str(port)]
    os.environ.setdefault("MALLOC_ARENA_MAX", "1")  # what one thread frees, another uses
    os.execv(sys.executable, [sys.executable, "-m", *command])  # noqa: S606


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
