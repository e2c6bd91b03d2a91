"""Retries of Dagster steps, for transient errors only: the database or the network is unavailable."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from sqlalchemy.exc import OperationalError

RETRIES = 5
FIRST_WAIT_SECONDS = 3
"""Doubled at each retry: a minute and a half in all."""

TRANSIENT = {1040, 1053, 1205, 1213, 2002, 2003, 2006, 2013}
"""MariaDB's transient errors: too many connections, shutdown, lock timeout, deadlock, no server, connection lost."""


def is_transient(error: BaseException) -> bool:
    """Whether the error, or one of its causes, may be gone on a retry. That of a bad file is not."""
    if isinstance(error, OperationalError) and error.orig is not None:
        return bool(error.orig.args) and error.orig.args[0] in TRANSIENT
    import requests  # a tenth of a second, for an error alone

    if isinstance(error, (requests.ConnectionError, requests.Timeout)):
        return True
    return error.__cause__ is not None and is_transient(error.__cause__)


@contextmanager
def with_retries(attempt: int) -> Iterator[None]:
    """Turn a transient error into Dagster's request to retry the step; other errors pass through.

    `attempt`: the number of retries so far (`context.retry_number`).
    """
    try:
        yield
    except Exception as error:
        if is_transient(error) and attempt < RETRIES:
            raise dg.RetryRequested(RETRIES, FIRST_WAIT_SECONDS * 2**attempt) from error
        raise
