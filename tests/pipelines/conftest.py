"""Running the `mobiville` command as a user does, in a process and a folder of its own."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine

import raw_data

Command = Callable[..., subprocess.CompletedProcess[str]]

PROCESSES = multiprocessing.get_context("forkserver")
"""Each command is a process forked from one that has imported what commands import: seconds less than a new one."""
PROCESSES.set_forkserver_preload(["pipelines.cli", "pipelines.run", "great_expectations"])


def environment_with(**settings: str) -> dict[str, str]:
    """This process's environment without what the product reads, and MOBIVILLE_* settings given by name."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("MOBIVILLE_", "DAGSTER_"))}
    return own | {f"MOBIVILLE_{name.upper()}": value for name, value in settings.items()}


def run_in(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """`mobiville ARGUMENTS` in `folder`, with MOBIVILLE_* settings given by name."""
    return stopped_in(folder, None, 0, *arguments, **settings)


def stopped_in(
    folder: Path, number: signal.Signals | None, seconds: float, *arguments: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    """`run_in`, with a signal sent to it after some seconds, if it still runs then."""
    with tempfile.TemporaryDirectory(prefix="mobiville-said-") as said:
        files = [str(Path(said) / name) for name in ("stdout", "stderr")]
        process = PROCESSES.Process(target=_command, args=(folder, arguments, environment_with(**settings), files))
        process.start()
        if number:
            process.join(seconds)
            if process.is_alive() and process.pid:
                os.kill(process.pid, number)
        process.join()
        texts = [Path(file).read_text() if Path(file).exists() else "" for file in files]
    return subprocess.CompletedProcess(arguments, process.exitcode or 0, *texts)


def _command(folder: Path, arguments: tuple[str, ...], environment: dict[str, str], files: list[str]) -> None:
    for number, file in enumerate(files, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    from pipelines.cli import main

    main(list(arguments), prog_name="mobiville")


def started(folder: Path, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    """A command that goes on while a test does something to it; what it says can be read line by line."""
    environment = environment_with(**settings) | {"PYTHONUNBUFFERED": "1"}
    command = [str(Path(sys.executable).parent / "mobiville"), *arguments]
    return subprocess.Popen(command, cwd=folder, env=environment, text=True, stdout=-1, stderr=-1)


@pytest.fixture
def mobiville(tmp_path: Path) -> Command:
    """`mobiville` in an empty folder."""
    return lambda *arguments, **settings: run_in(tmp_path, *arguments, **settings)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A copy of the sample that a test may break."""
    return Path(shutil.copytree(raw_data.SAMPLE, tmp_path / "files"))


def changed(sample: Path) -> None:
    """Change a title of the helps."""
    helps = sample / "helps.json"
    helps.write_text(helps.read_text().replace('"title": "', '"title": "X ', 1))


def served(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every served table of the default warehouse, by table."""
    engine = create_engine(f"sqlite:///{folder / 'var' / 'warehouse.db'}")
    with engine.connect() as connection:
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
        return {
            name: [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {name}")]
            for name in names
            if "__" not in name and not name.startswith("release")
        }


def last_release(mobiville: Command, **settings: str) -> int:
    """The number of the served release; 0 where there is none."""
    return int(json.loads(mobiville("status", "--json", **settings).stdout)["release"] or 0)
