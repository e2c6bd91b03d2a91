"""Commands that are killed, or told to end, at any moment: what is served stays whole, and what is said is true."""

import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import dagster as dg
import pytest
from sqlalchemy import Engine

import raw_data
from schedules.runs import ENDED, UNDER_WAY
from tests.conftest import free_port, soak
from tests.pipelines.conftest import environment_with, run_in, stopped_in
from tests.schedules.test_runs import asked, wait_for
from warehouse.database import connect
from warehouse.lock import holder

KILLS = soak(1, 50)
"""Of each command on a database; the signals take turns."""
SIGNALS = (signal.SIGTERM, signal.SIGKILL)
LOOK = """SELECT (SELECT MAX(id) FROM releases), (SELECT title FROM helps ORDER BY id LIMIT 1),
    (SELECT MIN(average_delay_obtain_social_housing) FROM new_regions),
    (SELECT COUNT(*) FROM helps), (SELECT COUNT(*) FROM new_regions),
    (SELECT row_count FROM release_tables WHERE table_name = 'helps' ORDER BY release_id DESC LIMIT 1),
    (SELECT row_count FROM release_tables WHERE table_name = 'new_regions' ORDER BY release_id DESC LIMIT 1)"""
EARLIER = (
    "UPDATE mobiville_alembic SET version_num = '0004'",
    "ALTER TABLE cities DROP COLUMN name",
    "DROP TABLE former_communes",
    "DROP TABLE offers_history",
)
"""From today's tables to those of 0.1.0."""


class Installation:
    """A folder with raw files and a warehouse that serves two tables, both of which say the same number."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.engine = folder, connect(url)
        self.took: dict[str, float] = {}  # the seconds of each command
        self.settings = {"warehouse_url": url, "raw_data": str(folder / "files")}
        shutil.copytree(raw_data.SAMPLE, folder / "files")

    def change(self, number: int) -> None:
        """Make files that differ in a number."""
        for name, pattern, replacement in (
            ("helps.json", r'(?s)\A(.*?"title": )"[^"]*"', rf'\g<1>"{number:03}"'),
            ("regions-social-housing.json", r'(Delay": )(\d+|null)', rf"\g<1>{number}"),
        ):
            file = self.folder / "files" / name
            file.write_text(re.sub(pattern, replacement, file.read_text()))

    def ok(self, *arguments: str) -> str:
        """Run a command that works; what it says."""
        started = time.monotonic()
        ended = run_in(self.folder, *arguments, **self.settings)
        self.took[arguments[0]] = time.monotonic() - started
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def look(self) -> tuple[int, int]:
        """The release, and the number of its tables, in one statement of plain SQL: all is of one release."""
        with self.engine.begin() as connection:
            release, title, number, *rows = connection.exec_driver_sql(LOOK).one()
        assert int(title) == number
        assert rows[:2] == rows[2:]
        return release, number

    def is_free(self) -> bool:
        """Whether nobody holds the lock; a server may take a moment to notice that a connection ended."""
        end = time.monotonic() + 10
        while holder(self.engine) and time.monotonic() < end:
            time.sleep(0.05)
        return holder(self.engine) is None


@pytest.fixture
def installation(tmp_path: Path, warehouse_url: str) -> Iterator[Installation]:
    made = Installation(tmp_path, warehouse_url)
    made.change(0)
    made.ok("migrate")
    made.ok(*REFRESH)
    yield made
    made.engine.dispose()


REFRESH = ("refresh", "--sample", "--only", "helps", "--only", "new_regions")


def ended_truly(ended: CompletedProcess[str], number: signal.Signals, published: bool) -> None:
    """Exit code and words say what became of a command that was stopped."""
    said = f"{ended.returncode}: {ended.stdout}{ended.stderr}"
    assert "Traceback" not in said, said
    if number == signal.SIGKILL:
        assert ended.returncode in (0, -signal.SIGKILL), said
    elif ended.returncode == -signal.SIGTERM:  # before the command had begun
        assert not published, said
        assert ended.stdout + ended.stderr == "", said
    elif ended.returncode:
        assert ended.returncode == 130, said
        assert ended.stderr.splitlines()[-1].startswith("interrupted"), said
        assert ("is published" in ended.stderr) == published, said


def stopped(
    installation: Installation, seed: int, kills: int, prepare: Callable[[int], tuple[str, ...]], numbers: bool
) -> None:
    """Stop a command over and over. `prepare`: makes it have something to do, and gives its arguments; `numbers`:
    whether it serves the number that it was prepared with.
    """
    rng = random.Random(seed)
    for kill in range(kills):
        number = SIGNALS[(seed + kill) % len(SIGNALS)]
        arguments, (release, served) = prepare(1 + kill), installation.look()
        seconds = rng.uniform(0, installation.took[arguments[0]])
        ended = stopped_in(installation.folder, number, seconds, *arguments, **installation.settings)
        assert installation.is_free()
        now, found = installation.look()
        ended_truly(ended, number, now > release)
        assert (now > release) == (found != served)
        assert now > release or ended.returncode or not numbers
        installation.ok(*arguments)
        if numbers:
            assert installation.look()[1] != served


@pytest.mark.parametrize("warehouse_url", ["sqlite", "mariadb"][: soak(1, 2)], indirect=True)
@pytest.mark.soak
def test_whenever_a_command_is_stopped_what_is_served_stays_whole(installation: Installation) -> None:
    backups = installation.folder / "backups"
    first = str(installation.ok("backup", "--to", str(backups)).splitlines()[-1])

    def refreshed(number: int) -> tuple[str, ...]:
        installation.change(number)
        return REFRESH

    stopped(installation, 1, KILLS, refreshed, numbers=True)
    with dg.DagsterInstance.from_config(str(installation.folder / "var" / "dagster")) as instance:
        assert instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY)) == []
    second = str(installation.ok("backup", "--to", str(backups / "2")).splitlines()[-1])
    installation.ok("restore", second)
    stopped(installation, 2, KILLS, lambda number: ("restore", (second, first)[number % 2]), numbers=True)
    more = backups / "more"
    stopped(installation, 3, KILLS, lambda _: ("backup", "--to", str(more)), numbers=False)
    for file in more.glob("*.bz2"):
        expected = json.loads(file.with_name(f"{file.name}.json").read_text())["sha256"]
        assert hashlib.sha256(file.read_bytes()).hexdigest() == expected
    assert list(more.glob(".*")) == []
    stopped(installation, 4, KILLS, lambda _: earlier(installation.engine), numbers=False)


def earlier(engine: Engine) -> tuple[str, ...]:
    """Make the tables those of an earlier version, which `migrate` brings forward."""
    with engine.begin() as connection:
        for statement in EARLIER:
            connection.exec_driver_sql(statement)
    return ("migrate",)


LAUNCH = """mutation { launchRun(executionParams: {selector: {
    repositoryLocationName: "mobiville", repositoryName: "__repository__", jobName: "refresh", assetSelection: [
    {path: ["staged", "helps"]}, {path: ["staged", "new_regions"]},
    {path: ["warehouse", "helps"]}, {path: ["warehouse", "new_regions"]}]}})
    { __typename ... on LaunchRunSuccess { run { runId } } } }"""


@contextlib.contextmanager
def ui(folder: Path, port: int, environment: dict[str, str]) -> Iterator[None]:
    """`mobiville ui`, with its servers and its daemon."""
    command = [str(Path(sys.executable).parent / "mobiville"), "ui", "--port", str(port)]
    with (folder / "ui.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def launched(port: int, instance: dg.DagsterInstance) -> tuple[str, int]:
    """A run that the UI was asked for, and the process that it is in."""
    run_id = re.findall(r'"runId": ?"([^"]+)"', wait_for(lambda: asked(port, LAUNCH)))[0]
    started = r"Started process for run \(pid: (\d+)\)"
    found = wait_for(lambda: re.findall(started, " ".join(e.message for e in instance.all_logs(run_id))))
    return run_id, int(found[0])


@pytest.mark.parametrize("warehouse_url", ["sqlite"], indirect=True)
@pytest.mark.soak
def test_whenever_a_run_of_the_ui_is_killed_what_is_served_stays_whole_and_the_next_one_runs(
    installation: Installation,
) -> None:
    port, rng = free_port(), random.Random(5)
    settings = installation.settings | {"sensor_seconds": "5"}
    with (
        ui(installation.folder, port, environment_with(**settings)),
        dg.DagsterInstance.from_config(str(installation.folder / "var" / "dagster")) as instance,
    ):
        for kill in range(soak(1, 100)):
            installation.change(1 + kill)
            served = installation.look()[1]
            run_id, process = launched(port, instance)
            time.sleep(rng.uniform(0, installation.took["refresh"]))
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, SIGNALS[kill % len(SIGNALS)])
            wait_for(lambda run_id=run_id: instance.get_runs(dg.RunsFilter([run_id], statuses=ENDED)))
            assert installation.is_free()
            assert installation.look()[1] in (served, 1 + kill)
            launched(port, instance)
            wait_for(lambda kill=kill: installation.look()[1] == 1 + kill)
