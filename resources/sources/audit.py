"""What became of every row of a raw file: used, merged with another, or rejected with its reason."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field, replace
from typing import Generic, NamedTuple, Self, TypeVar

import pandas as pd

from resources.errors import RejectedRowsError, SourceError
from resources.sources.catalogue import catalogue
from warehouse.release import SourceFile

Rows = TypeVar("Rows")

MOST_KEPT = 50_000
"""Rejected rows of a file that is to be refused: more than these are not looked for."""
SHOWN = 3
"""How many rejected rows an error shows."""

CORRECT = "correct them at the publisher's, or fetch the file again"

REJECTS = ["source", "file", "location", "line", "row", "column", "found", "reason", "is_error"]
"""Columns of the rejects table: `line` is the line (of JSON and XML the record) of the file, `row` its text."""


class Reject(NamedTuple):
    """Why a row is not used. An error counts against the file; a rule, which rejects a sound row, does not."""

    reason: str
    is_error: bool = True
    column: str = ""
    found: str = ""


@dataclass
class RowAudit:
    """The rows of one source, in one reading: their number, and what became of each.

    `location` is what rows are told by: line, record, row or file. `repairs`: what was repaired, and how many values;
    `ruled_out`: of a large file, rows that a rule rejects, their number by reason;
    `absent`: optional columns that the file does not have; `vintage`: that which a column of the file holds;
    `texts`: rows that are rejected, as the file has them, where `text_of` does not look them up; `lines_of`, of a file
    that is counted in pieces: looks for the rows that went into some of the counts.
    `former_codes`, `unknown_codes`: commune codes that today's communes had before, and that no year's COG knows.
    A source that is there but was not read has an audit too, of no rows.
    """

    source_id: str
    file: str
    location: str
    read: int = 0
    used: int = 0
    merged: int = 0
    rejected: dict[Hashable, Reject] = field(default_factory=dict)
    repairs: dict[str, int] = field(default_factory=dict)
    ruled_out: dict[str, int] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    vintage: str | None = None
    texts: dict[Hashable, str] = field(default_factory=dict)
    text_of: Callable[[frozenset[Hashable]], dict[Hashable, str]] | None = None
    lines_of: Callable[[pd.DataFrame], list[Hashable]] | None = None
    former_codes: set[str] = field(default_factory=set)
    unknown_codes: set[str] = field(default_factory=set)

    def reject(self, locations: Iterable[Hashable], reject: Reject) -> None:
        """Rows that are not used. The first reason that a row is given stays."""
        for location in locations:
            self.rejected.setdefault(location, reject)

    def reject_row(self, location: Hashable, text: str, reject: Reject) -> None:
        """A row that is none, with its text. Raises RejectedRowsError when there are so many that no more matter."""
        self.read += 1
        self.texts[location] = text
        self.reject([location], reject)
        if self.errors > MOST_KEPT:
            self.check_share()

    def count(self, used: int, merged: int = 0) -> Self:
        """This audit, with the number of rows that were used, and of those that were merged with one of these."""
        self.used = used
        self.merged += merged
        return self

    @property
    def errors(self) -> int:
        """Rows rejected for an error, number."""
        return sum(reject.is_error for reject in self.rejected.values())

    def by_reason(self) -> dict[str, int]:
        """How many rows were rejected, by reason."""
        counts = pd.Series([reject.reason for reject in self.rejected.values()], dtype="str").value_counts()
        return {str(reason): int(number) for reason, number in counts.items()} | self.ruled_out

    @property
    def rows_rejected(self) -> int:
        """Rows that are not used, for an error or by a rule, number."""
        return len(self.rejected) + sum(self.ruled_out.values())

    def check_share(self) -> None:
        """Raise RejectedRowsError when more rows have an error than the catalogue allows."""
        share = catalogue()[self.source_id].max_rejected
        if self.errors > share * self.read:
            first = [(at, reject) for at, reject in self.rejected.items() if reject.is_error][:SHOWN]
            shown = "; ".join(f"{self.location} {at}: {_sentence(reject)}" for at, reject in first)
            at, reject = first[0]
            remedy = f"`mobiville rejects --source {self.source_id}` shows them all; {CORRECT}"
            raise RejectedRowsError(
                f"{self.file}: {self.errors:,} of {self.read:,} rows cannot be used, at most {share:.1%} may be so "
                f"(max_rejected in sources.yaml). {shown}. {remedy}",
                audit=self,
                file=self.file,
                line=str(at),
                expected=reject.reason,
                found=reject.found,
                remedy=remedy,
                rows=[{self.location: at, "found": reject.found, "reason": reject.reason} for at, reject in first],
            )

    def check_sum(self) -> None:
        """Raise SourceError when a row is neither used, merged nor rejected: rules lost it, or count it twice."""
        if self.read != self.used + self.merged + self.rows_rejected:
            raise SourceError(
                f"{self.file}: {self.read:,} rows were read, {self.used:,} used, {self.merged:,} merged, "
                f"{self.rows_rejected:,} rejected: the import loses rows or counts some twice. Nothing is staged"
            )

    def told_of(self, files: Iterable[SourceFile]) -> list[SourceFile]:
        """The files of the source with what became of their rows; as they are where none was read."""
        if not self.read:
            return list(files)
        return [
            replace(
                file,
                vintage=self.vintage or file.vintage,
                rows_read=self.read,
                rows_used=self.used,
                rows_merged=self.merged,
                rows_rejected=self.rows_rejected,
            )
            for file in files
        ]

    def rejects(self) -> pd.DataFrame:
        """The rejects table (see `REJECTS`), in the file's order."""
        text = self.text_of(frozenset(self.rejected)) if self.text_of and self.rejected else self.texts
        rows = [
            (
                self.source_id,
                self.file,
                self.location,
                str(at),
                text.get(at, ""),
                r.column,
                r.found,
                r.reason,
                r.is_error,
            )
            for at, r in sorted(self.rejected.items(), key=lambda item: str(item[0]).zfill(12))
        ]
        return pd.DataFrame(rows, columns=REJECTS)


class Reading(NamedTuple, Generic[Rows]):
    """What was read of a source, and the audit of its rows."""

    rows: Rows
    audit: RowAudit


def _sentence(reject: Reject) -> str:
    return f"{reject.reason}, found {reject.found!r}" if reject.column else reject.reason
