"""Which errors may pass by themselves (the database or the network away), and trying again after those alone."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import requests
from sqlalchemy.exc import OperationalError

RETRIES = 5
FIRST_WAIT_SECONDS = 3
"""Doubled at each attempt: a minute and a half in all."""

AWAY = {1040, 1053, 1205, 1213, 2002, 2003, 2006, 2013}
"""MariaDB's errors that pass: too many connections, shutting down, locked, deadlock, no server, server gone."""


def may_pass(error: BaseException) -> bool:
    """Whether the error, or what caused it, may be gone in a minute. A bad file is not."""
    if isinstance(error, OperationalError) and error.orig is not None:
        return bool(error.orig.args) and error.orig.args[0] in AWAY
    if isinstance(error, (requests.ConnectionError, requests.Timeout)):
        return True
    return error.__cause__ is not None and may_pass(error.__cause__)


@contextmanager
def retried(attempt: int) -> Iterator[None]:
    """Turn an error that may pass into Dagster's request to run the step again; let any other through.

    `attempt`: how many retries there have been (`context.retry_number`).
    """
    try:
        yield
    except Exception as error:
        if may_pass(error) and attempt < RETRIES:
            raise dg.RetryRequested(RETRIES, FIRST_WAIT_SECONDS * 2**attempt) from error
        raise
