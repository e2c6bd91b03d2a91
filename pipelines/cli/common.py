"""What the commands share."""

import os
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import clear_frames

import click
import yaml
from pydantic import ValidationError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from resources.settings import VAR, Settings
from warehouse.database import connect
from warehouse.errors import MobivilleError, WarehouseError, not_known
from warehouse.lock import only_writer
from warehouse.release import next_number

DAGSTER_YAML = """\
telemetry: {enabled: false}
nux: {enabled: false}  # no invitation to a newsletter
concurrency:
  pools: {granularity: run, default_limit: 1}  # one writer at a time; the others queue
  runs: {max_concurrent_runs: 4}  # days of offers are read side by side
run_queue: {dequeue_use_threads: true, dequeue_num_workers: 4}  # and started side by side
run_monitoring: {enabled: true, start_timeout_seconds: 300, cancel_timeout_seconds: 300}
retention:  # days that the looks of sensors and schedules are kept
  schedule: {purge_after_days: 90}
  sensor:
    purge_after_days: {skipped: 7, failure: 90, success: 90}
"""

BEFORE_POOLS = {"runs": {"max_concurrent_runs": 1}}
"""How earlier versions had one writer at a time."""
FAILED, PUBLISHED, INTERRUPTED = 1, 3, 130
"""Exit codes, as the help of `mobiville` documents them."""
ASKED_TIMES = 15
"""How often, a second apart, a database that is away is asked what it serves."""
EXPLAINED = (WarehouseError, SQLAlchemyError, OSError)
"""Errors that are said in a line, without a traceback."""

json_option = click.option("--json", "as_json", is_flag=True, help="For a machine.")


class RefreshError(MobivilleError):
    """Assets failed; the message has a line for each."""


def read_settings() -> Settings:
    """The settings; a wrong one is said in a line."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = ", ".join(
            ": ".join([*(f"MOBIVILLE_{name}".upper() for name in e["loc"]), e["msg"].removeprefix("Value error, ")])
            for e in error.errors()
        )
        raise click.ClickException(wrong) from None


def known_name(kind: str, name: str, known: Collection[str]) -> str:
    """The name, if it is a known one; a wrong usage that tells the nearest, or all, for any other."""
    if name in known:
        return name
    raise click.UsageError(not_known(kind, name, known))


def prepare_dagster_home() -> None:
    """Where Dagster keeps the history of runs: DAGSTER_HOME, by default under `var/`. It tells nobody outside.

    A `dagster.yaml` of an earlier version, in which nothing is set otherwise, is brought forward.
    """
    home = Path(os.environ.setdefault("DAGSTER_HOME", str((VAR / "dagster").resolve())))
    home.mkdir(parents=True, exist_ok=True)
    configuration = home / "dagster.yaml"
    set_there = (yaml.safe_load(configuration.read_text(encoding="utf-8")) if configuration.exists() else {}) or {}
    if set_there.get("concurrency") == BEFORE_POOLS:
        del set_there["concurrency"]
    if set_there.items() <= yaml.safe_load(DAGSTER_YAML).items():
        configuration.write_text(DAGSTER_YAML, encoding="utf-8")


@contextmanager
def warehouse(settings: Settings) -> Iterator[Engine]:
    """The warehouse; an error of it is said in a line, without a traceback."""
    try:
        engine = connect(settings.warehouse_url)
        yield engine
        engine.dispose()
    except EXPLAINED as error:
        raise click.ClickException(_first_line(error)) from None


@contextmanager
def publishing(settings: Settings, *, wait: bool = True) -> Iterator[Engine]:
    """The warehouse and its lock, for a command that publishes a release.

    What fails or is interrupted in the block ends the process with words that say whether a release was published.
    """
    with warehouse(settings) as engine:
        before = None
        try:
            with only_writer(engine, wait=wait, progress=click.echo):
                before = next_number(engine)
                try:
                    yield engine
                except (RefreshError, *EXPLAINED) as error:
                    if any(isinstance(cause, KeyboardInterrupt) for cause in _chain(error)):
                        raise KeyboardInterrupt from error  # it hit a connection, whose end was an error then
                    code, words = _published(engine, before, error)
                    click.echo(f"\n{words[0].upper()}{words[1:]}.", err=True)
                    text = str(error) if isinstance(error, RefreshError) else f"Error: {_first_line(error)}"
                    click.echo(text, err=True)
                    sys.exit(code)
        except KeyboardInterrupt as error:  # also while the lock is waited for, or given back
            click.echo(f"interrupted: {_published(engine, before, error)[1]}", err=True)
            sys.exit(INTERRUPTED)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and those that it came of."""
    while error:
        yield error
        error = error.__cause__ or error.__context__


def _published(engine: Engine, number: int | None, error: BaseException) -> tuple[int, str]:
    """Whether release `number` is served after an error: an exit code, and words. A server that restarts is waited for.
    Without a number the command had not begun to publish.
    """
    for cause in _chain(error):  # a reading that was cut short there holds its transaction: SQLite would wait for it
        clear_frames(cause.__traceback__)
    for _ in range(ASKED_TIMES):
        engine.dispose()  # what was interrupted may have left a connection in the middle of something
        try:
            if number is not None and next_number(engine) > number:
                return PUBLISHED, f"release {number} is published, but something after it failed"
            return FAILED, "nothing was published: the served release is as it was"
        except SQLAlchemyError:
            time.sleep(1)
    return FAILED, "the database does not answer: once it does, `mobiville status` says what is served"
