"""Dagster's history, whose connections stay open: nothing is lost, and who watches a run sees it go on."""

import time
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from pipelines import event_log


@dg.op
def told(context: dg.OpExecutionContext) -> None:
    context.log.info("under way")


@dg.job
def telling() -> None:
    told()


def home(tmp_path: Path) -> str:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    event_log.keep_open()
    return str(tmp_path)


def test_another_process_reads_what_was_written_and_no_more_files_than_some_stay_open(tmp_path: Path) -> None:
    with dg.DagsterInstance.from_config(home(tmp_path)) as instance:
        runs = [telling.execute_in_process(instance=instance).run_id for _ in range(event_log.OPEN + 2)]
        assert len(instance.event_log_storage._engines) == event_log.OPEN  # type: ignore[attr-defined]
        with dg.DagsterInstance.from_config(str(tmp_path)) as another:
            for run in runs:
                said = [entry.user_message for entry in another.all_logs(run)]
                assert "under way" in said
                assert another.get_run_by_id(run).is_success  # type: ignore[union-attr]


def test_no_journal_stays_beside_a_history_that_was_left(tmp_path: Path) -> None:
    with dg.DagsterInstance.from_config(home(tmp_path)) as instance:
        run = telling.execute_in_process(instance=instance).run_id
        assert [*tmp_path.rglob("*.db-wal")]
    assert [*tmp_path.rglob(f"{run}.db")]
    assert [*tmp_path.rglob("*.db-wal")] == []


def test_who_watches_a_run_is_told_of_each_event(tmp_path: Path) -> None:
    with dg.DagsterInstance.from_config(home(tmp_path)) as writer:
        job_run = writer.create_run_for_job(telling)
        writer.report_engine_event("the first", job_run)
        with dg.DagsterInstance.from_config(str(tmp_path)) as reader:
            storage, seen = reader.event_log_storage, list[str]()
            assert isinstance(storage, SqliteEventLogStorage)
            storage.watch(job_run.run_id, None, lambda entry, _: seen.append(entry.message))
            for words in ("the second", "the third"):
                writer.report_engine_event(words, job_run)
                end = time.monotonic() + 20
                while words not in seen and time.monotonic() < end:
                    time.sleep(0.05)
                assert words in seen


def test_a_history_is_not_asked_again_for_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with dg.DagsterInstance.from_config(home(tmp_path)) as instance:
        storage = instance.event_log_storage
        assert isinstance(storage, SqliteEventLogStorage)
        assert not storage.has_table("nope")
        assert storage.has_table("asset_check_executions")
        monkeypatch.setattr(SQLiteDialect, "has_table", lambda *_: pytest.fail("it was asked again"))
        assert storage.has_table("asset_check_executions")
        with pytest.raises(pytest.fail.Exception):
            storage.has_table("nope")
