"""The errors of Dagster steps, as a person reads them."""

import re
from pathlib import Path

from dagster_shared.error import SerializableErrorInfo

import raw_data
from resources.errors import names

ROOT = raw_data.FOLDER.parent


def in_words(error: SerializableErrorInfo) -> str:
    """The message of the outermost MobivilleError; without one, the class and the first line of the innermost error."""
    for link in _chain(error):
        name, _, message = link.message.strip().partition(": ")
        if name in names():
            return message
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
