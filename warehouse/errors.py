"""The root of the project's errors, and those of the warehouse.

The whole tree, with the module of each:

* MobivilleError                warehouse.errors
  * WarehouseError              warehouse.errors
    * LockedError               warehouse.errors
  * CatalogueError              resources.errors
  * SourceError                 resources.errors
    * RejectedRowsError         resources.errors
  * AuditError                  resources.errors
  * StagingError                resources.errors
  * ValidationError             resources.errors
  * FetchError                  resources.errors
  * RefusedError                resources.errors
  * ServiceError                resources.errors
    * TransientError            resources.errors
    * NoCredentialsError        resources.errors
  * CacheError                  resources.errors
  * UnknownAssetError           resources.errors
  * ExecutorError               resources.errors
  * NotLineByLineError          resources.sources.delimited
  * RefreshError                pipelines.cli.publishing
  * MovedError                  api.responses
  * NotServedError              api.database
  * ChildFailedError            bench.measure
"""

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any


class MobivilleError(Exception):
    """An error whose message explains itself: which file or service, what was expected, what was found, what to do.

    `facts`: the same one by one, as far as it was told: file, line, expected, found, remedy, rows (a list of dicts).
    """

    def __init__(self, message: str = "", **facts: Any) -> None:
        super().__init__(message)
        self.facts = {name: fact for name, fact in facts.items() if fact not in ("", None, [])}


class WarehouseError(MobivilleError):
    """The warehouse could not be read or written; the message says what happened and what to do."""


class LockedError(WarehouseError):
    """Another process is writing the warehouse; the message says which one, and since when."""


@contextmanager
def full_disk_named(folder: Path) -> Iterator[None]:
    """While a file is written in a folder: the error of a full disk names it."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise OSError(errno.ENOSPC, "the disk is full: make room", str(folder)) from error


def not_known(kind: str, name: str, known: Iterable[str]) -> str:
    """What is wrong with a name that there is not: the nearest there is, or all."""
    near = get_close_matches(name, names := sorted(known), 1)
    words = f"{near[0]} is" if near else f"there are {', '.join(names)}"
    return f"no {kind} is called {name}; {words}"
