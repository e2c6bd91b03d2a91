"""Measure `mobiville refresh` beside bare scripts, its memory, the load beside pandas.to_sql, the read API, a year of
dumps.

Real files come from MOBIVILLE_REAL_DATA, else ../shared/real_data. A private MariaDB is started on a temporary folder.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine

from bench.api import measure as measure_api
from bench.contents import contents
from bench.days import measure as measure_days
from bench.days import write_dumps
from bench.measure import DUCKDB, FLOOR, Row, Run, refresh, row, script, write_schema
from tests.conftest import REAL_DATA, PrivateServer, mariadb_programs

BPE_ROWS = 2_700_000
COPIES = 5
"""How many times the BPE's rows the large one has: 13.5 million."""
LOADED = "equipments"


class Bench:
    """The files, the server and the folder that every measurement shares."""

    def __init__(self, folder: Path, server: str, runs: int, days: int) -> None:
        self.folder, self.server, self.runs, self.days = folder, server, runs, days
        self.files, self.schema = folder / "files", folder / "schema.json"
        self.files.mkdir()
        for path in REAL_DATA.iterdir():
            (self.files / path.name).symlink_to(path.resolve())
        write_schema(self.schema)

    def bpe(self, copies: int) -> None:
        """Put a BPE among the files: 2.7 million facilities, so many times each."""
        paths = [str(self.files / "cities-france.csv"), str(self.files / "bpe21_ensemble_xy.csv")]
        subprocess.run([sys.executable, "-m", "bench.bpe", *paths, str(BPE_ROWS), str(copies)], check=True)

    @contextmanager
    def place(self) -> Iterator[dict[str, str]]:
        """The environment of a process: the files, an empty folder for what it keeps, an empty database."""
        engine = create_engine(self.server)
        with engine.connect() as connection:
            connection.exec_driver_sql("DROP DATABASE IF EXISTS bench")
            connection.exec_driver_sql("CREATE DATABASE bench CHARACTER SET utf8mb4")
        engine.dispose()
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            yield {
                "MOBIVILLE_RAW_DATA": str(self.files),
                "MOBIVILLE_DUMPS": str(self.files / "datalake"),
                "MOBIVILLE_STAGING": f"{folder}/staging",
                "MOBIVILLE_WAREHOUSE_URL": f"{self.server}/bench",
                "DAGSTER_HOME": f"{folder}/dagster",
            }


def whole(bench: Bench) -> list[Row]:
    """The scripts and the refresh in turn, then a refresh with nothing new: time, memory, and time per table.

    Raises SystemExit when they do not make the same tables, value by value.
    """
    ours: list[Run] = []
    idle: list[Run] = []
    scripts: dict[str, list[Run]] = {FLOOR: [], DUCKDB: []}
    made: dict[str, dict[str, str]] = {}
    for _ in range(bench.runs):
        for name, runs in scripts.items():
            with bench.place() as place:
                runs.append(script(name, place, bench.schema))
                made[name] = contents(place)
        with bench.place() as place:
            ours.append(refresh(place))
            served = contents(place)
            idle.append(refresh(place))
        for name, tables in made.items():
            if other := [table for table, digest in tables.items() if digest != served[table]]:
                raise SystemExit(f"{name} makes other tables than the refresh: {', '.join(other)}")
    floors = scripts[FLOOR]
    seconds = statistics.median(run.seconds for run in ours)
    memory = [max(run.peak_mib for run in runs) for runs in (ours, floors)]
    return [
        row("refresh", seconds, statistics.median(r.seconds for r in floors), "s", "2.2 at most"),
        row(
            "refresh / DuckDB script",
            seconds,
            statistics.median(r.seconds for r in scripts[DUCKDB]),
            "s",
            "1.5 at most",
        ),
        row("first line of output", statistics.median(r.first_line for r in ours), 0, "s", "0.5 s at most"),
        row("peak memory", memory[0], memory[1], "MiB", "600 MiB at most"),
        row("nothing new / refresh", statistics.median(r.seconds for r in idle), seconds, "s", "1 s at most"),
        *per_table(ours, floors),
    ]


def per_table(ours: list[Run], floors: list[Run]) -> list[Row]:
    """Medians per table: making its rows, checks included. Loads run beside them."""
    rows = []
    for table in floors[0].made:
        us, them = (statistics.median(run.made[table] for run in runs) for runs in (ours, floors))
        rows.append(row(f"  made {table}", us, them, "s", ""))
    return rows


def memory(bench: Bench) -> list[Row]:
    """Peak memory of a refresh from a BPE of 13.5 million rows, beside one of 2.7 million of the same pairs."""
    peaks = []
    for copies in (COPIES, 1):
        bench.bpe(copies)
        with bench.place() as place:
            peaks.append(refresh(place).peak_mib)
    return [row("peak memory, 13.5 M rows / 2.7 M", peaks[0], peaks[1], "MiB", "not growing")]


def validation(bench: Bench) -> list[Row]:
    """A refresh beside the same without its expectations and Data Docs, in turn."""
    both: tuple[list[float], list[float]] = ([], [])
    for _ in range(bench.runs):
        for seconds, checked in zip(both, (True, False), strict=True):
            with bench.place() as place:
                seconds.append(refresh(place, checked=checked).seconds)
    ours, unchecked = map(statistics.median, both)
    return [row("refresh / without validation", ours, unchecked, "s", "1.2 at most")]


LOADING = """
import sys, time, pathlib, pandas, pyarrow.parquet as pq
from warehouse import tables
from warehouse.database import connect
from warehouse.load import load
path, url, name = sys.argv[1:]
engine, table, frame = connect(url), tables.metadata.tables[name], pandas.read_parquet(path)
started = time.perf_counter()
load(engine, table, pq.ParquetFile(path).iter_batches(100_000))
print(time.perf_counter() - started)
table.drop(engine, checkfirst=True)
table.create(engine)
started = time.perf_counter()
frame.to_sql(name, engine, if_exists="append", index=False, chunksize=10_000)
print(time.perf_counter() - started)
"""


def loading(bench: Bench) -> list[Row]:
    """Loading the largest table, index included, beside pandas.to_sql in chunks of 10,000 rows."""
    with bench.place() as place:
        rows = refresh(place).rows[LOADED]
        path = Path(place["MOBIVILLE_STAGING"]) / f"{LOADED}.parquet"
        command = [sys.executable, "-c", LOADING, str(path), place["MOBIVILLE_WAREHOUSE_URL"], LOADED]
        both = [
            [float(line) for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()]
            for _ in range(bench.runs)
        ]
    ours, to_sql = (statistics.median(times) for times in zip(*both, strict=True))
    return [row(f"load of {rows:,} rows / to_sql", ours, to_sql, "s", "0.33 at most")]


def api(bench: Bench) -> list[Row]:
    """The read API on the whole warehouse, one worker, beside the same server answering a constant."""
    with bench.place() as place:
        refresh(place)
        return measure_api(place)


def days(bench: Bench) -> list[Row]:
    """Many dumps of full size, one per day."""
    (real,) = (REAL_DATA / "datalake").iterdir()
    with bench.place() as place, tempfile.TemporaryDirectory(dir=bench.folder) as dumps:
        return measure_days(place | {"MOBIVILLE_DUMPS": dumps}, real, Path(dumps), bench.days)


def night(bench: Bench) -> list[Row]:
    """Refreshes that each find one new dump, beside that of everything."""
    (real,) = (REAL_DATA / "datalake").iterdir()
    with bench.place() as place, tempfile.TemporaryDirectory(dir=bench.folder) as dumps:
        place["MOBIVILLE_DUMPS"] = dumps
        shutil.copy(real, dumps)
        everything, nights = refresh(place).seconds, []
        for number in range(bench.runs):
            write_dumps(real, Path(dumps), number, number + 1)
            nights.append(refresh(place).seconds)
    return [row("one new dump / refresh", statistics.median(nights), everything, "s", "5 s at most")]


MEASUREMENTS = {
    "refresh": whole,
    "validation": validation,
    "night": night,
    "loading": loading,
    "memory": memory,
    "api": api,
    "days": days,
}


def main() -> None:
    """Print the figures, as a table or as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="of each side, in turn; medians are shown (default 3)")
    parser.add_argument("--days", type=int, default=365, help="dumps that are read (default 365)")
    parser.add_argument("--only", choices=MEASUREMENTS, action="append", help="may be given several times")
    parser.add_argument("--json", action="store_true", help="for a machine")
    options = parser.parse_args()
    if not REAL_DATA.is_dir():
        parser.exit(2, "no real files: set MOBIVILLE_REAL_DATA to their folder\n")
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mobiville-bench-") as temporary:
        folder = Path(temporary)
        (folder / "server").mkdir()
        server = PrivateServer(folder / "server", *mariadb_programs())
        bench = Bench(folder, server.start(), options.runs, options.days)
        try:
            bench.bpe(1)
            rows = [row for name in options.only or MEASUREMENTS for row in MEASUREMENTS[name](bench)]
        finally:
            server.process.terminate()
            server.process.wait()
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{os.cpu_count()} cores; medians of {options.runs}; {time.monotonic() - started:.0f} s in all")
    print(f"{'':<48}{'ours':>9}{'beside':>9}     {'ratio':>6}  target")
    for r in rows:
        print(f"{r['what']:<48}{r['ours']:>9}{r['beside']:>9} {r['unit']:<4}{r['ratio']!s:>6}  {r['target']}")


if __name__ == "__main__":
    main()
