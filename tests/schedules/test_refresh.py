import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from assets.common.staleness import served_release
from pipelines.definitions import definitions
from resources.settings import Settings
from schedules import refresh
from tests.schedules.conftest import Webhook
from warehouse import tables
from warehouse.database import connect
from warehouse.release import rollback


def tonight(settings: Settings) -> tuple[list[dg.RunRequest], str]:
    """What the nightly refresh asks for, and what it says when it does not."""
    repository = definitions(settings).get_repository_def()
    context = dg.build_schedule_context(dg.DagsterInstance.ephemeral(), repository_def=repository)
    data = repository.get_schedule_def("nightly_refresh").evaluate_tick(context)
    return list(data.run_requests or []), data.skip_message or ""


def chosen(request: dg.RunRequest) -> set[str]:
    return {key.to_user_string() for key in request.asset_selection or []}


def run(
    settings: Settings, request: dg.RunRequest, instance: dg.DagsterInstance | None = None, *, works: bool = True
) -> dg.ExecuteInProcessResult:
    job = definitions(settings).resolve_job_def("refresh")
    chosen = list(request.asset_selection or [])
    result = job.execute_in_process(instance=instance, asset_selection=chosen, raise_on_error=works)
    assert result.success == works
    return result


def change_helps(settings: Settings) -> None:
    helps = settings.raw_data / "helps.json"
    helps.write_text(helps.read_text().replace('"title": "', '"title": "X ', 1))


ONE_FILE = {"raw/helps", "staged/helps", "warehouse/helps", "downloads"}


def test_a_night_without_changes_starts_no_run(served: Settings) -> None:
    requests, said = tonight(served)
    assert requests == []
    assert said == "nothing new: release 1 stays as it is"


def test_a_night_rebuilds_what_depends_on_a_changed_file(served: Settings) -> None:
    change_helps(served)
    (request,), _ = tonight(served)
    assert chosen(request) == ONE_FILE
    assert request.tags["mobiville/why"] == "nightly refresh; to make: helps; to publish: helps"
    (published,) = run(served, request).asset_materializations_for_node("warehouse")
    assert published.metadata["rows changed"].value == 1
    release = served_release(served)
    assert release is not None
    assert [t.name for t in release.tables.values() if t.contents_id == 2] == ["helps"]
    assert tonight(served)[0] == []


def test_a_night_builds_everything_at_first_and_publishes_the_newest_after_a_rollback(
    served: Settings, tmp_path: Path
) -> None:
    fresh = served.model_copy(update={"staging": tmp_path / "none", "warehouse_url": f"sqlite:///{tmp_path / 'n.db'}"})
    (request,), _ = tonight(fresh)
    assert len([name for name in chosen(request) if name.startswith("warehouse/")]) == len(tables.metadata.tables)
    change_helps(served)
    run(served, tonight(served)[0][0])
    engine = connect(served.warehouse_url)
    rollback(engine, None, keep=1)
    engine.dispose()
    (request,), _ = tonight(served)
    assert chosen(request) == {"warehouse/helps", "downloads"}


def test_files_that_could_not_be_written_are_written_the_next_night(
    served: Settings, ticks_of: Any, webhook: Webhook
) -> None:
    instance = dg.DagsterInstance.ephemeral()
    tick = ticks_of("failure_alert", served.model_copy(update={"alert_webhook": SecretStr(webhook.url)}), instance)
    tick()
    change_helps(served)
    in_the_way = served.exports / ".2.partial"
    in_the_way.touch()
    run(served, tonight(served)[0][0], instance, works=False)
    tick()
    assert [(sent["asset"], sent["state"]) for sent in webhook.posted] == [("downloads", "failed")]
    assert "the files of release 2 could not be written" in webhook.posted[0]["error"]
    in_the_way.unlink()
    (request,), _ = tonight(served)
    assert chosen(request) == {"downloads"}
    assert request.tags["mobiville/why"].endswith("to publish: nothing; to export: the served release")
    run(served, request, instance)
    tick()
    assert webhook.posted[-1]["state"] == "over"
    assert tonight(served)[0] == []


def test_a_changed_raw_file_starts_one_run_once_it_no_longer_changes(
    served: Settings, ticks_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = dg.DagsterInstance.ephemeral()
    tick = ticks_of("raw_files_changed", served, instance)
    assert "waiting until it no longer changes" in tick().skip_message
    assert tick().skip_message == "no file changed since release 1"
    change_helps(served)
    assert "waiting until it no longer changes" in tick().skip_message
    seen = tick()
    (request,) = seen.run_requests
    assert chosen(request) == ONE_FILE
    assert request.tags["mobiville/why"].startswith("changed: helps; to make: helps")
    assert "a run was started already" in tick().skip_message
    failed = instance.create_run_for_job(definitions(served).resolve_job_def("refresh"), tags=request.tags)
    instance.report_run_failed(failed)
    assert "a run was started already" in tick().skip_message
    monkeypatch.setattr(refresh, "PAUSE_SECONDS", -1)
    (again,) = tick().run_requests
    assert (chosen(again), again.run_key != request.run_key) == (ONE_FILE, True)
    run(served, request)
    assert "no file changed since release 2" in tick().skip_message
    assert json.loads(seen.cursor)["asked"]


def test_a_removed_file_refreshes_what_reads_it(served: Settings, ticks_of: Any) -> None:
    tick = ticks_of("raw_files_changed", served)
    tick()
    (served.raw_data / "unix_referentiel_appellation_v346_utf8.csv").unlink()
    tick()
    (request,) = tick().run_requests
    read = {"raw/rome_api", "raw/rome_appellations", "staged/rome_ogrs", "warehouse/romeogrs"}
    assert chosen(request) == {*read, "downloads"}


def test_before_the_first_release_the_sensors_wait(served: Settings, ticks_of: Any, tmp_path: Path) -> None:
    fresh = served.model_copy(update={"warehouse_url": f"sqlite:///{tmp_path / 'n.db'}"})
    for name in ("raw_files_changed", "new_dump"):
        tick = ticks_of(name, fresh)
        tick()
        assert tick().skip_message == "no release is served yet: the first refresh builds everything"


def test_the_backup_starts_once_a_release_is_served(served: Settings, tmp_path: Path) -> None:
    empty = served.model_copy(update={"warehouse_url": f"sqlite:///{tmp_path}/n.db"})
    for settings, asked in ((served, 1), (empty, 0)):
        defs = definitions(settings)
        context = dg.build_schedule_context(dg.DagsterInstance.ephemeral(), repository_def=defs.get_repository_def())
        data = defs.get_repository_def().get_schedule_def("daily_backup").evaluate_tick(context)
        assert len(data.run_requests or []) == asked
    assert definitions(served).resolve_job_def("backup").execute_in_process().success
    assert len(list(served.backups.glob("mobiville-*-r1.db.bz2"))) == 1
