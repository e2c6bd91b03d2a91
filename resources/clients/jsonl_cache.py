"""A cache of responses from outside services: a file of one JSON object per line; the last line of a code counts.

Each response is written as soon as it arrives, so that a killed run loses nothing and the next one continues.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from resources.atomic_files import atomic_write, locked
from resources.errors import CacheError

CacheEntry = dict[str, Any]
"""`code`, `asked_at` (ISO 8601, UTC) and the fields of the response."""


def parse_cache(text: str) -> dict[str, CacheEntry]:
    """The entries in the text of a cache, by code. An incomplete line (a killed run, a full disk) is skipped: its code
    will be requested again.
    """
    entries: dict[str, CacheEntry] = {}
    for line in text.splitlines():
        try:
            entry = json.loads(line)
            datetime.fromisoformat(entry["asked_at"])
            entries[str(entry["code"])] = entry
        except (ValueError, TypeError, KeyError):
            continue
    return entries


def is_fresh(entry: CacheEntry | None, days: float) -> bool:
    """Whether an entry was requested less than so many days ago."""
    return entry is not None and datetime.now(UTC) - datetime.fromisoformat(entry["asked_at"]) < timedelta(days=days)


def read_cache(path: Path) -> dict[str, CacheEntry]:
    """The entries of a cache file, by code; {} if there is no file."""
    return parse_cache(path.read_text(encoding="utf-8", errors="replace")) if path.exists() else {}


@contextmanager
def open_cache(path: Path) -> Iterator[Callable[..., None]]:
    """Yield a function that appends an entry (`code` and fields; `asked_at` is now).

    Raises CacheError while another run writes the file.
    """
    with locked(path.with_suffix(".lock"), CacheError(f"{path.name} is being written by another run: wait for it")):
        _compact(path)
        with path.open("a", encoding="utf-8") as file:

            def add(code: str, **fields: Any) -> None:
                entry = {"code": code, "asked_at": datetime.now(UTC).isoformat(timespec="seconds"), **fields}
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")
                file.flush()

            yield add


def _compact(path: Path) -> None:
    """Rewrite a cache file without its superseded and incomplete lines, sorted by code, if it has any."""
    entries = read_cache(path)
    content = "".join(json.dumps(entries[code], ensure_ascii=False) + "\n" for code in sorted(entries)).encode()
    if path.exists() and path.stat().st_size != len(content):
        with atomic_write(path) as file:
            file.write(content)
