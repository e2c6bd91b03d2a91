"""Many days of dumps of full size: what a day costs when few and when many were read, and what all their weeks do."""

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.measure import MOBIVILLE, Line, Row, measured, refresh, row

FEW = 10
"""Days that are there before the others come."""
ENDS = 30
"""Days at the beginning and at the end that are compared."""
COMMAND = [str(MOBIVILLE), "refresh", "--only", "offers_history"]


def measure(place: Mapping[str, str], real: Path, dumps: Path, days: int) -> list[Row]:
    """Days that come one at a time and all at once, beside those that were read. `dumps`: the folder to write them in,
    made from the dump `real`.
    """
    write_dumps(real, dumps, 0, FEW)
    refresh(place)
    write_dumps(real, dumps, FEW, FEW + 1)
    _, few = measured(COMMAND, place)
    write_dumps(real, dumps, FEW + 1, days)
    backfill, lines = measured(COMMAND, place)
    staged = [line for line in lines if re.search(r"day \d+ of \d+$", line.text)]
    (made,) = (line for line in lines if line.text.startswith("offers_history "))
    write_dumps(real, dumps, days, days + 1)
    _, many = measured(COMMAND, place)
    ends = [staged[: ENDS + 1], staged[-ENDS - 1 :]]
    last, first = ((e[-1].seconds - e[0].seconds) / ENDS for e in reversed(ends))
    last_cpu, first_cpu = ((e[-1].cpu - e[0].cpu) / ENDS for e in reversed(ends))
    after = staged[-1].seconds
    return [
        row(f"day: one of the last {ENDS} / the first {ENDS}", last, first, "s", "1.1 at most"),
        row("day: the same, CPU", last_cpu, first_cpu, "s", "1.1 at most"),
        row(f"day: a new one staged, beside {days} / {FEW}, CPU", _day(many), _day(few), "s", "1.1 at most"),
        row(f"day: served, beside {days} / {FEW}, CPU", many[-1].cpu, few[-1].cpu, "s", ""),
        row(f"days: weeks of all {days}, staged", made.seconds - after, 0, "s", "30 at most"),
        row(f"days: weeks of all {days}, staged, CPU", made.cpu - staged[-1].cpu, 0, "s", "30 at most"),
        row(f"days: weeks of all {days}, served", lines[-1].seconds - after, 0, "s", ""),
        row(f"days: peak memory of {len(staged)} at once", backfill.peak_mib, 0, "MiB", "under 1024 MiB"),
    ]


def _day(lines: Sequence[Line]) -> float:
    """CPU seconds from the start of the command until its one new day was staged."""
    return next(line.cpu for line in lines if line.text.endswith("day 1 of 1"))


def write_dumps(real: Path, dumps: Path, first: int, end: int) -> None:
    """Write the dumps of the days from `first` on, up to `end`, made from the dump `real`: a process of its own."""
    subprocess.run([sys.executable, "-m", "bench.dumps", str(real), str(dumps), str(first), str(end)], check=True)
