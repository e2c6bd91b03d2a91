import bz2
import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from assets.raw_files import WHOLE
from pipelines.definitions import definitions
from resources.settings import Settings
from schedules import refresh
from tests.schedules.conftest import Tick, Webhook

OF_THE_DAYS = {"raw/offers_days", "staged/offers_history", "warehouse/offers_history", "downloads"}
OF_A_DUMP = {"raw/offers_dump", "staged/cities_jobs", "warehouse/cities_jobs"} | OF_THE_DAYS


@pytest.fixture
def tick(served: Settings, ticks_of: Any) -> Tick:
    """The sensor, after it has seen what is there."""
    tick: Tick = ticks_of("new_dump", served)
    assert "waiting until none changes" in str(tick().skip_message)
    assert "are loaded already, by another refresh" in str(tick().skip_message)
    assert "nothing new" in str(tick().skip_message)
    return tick


def dump(served: Settings, day: str) -> Path:
    """A dump of that day: the sample's, and an offer more."""
    sample = bz2.decompress((served.dumps_folder / "20211221_mv_villes_offre_full.csv.bz2").read_bytes())
    path = served.dumps_folder / f"{day}_mv_villes_offre_full.csv.bz2"
    path.write_bytes(bz2.compress(sample + f"01004;A1101;7;{day}\n".encode()))
    return path


def test_a_new_dump_is_loaded_once_its_size_no_longer_changes(served: Settings, tick: Tick) -> None:
    path = dump(served, "20211222")
    whole = path.read_bytes()
    path.write_bytes(whole[:40])
    assert "waiting until none changes" in str(tick().skip_message)
    path.write_bytes(whole)
    assert "waiting until none changes" in str(tick().skip_message)
    (request,) = tick().run_requests or []
    assert {key.to_user_string() for key in request.asset_selection or []} == OF_A_DUMP
    assert request.run_key
    assert request.tags["mobiville/why"].startswith(
        "new dumps, the newest is 20211222_mv_villes_offre_full.csv.bz2, sha256 "
    )
    assert "nothing new" in str(tick().skip_message)
    job = definitions(served).resolve_job_def("refresh")
    assert job.execute_in_process(asset_selection=list(request.asset_selection or [])).success


def test_what_is_loaded_already_is_not_loaded_again(served: Settings, tick: Tick) -> None:
    newest = served.dumps_folder / "20211221_mv_villes_offre_full.csv.bz2"
    shutil.copy(newest, newest.with_name("20211223_mv_villes_offre_full.csv.bz2"))
    tick()
    (request,) = tick().run_requests or []  # a day of its own, with the offers of another
    assert {key.to_user_string() for key in request.asset_selection or []} == OF_THE_DAYS
    assert "nothing new" in str(tick().skip_message)


def test_a_damaged_dump_is_reported_once_and_read_again_when_replaced(served: Settings, tick: Tick) -> None:
    for damage in (lambda whole: whole[:-8], lambda whole: b"", lambda whole: b"no bzip2 at all"):
        path = dump(served, "20211222")
        path.write_bytes(damage(path.read_bytes()))
        tick()
        seen = tick()
        assert "20211222_mv_villes_offre_full.csv.bz2 is damaged or incomplete" in str(seen.skip_message)
        (check,) = seen.asset_events
        assert (check.asset_check_key, check.passed, check.description) == (WHOLE, False, seen.skip_message)
        assert "nothing new: 20211222" in str(tick().skip_message)
    dump(served, "20211222")
    tick()
    good = tick()
    assert good.run_requests
    assert [check.passed for check in good.asset_events] == [True]


def test_a_damaged_dump_is_an_incident_until_another_takes_its_place(
    served: Settings, ticks_of: Any, webhook: Webhook
) -> None:
    settings = served.model_copy(update={"alert_webhook": SecretStr(webhook.url)})
    instance = dg.DagsterInstance.ephemeral()
    job = definitions(settings).resolve_implicit_global_asset_job_def()
    tick = ticks_of("failure_alert", settings, instance)
    tick()
    path = dump(served, "20211222")
    whole = path.read_bytes()
    path.write_bytes(whole[:-8])
    sensor = ticks_of("new_dump", settings, instance)
    sensor()
    (seen,) = sensor().asset_events
    instance.report_runless_asset_event(seen)
    tick()
    for contents in (whole[:-8], whole):
        path.write_bytes(contents)
        assert job.get_subset(asset_check_selection={WHOLE}).execute_in_process(instance=instance).success
        tick()
        tick()
    failed, over = webhook.posted
    assert (failed["asset"], failed["state"], over["state"]) == ("the newest dump", "failed", "over")
    assert "20211222_mv_villes_offre_full.csv.bz2 is damaged or incomplete" in failed["error"]
    assert failed["run"].endswith("/assets/raw/offers_dump?view=checks")


def test_a_failed_run_is_asked_for_again_twice(
    served: Settings, ticks_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = dg.DagsterInstance.ephemeral()
    tick = ticks_of("new_dump", served, instance)
    dump(served, "20211222")
    tick()
    job, keys = definitions(served).resolve_job_def("refresh"), set()
    for _ in range(refresh.TRIES):
        (request,) = tick().run_requests
        keys.add(request.run_key)
        run = instance.create_run_for_job(job, tags=request.tags, status=dg.DagsterRunStatus.STARTED)
        assert not tick().run_requests  # it is under way
        instance.report_run_failed(run)
        monkeypatch.setattr(refresh, "PAUSE_SECONDS", 60)
        assert not tick().run_requests  # what made it fail has no time to pass
        monkeypatch.setattr(refresh, "PAUSE_SECONDS", -1)
    assert not tick().run_requests
    assert len(keys) == refresh.TRIES


def test_a_dump_that_comes_late_counts_in_its_week(served: Settings, tick: Tick) -> None:
    dump(served, "20211201")
    tick()
    (request,) = tick().run_requests or []
    assert {key.to_user_string() for key in request.asset_selection or []} == OF_THE_DAYS


def test_an_empty_folder_of_dumps_is_reported(served: Settings, ticks_of: Any) -> None:
    shutil.rmtree(served.dumps_folder)
    tick = ticks_of("new_dump", served)
    assert tick().skip_message == f"no dump is in {served.dumps_folder}"


def test_a_restarted_daemon_continues_from_the_cursor(served: Settings, tick: Tick) -> None:
    dump(served, "20211222")
    first = tick()
    defs, instance = definitions(served), dg.DagsterInstance.ephemeral()
    sensor = defs.get_repository_def().get_sensor_def("new_dump")
    again = sensor.evaluate_tick(dg.build_sensor_context(instance, first.cursor, definitions=defs))
    assert len(again.run_requests or []) == 1
