"""Child processes, measured whole: wall time, peak memory, and what they say they did."""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from sqlalchemy import create_engine
from sqlalchemy.schema import CreateIndex, CreateTable

from warehouse import tables
from warehouse.errors import MobivilleError

MOBIVILLE = Path(sys.executable).with_name("mobiville")
FLOOR, DUCKDB = "bench.floor", "bench.duckdb_script"
"""The scripts that make the tables with nothing around them."""
TABLE_OF_STEP = {
    "equipments_special": "equipments",
    "rome_ogrs": "romeogrs",
    "rome_skills": "romeskills",
    "tensions_pcs": "tensions",
}
"""The served table that a step is a part of, where it is not called like it."""


Row = dict[str, Any]


class ChildFailedError(MobivilleError):
    """A measured process did not end well; the message holds what it said."""


@dataclass
class Run:
    """A measured process: until its end and until its first line. `made`: seconds to make the rows of each table."""

    seconds: float
    peak_mib: float
    first_line: float
    made: dict[str, float] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)


UNCHECKED = """
import sys
from unittest.mock import patch
from pipelines.cli import run
sys.argv = ["mobiville", "refresh"]
with (
    patch("assets.common.staging_asset.validate", lambda *_: []),
    patch("assets.common.checking.begin", lambda: None),
):
    run()
"""
"""`mobiville refresh` without Great Expectations: it is not imported, and no expectation is looked at.

`patch` fails where the name that it replaces is no more: set as an attribute, a new one would go unnoticed.
"""


class Line(NamedTuple):
    """What a process said, and when: seconds since its start, and seconds of CPU that it had taken."""

    seconds: float
    cpu: float
    text: str


def refresh(environment: Mapping[str, str], *, checked: bool = True) -> Run:
    """`mobiville refresh`, with the rows that it serves then; with `checked` false, as `UNCHECKED` is."""
    command = [str(MOBIVILLE), "refresh"] if checked else [sys.executable, "-c", UNCHECKED]
    run, lines = measured(command, environment)
    seconds = dict.fromkeys(tables.metadata.tables, 0.0)
    for line in lines:
        step = re.fullmatch(r"(\w+) .*?([\d.]+) s", line.text)
        table = TABLE_OF_STEP.get(step[1], step[1]) if step else ""
        if step and table in seconds:
            seconds[table] += float(step[2])
    run.made = seconds
    _, status = measured([str(MOBIVILLE), "status", "--json"], environment)
    served = json.loads("\n".join(line.text for line in status))
    run.rows = {table["table"]: table["rows"] for table in served["tables"]}
    return run


def script(name: str, environment: Mapping[str, str], schema: Path) -> Run:
    """One of the scripts that make the tables with nothing around them."""
    run, lines = measured([sys.executable, "-m", name, str(schema)], environment)
    by_table = json.loads(lines[-1].text)
    run.made = {name: table["made"] for name, table in by_table.items()}
    run.rows = {name: table["rows"] for name, table in by_table.items()}
    return run


def write_schema(path: Path) -> None:
    """Describe the tables for the scripts: the SQL that makes each, and the SQL of its indexes."""
    dialect = create_engine("mariadb+pymysql://").dialect
    schema = {
        name: {
            "create": str(CreateTable(table).compile(dialect=dialect)),
            "indexes": [str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes],
        }
        for name, table in tables.metadata.tables.items()
    }
    path.write_text(json.dumps(schema), encoding="utf-8")


def row(what: str, ours: float, beside: float, unit: str, target: str) -> Row:
    """A line of the result: ours, what stands beside it, and their ratio."""
    ratio = round(ours / beside, 2) if beside else None
    return {
        "what": what,
        "ours": round(ours, 2),
        "beside": round(beside, 2),
        "unit": unit,
        "ratio": ratio,
        "target": target,
    }


def measured(command: Sequence[str], environment: Mapping[str, str]) -> tuple[Run, list[Line]]:
    """Run a command to its end: with the processes that it starts, and its lines."""
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as errors:
        process = psutil.Popen(
            command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        with process.stdout as output, _peak(process) as peak:
            lines = [Line(time.perf_counter() - started, _cpu(process.pid), line.rstrip("\n")) for line in output]
            process.wait()
            seconds = time.perf_counter() - started
        if process.returncode:
            errors.seek(0)
            said = "\n".join([*(line.text for line in lines), errors.read()])
            raise ChildFailedError(f"{' '.join(command)} ended with {process.returncode}:\n{said}")
    return Run(seconds, peak[0] / 2**20, lines[0].seconds if lines else seconds), lines


@contextmanager
def _peak(process: psutil.Process) -> Iterator[list[int]]:
    """The most memory, in bytes, that a process and those that it started have together: what they share counts once.

    Looked at ten times a second, which takes a hundredth of a core.
    """
    most, ended = [0], threading.Event()

    def look() -> None:
        while not ended.wait(0.1):
            with suppress(psutil.Error):
                tree = [process, *process.children(recursive=True)]
                most[0] = max(most[0], sum(one.memory_full_info().pss for one in tree))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield most
    finally:
        ended.set()
        looking.join()


def _cpu(process: int) -> float:
    times = psutil.Process(process).cpu_times()
    return times.user + times.system
