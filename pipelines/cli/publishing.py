"""The warehouse, as commands have it: its errors are said in a line, and what became of a release."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import clear_frames

import click
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from pipelines.cli.common import FAILED, INTERRUPTED, PUBLISHED
from resources.settings import Settings
from warehouse.database import connect
from warehouse.errors import MobivilleError, WarehouseError
from warehouse.lock import only_writer
from warehouse.release import next_number

ASKED_TIMES = 15
"""How often, a second apart, a database that is away is asked what it serves."""
EXPLAINED = (WarehouseError, SQLAlchemyError, OSError)
"""Errors that are said in a line, without a traceback."""


class RefreshError(MobivilleError):
    """Assets failed; the message has a line for each."""


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
