"""What went wrong, in words."""

import re
from pathlib import Path

from dagster_shared.error import SerializableErrorInfo

import raw_data
from assets.common.expectations import ValidationError
from resources.clients.france_travail import NoCredentialsError
from resources.clients.http import OutsideError, PassingError
from resources.clients.jsonl_cache import StoreError
from resources.downloads.partial import FetchError, RefusedError
from resources.sources.audit import AuditError, RejectedRowsError
from resources.sources.catalogue import CatalogueError
from resources.sources.files import SourceError
from resources.staging import StagingError
from warehouse.database import WarehouseError

EXPLAINED = tuple(
    error.__name__
    for error in (
        AuditError,
        CatalogueError,
        FetchError,
        NoCredentialsError,
        OutsideError,
        PassingError,
        RefusedError,
        RejectedRowsError,
        SourceError,
        StagingError,
        StoreError,
        ValidationError,
        WarehouseError,
    )
)
"""Errors whose message is the whole story."""

ROOT = raw_data.FOLDER.parent


def in_words(error: SerializableErrorInfo) -> str:
    """The message of the outermost error that explains itself; without one, the innermost's kind and first line."""
    kind, message = "", ""
    for link in _chain(error):
        kind, _, message = link.message.strip().partition(": ")
        kind = kind.rpartition(".")[2]
        if kind in EXPLAINED:
            return message
    return f"{kind}: {message.splitlines()[0] if message else ''}"


def where(error: SerializableErrorInfo) -> str:
    """The line of this project's code that the innermost error came from, as `assets/cities.py:12`; empty if none."""
    frames = re.findall(r'File "(.+?)", line (\d+)', "".join(_chain(error)[-1].stack))
    ours = [(Path(file), line) for file, line in frames if Path(file).is_relative_to(ROOT)]
    ours = [(file.relative_to(ROOT), line) for file, line in ours if ".venv" not in file.parts]
    return f"{ours[-1][0].as_posix()}:{ours[-1][1]}" if ours else ""


def _chain(error: SerializableErrorInfo) -> list[SerializableErrorInfo]:
    """The error, its cause, and so on."""
    return [error, *(_chain(error.cause) if error.cause else [])]
