"""What became of every row of a raw file: used, merged with another, or rejected with its reason."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import pandas as pd

from resources.errors import SourceError
from resources.sources.catalogue import catalogue

SHOWN = 3
"""How many rejected rows an error shows."""

REJECTS = ["source", "file", "place", "line", "row", "column", "found", "reason", "fault"]
"""Columns of the rejects table: `line` is the line (of JSON and XML the record) of the file, `row` its text."""


class Reject(NamedTuple):
    """Why a row is not used. A fault counts against the file; a rule, by which a sound row is left out, does not."""

    reason: str
    fault: bool = True
    column: str = ""
    found: str = ""


@dataclass
class Account:
    """The rows of one source, in one reading: their number, and what became of each.

    `place` is what rows are told by: line, record, row or file. `repairs`: what was put right, and how many values;
    `absent`: optional columns that the file has not; `vintage`: that which a column of the file holds.
    """

    source_id: str
    file: str
    place: str
    read: int = 0
    used: int = 0
    merged: int = 0
    rejected: dict[Hashable, Reject] = field(default_factory=dict)
    repairs: dict[str, int] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    vintage: str | None = None
    text_of: Callable[[set[Hashable]], dict[Hashable, str]] = lambda _places: {}

    def reject(self, places: Iterable[Hashable], reject: Reject) -> None:
        """Rows that are not used. The first reason that a row is given stays."""
        for place in places:
            self.rejected.setdefault(place, reject)

    @property
    def faults(self) -> int:
        """Rows at fault, number."""
        return sum(reject.fault for reject in self.rejected.values())

    def by_reason(self) -> dict[str, int]:
        """How many rows were rejected, by reason."""
        counts = pd.Series([reject.reason for reject in self.rejected.values()], dtype="str").value_counts()
        return {str(reason): int(number) for reason, number in counts.items()}

    def check_share(self) -> None:
        """Raise SourceError when more rows are at fault than the catalogue allows."""
        share = catalogue()[self.source_id].max_rejected
        if self.faults > share * self.read:
            first = [(place, reject) for place, reject in self.rejected.items() if reject.fault][:SHOWN]
            shown = "; ".join(f"{self.place} {place}: {_sentence(reject)}" for place, reject in first)
            raise SourceError(
                f"{self.file}: {self.faults:,} of {self.read:,} rows cannot be used, at most {share:.1%} may be so "
                f"(max_rejected in sources.yaml). {shown}. `mobiville rejects --source {self.source_id}` shows them "
                "all; correct them at the publisher's, or fetch the file again"
            )

    def check_sum(self) -> None:
        """Raise SourceError when a row is neither used, merged nor rejected: rules lost it, or count it twice."""
        if self.read != self.used + self.merged + len(self.rejected):
            raise SourceError(
                f"{self.file}: {self.read:,} rows were read, {self.used:,} used, {self.merged:,} merged, "
                f"{len(self.rejected):,} rejected: the import loses rows or counts some twice. Nothing is staged"
            )

    def rejects(self) -> pd.DataFrame:
        """The rejects table (see `REJECTS`), in the file's order."""
        text = self.text_of(set(self.rejected)) if self.rejected else {}
        rows = [
            (self.source_id, self.file, self.place, str(at), text.get(at, ""), r.column, r.found, r.reason, r.fault)
            for at, r in sorted(self.rejected.items(), key=lambda item: str(item[0]).zfill(12))
        ]
        return pd.DataFrame(rows, columns=REJECTS)


def _sentence(reject: Reject) -> str:
    return f"{reject.reason}, found {reject.found!r}" if reject.column else reject.reason
