"""What the commands share."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from pydantic import ValidationError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from resources.settings import VAR, Settings
from warehouse.database import connect
from warehouse.errors import WarehouseError

DAGSTER_YAML = """\
telemetry: {enabled: false}
nux: {enabled: false}  # no invitation to a newsletter
concurrency:
  runs: {max_concurrent_runs: 1}  # one writer at a time; the others queue
retention:  # days that the looks of sensors and schedules are kept
  schedule: {purge_after_days: 90}
  sensor:
    purge_after_days: {skipped: 7, failure: 90, success: 90}
"""

json_option = click.option("--json", "as_json", is_flag=True, help="For a machine.")


def read_settings() -> Settings:
    """The settings; a wrong one is said in a line."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = ", ".join(f"MOBIVILLE_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        raise click.ClickException(wrong) from None


def prepare_dagster_home() -> None:
    """Where Dagster keeps the history of runs: DAGSTER_HOME, by default under `var/`. It tells nobody outside."""
    home = Path(os.environ.setdefault("DAGSTER_HOME", str((VAR / "dagster").resolve())))
    home.mkdir(parents=True, exist_ok=True)
    configuration = home / "dagster.yaml"
    if not configuration.exists():
        configuration.write_text(DAGSTER_YAML, encoding="utf-8")


@contextmanager
def warehouse(settings: Settings) -> Iterator[Engine]:
    """The warehouse; an error of it is said in a line, without a traceback."""
    try:
        engine = connect(settings.warehouse_url)
        yield engine
        engine.dispose()
    except (WarehouseError, SQLAlchemyError, OSError) as error:
        raise click.ClickException(str(error).splitlines()[0]) from None
