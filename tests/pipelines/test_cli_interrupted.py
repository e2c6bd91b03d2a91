"""A refresh that is interrupted, killed, or meets another writer."""

import logging
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner
from filelock import FileLock
from sqlalchemy import Engine, create_engine

from assets.common.trial import execute
from pipelines.cli import main
from pipelines.cli.publishing import publishing
from resources.settings import Settings
from tests.conftest import PrivateServer, mariadb_programs
from tests.pipelines.conftest import Command, last_release, started
from tests.warehouse.factories import done, jobs
from warehouse import tables
from warehouse.contents import read_contents
from warehouse.database import connect
from warehouse.errors import WarehouseError
from warehouse.lock import only_writer


@pytest.mark.parametrize(
    ("stopped_at", "number"),
    [("raw_files", signal.SIGINT), ("cities ", signal.SIGTERM), ("  swapping", signal.SIGINT)],
)
def test_an_interrupted_refresh_says_in_a_line_what_is_served(
    mobiville: Command, tmp_path: Path, stopped_at: str, number: signal.Signals
) -> None:
    with started(tmp_path, "refresh") as process:
        assert process.stdout
        assert process.stderr
        for line in process.stdout:
            if line.startswith(stopped_at):
                process.send_signal(number)
        said = process.stderr.read()
    if process.returncode == 0:  # it was done before it heard
        assert stopped_at == "  swapping"
    else:
        assert (process.returncode, said.count("\n")) == (130, 1)
    assert ("nothing was published" in said) == (last_release(mobiville) == 0)


@dg.asset
def first() -> int:
    return 1


@dg.asset
def second(first: int) -> int:
    return first + 1


@pytest.mark.parametrize("moment", ["PIPELINE_START", "STEP_START", "ASSET_MATERIALIZATION", "STEP_SUCCESS"])
def test_an_interruption_is_one_at_any_moment_of_a_run(moment: str) -> None:
    """Between two steps too, where Dagster fails the run and no step."""

    class Interrupting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            event = getattr(record, "dagster_meta", {}).get("dagster_event")
            if event and event.event_type_value == moment and event.step_key in (None, "first"):
                os.kill(os.getpid(), signal.SIGTERM)

    def logger(_context: dg.InitLoggerContext) -> logging.Logger:
        made = logging.Logger("interrupting", logging.DEBUG)
        made.addHandler(Interrupting())
        return made

    config: dict[str, Any] = {"loggers": {"interrupting": {}}}
    job = dg.define_asset_job("job", config=config)
    defs = dg.Definitions([first, second], jobs=[job], loggers={"interrupting": dg.LoggerDefinition(logger)})
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # as the commands do
    try:
        with dg.DagsterInstance.ephemeral() as instance, pytest.raises(KeyboardInterrupt):
            execute(defs.resolve_job_def("job"), instance, [first.key, second.key], [], config)
    finally:
        signal.signal(signal.SIGTERM, before)


class Interrupted(sqlite3.Connection):
    """A connection that is in the middle of something from then on."""

    is_cut = False

    def rollback(self) -> None:
        if self.is_cut:
            raise sqlite3.OperationalError("packet sequence number wrong")


def test_a_connection_that_was_interrupted_is_closed_without_a_word(caplog: pytest.LogCaptureFixture) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert CliRunner().invoke(main, ["config"]).exit_code == 0
    signal.signal(signal.SIGTERM, before)
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(":memory:", factory=Interrupted))
    connection = engine.connect()
    connection.connection.dbapi_connection.is_cut = True  # type: ignore[union-attr]
    connection.close()
    assert caplog.records == []


def test_a_command_that_is_told_to_end_says_so_in_a_line(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'var' / 'warehouse.db'}")
    with only_writer(engine), started(tmp_path, "backup") as process:
        assert process.stdout
        assert process.stderr
        assert "the warehouse is being written by " in process.stdout.readline()
        process.terminate()
        assert process.stderr.read() == "interrupted\n"
    assert process.returncode == 130
    engine.dispose()


def test_an_interruption_after_the_swap_says_that_it_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_lock: FileLock) -> None:
        raise KeyboardInterrupt

    settings = Settings(warehouse_url=f"sqlite:///{tmp_path / 'warehouse.db'}")
    (tmp_path / "new").mkdir()

    def publish_it() -> None:
        with publishing(settings) as engine:
            done(engine, jobs(tmp_path / "new", 1))
            monkeypatch.setattr(FileLock, "release", interrupted)

    with pytest.raises(SystemExit, match="130"):
        publish_it()
    monkeypatch.undo()
    assert capsys.readouterr().err == "interrupted: release 1 is published, but something after it failed\n"


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), "130"), (OSError("the disk is gone"), "3")])
def test_what_is_served_is_known_also_when_rows_were_being_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], error: BaseException, code: str
) -> None:
    settings = Settings(warehouse_url=f"sqlite:///{tmp_path / 'warehouse.db'}")
    (tmp_path / "new").mkdir()

    def read_a_part(engine: Engine) -> None:
        batches = read_contents(engine, tables.cities_jobs)
        next(batches)
        raise error

    def publish_and_read() -> None:
        with publishing(settings) as engine:
            done(engine, jobs(tmp_path / "new", 1))
            try:
                read_a_part(engine)
            except OSError as cause:  # as `export` does
                raise WarehouseError("the files could not be written") from cause

    with pytest.raises(SystemExit, match=code):
        publish_and_read()
    assert "elease 1 is published, but something after it failed" in capsys.readouterr().err


def test_an_interruption_that_became_an_error_of_the_connection_is_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def cut() -> None:
        with publishing(Settings(warehouse_url=f"sqlite:///{tmp_path / 'warehouse.db'}")):
            try:
                raise KeyboardInterrupt
            finally:
                raise WarehouseError("(0, '')")

    with pytest.raises(SystemExit, match="130"):
        cut()
    assert capsys.readouterr().err == "interrupted: nothing was published: the served release is as it was\n"


def test_what_fails_after_the_swap_is_exit_code_3(mobiville: Command, sample: Path, tmp_path: Path) -> None:
    (tmp_path / "var" / "staging" / "refresh.json").mkdir(parents=True)  # where the end of a refresh is noted
    failed = mobiville("refresh")
    assert failed.returncode == 3
    assert "Release 1 is published, but something after it failed." in failed.stderr
    assert "Nothing was published" not in failed.stderr
    assert last_release(mobiville) == 1


@pytest.mark.parametrize("killed_at", ["loading cities_jobs", "swapping"])
def test_a_server_that_restarts_under_a_refresh_gets_true_words(
    mobiville: Command, tmp_path: Path, killed_at: str
) -> None:
    server = PrivateServer(tmp_path, *mariadb_programs())
    with closing(connect(f"{server.start()}/mysql").raw_connection()) as root:
        root.cursor().execute("CREATE DATABASE mobiville")
    url, restarted = f"{server.url}/mobiville", False
    with started(tmp_path, "refresh", "--sample", warehouse_url=url) as process:
        assert process.stdout
        assert process.stderr
        for line in process.stdout:
            if killed_at in line and not restarted:
                restarted = True
                server.process.kill()
                server.process.wait()
                server.start()
        said = process.stderr.read()
    published = last_release(mobiville, warehouse_url=url) == 1
    assert restarted
    if process.returncode:  # steps are tried again: most often all is well once the server is back
        assert process.returncode == (3 if published else 1), said
        assert ("Release 1 is published" if published else "Nothing was published") in said
    assert "Traceback" not in said
    server.process.terminate()
    server.process.wait()


def test_a_killed_refresh_leaves_no_run_that_holds_up_others(mobiville: Command, tmp_path: Path) -> None:
    with started(tmp_path, "refresh") as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith("raw_files"):
                process.kill()
    with dg.DagsterInstance.from_config(str(tmp_path / "var" / "dagster")) as instance:
        assert [run.status.value for run in instance.get_runs()] == ["STARTED"]
        again = mobiville("refresh")
        assert "was killed before its end, and is noted as failed" in again.stdout
        assert [run.status.value for run in instance.get_runs()] == ["SUCCESS", "FAILURE"]


def test_a_second_refresh_says_who_holds_the_first_and_leaves_when_told(
    mobiville: Command, tmp_path: Path, warehouse_url: str
) -> None:
    engine = connect(warehouse_url)
    with only_writer(engine):
        left = mobiville("refresh", "--sample", "--no-wait", warehouse_url=warehouse_url)
    assert left.returncode == 1
    assert "the warehouse is being written by " in left.stderr
    assert mobiville("refresh", "--sample", "--no-wait", warehouse_url=warehouse_url).returncode == 0
    engine.dispose()
