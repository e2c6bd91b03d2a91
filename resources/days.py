"""Offers by day in the staging area: of each dump one Parquet file, in a folder per day, which DuckDB and others read
as one partitioned data set: `offers_by_day/day=2021-12-21/offers.parquet`; and the weeks added up from them.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from upath import UPath

from resources.atomic_files import atomic_write

BY_DAY, BY_WEEK = "offers_by_day", "offers_by_week"
"""Folders of the staging area."""
KEY = b"mobiville.day"
DAMAGED = (OSError, ValueError, KeyError, TypeError)
"""What reading a file that is not there, cut or another one's ends in."""


@dataclass(frozen=True)
class Day:
    """The dump that a day was read from (name, size, time of change, sha256), by which rules, and what became of its
    rows: read = used + merged + the sum of rejected, by reason.
    """

    file: str
    size: int
    changed: int
    sha256: str
    rules: str
    read: int
    used: int
    merged: int
    rejected: dict[str, int] = field(default_factory=dict)

    def was_read_from(self, path: Path, rules: str) -> bool:
        """Whether it was read from that file as it is now, by these rules."""
        stat = path.stat()
        return (path.name, stat.st_size, stat.st_mtime_ns, rules) == (self.file, self.size, self.changed, self.rules)


class Days:
    """The days and weeks in a staging folder. A file is whole or not there."""

    def __init__(self, folder: str) -> None:
        self.folder = UPath(folder)

    def _day(self, day: str) -> UPath:
        return self.folder / BY_DAY / f"day={day}" / "offers.parquet"

    def day(self, day: str) -> Day | None:
        """What is known of a day; None where it was not read."""
        try:
            return Day(**json.loads(self._known(self._day(day))[KEY]))
        except DAMAGED:
            return None

    def days(self) -> dict[str, Day]:
        """What is known of every day that was read, the first first."""
        found = sorted(folder.name.removeprefix("day=") for folder in (self.folder / BY_DAY).glob("day=*"))
        return {day: known for day in found if (known := self.day(day))}

    def offers(self, day: str) -> pa.Table:
        """The offers of a day: commune, rome, number."""
        return pq.read_table(self._day(day).open("rb"), partitioning=None)

    def keep(self, day: str, offers: pa.Table, known: Day) -> None:
        """Keep a day, in the place of what it was."""
        self._write(self._day(day), offers, asdict(known))

    def _week(self, monday: str) -> UPath:
        return self.folder / BY_WEEK / f"{monday}.parquet"

    def week(self, monday: str, made_from: Any) -> pa.Table | None:
        """What was added up of a week; None where it was made from anything else, or is not there."""
        try:
            known = json.loads(self._known(self._week(monday))[KEY])
            return pq.read_table(self._week(monday).open("rb")) if known == made_from else None
        except DAMAGED:
            return None

    def keep_week(self, monday: str, offers: pa.Table, made_from: Any) -> None:
        """Keep a week, in the place of what it was."""
        self._write(self._week(monday), offers, made_from)

    def _write(self, path: UPath, table: pa.Table, known: Any) -> None:
        with atomic_write(path) as file:
            pq.write_table(table.replace_schema_metadata({KEY: json.dumps(known).encode()}), file)

    def _known(self, path: UPath) -> dict[bytes, bytes]:
        with path.open("rb") as file:
            return pq.read_schema(file).metadata or {}
