"""What outside services answered, kept: a file of one JSON object per line, of which the last of a code counts.

Each answer is written as it comes, so that a run that is killed loses nothing, and the next one goes on.
"""

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from resources.errors import CacheError

Entry = dict[str, Any]


def entries_of(text: str) -> dict[str, Entry]:
    """The entries of a store's text by their `code`. A line that is not whole (a run was killed, a disk was full) is no
    entry: its code is asked for again.
    """
    found: dict[str, Entry] = {}
    for line in text.splitlines():
        try:
            entry = json.loads(line)
            datetime.fromisoformat(entry["asked_at"])
            found[str(entry["code"])] = entry
        except (ValueError, TypeError, KeyError):
            continue
    return found


def is_fresh(entry: Entry | None, days: float) -> bool:
    """Whether an entry was asked within so many days."""
    return entry is not None and datetime.now(UTC) - datetime.fromisoformat(entry["asked_at"]) < timedelta(days=days)


def read_store(path: Path) -> dict[str, Entry]:
    """The entries of a store; {} where there is none."""
    return entries_of(path.read_text(encoding="utf-8", errors="replace")) if path.exists() else {}


@contextmanager
def written_store(path: Path) -> Iterator[Callable[..., None]]:
    """Give what adds an entry (`code` and fields; `asked_at` is now). One writer at a time: others get CacheError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CacheError(f"{path.name} is being written by another run: let it end") from None
        _tidy(path)
        with path.open("a", encoding="utf-8") as file:

            def add(code: str, **fields: Any) -> None:
                entry = {"code": code, "asked_at": datetime.now(UTC).isoformat(timespec="seconds"), **fields}
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")
                file.flush()

            yield add


def _tidy(path: Path) -> None:
    """Write a store with superseded or broken lines anew, sorted; one that is tidy stays as it is."""
    entries = read_store(path)
    text = "".join(json.dumps(entries[code], ensure_ascii=False) + "\n" for code in sorted(entries))
    if path.exists() and path.stat().st_size != len(text.encode()):
        aside = path.with_suffix(".new")
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
