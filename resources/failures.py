"""The errors of Dagster steps, as a person reads them."""

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from dagster._core.errors import DagsterUserCodeProcessError as ErrorOfAnotherProcess
from dagster_shared.error import SerializableErrorInfo

import raw_data
from resources.errors import names
from warehouse.errors import MobivilleError

ROOT = raw_data.FOLDER.parent


class Explained(ErrorOfAnotherProcess, dg.Failure):
    """A failure that is no bug, as Dagster shows it: in words, with its facts; of the stack the line that raised it.

    Dagster takes the words of an error of another process as they are, and no frames of its own: so it is given one.
    What may be gone on a retry is no such failure: see `resources.retries`.
    """

    def __init__(self, error: MobivilleError) -> None:
        facts = {name: str(fact) for name, fact in error.facts.items() if name != "rows"}
        rows = [{str(key): str(value) for key, value in row.items()} for row in error.facts.get("rows", [])]
        stack = traceback.format_tb(error.__traceback__)[-1:]
        super().__init__(  # type: ignore[no-untyped-call]
            str(error),
            facts | ({"rows": dg.MetadataValue.table([dg.TableRecord(row) for row in rows])} if rows else {}),
            allow_retries=False,
            user_code_process_error_infos=[SerializableErrorInfo(str(error), stack, type(self).__name__)],
        )


@contextmanager
def explained() -> Iterator[None]:
    """Turn an error that explains itself into a failure that Dagster shows without a stack; others pass through."""
    try:
        yield
    except MobivilleError as error:
        raise Explained(error) from None


def in_words(error: SerializableErrorInfo) -> str:
    """The message of the outermost MobivilleError; without one, the class and the first line of the innermost error."""
    for link in _chain(error):
        name, _, message = link.message.strip().partition(": ")
        if name in names():
            return message
        if link.cls_name == Explained.__name__:
            return link.message.strip()
    return f"{name.rpartition('.')[2]}: {message.splitlines()[0] if message else ''}"


def where(error: SerializableErrorInfo) -> str:
    """The line of this project that raised the innermost error, as `assets/cities.py:12`; empty if there is none."""
    frames = re.findall(r'File "(.+?)", line (\d+)', "".join(_chain(error)[-1].stack))
    ours = [(Path(file), line) for file, line in frames if Path(file).is_relative_to(ROOT)]
    ours = [(file.relative_to(ROOT), line) for file, line in ours if ".venv" not in file.parts]
    return f"{ours[-1][0].as_posix()}:{ours[-1][1]}" if ours else ""


def _chain(error: SerializableErrorInfo) -> list[SerializableErrorInfo]:
    """The error and its causes, the innermost last."""
    return [error, *(_chain(error.cause) if error.cause else [])]
