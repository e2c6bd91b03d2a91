import bz2
import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines.definitions import definitions
from resources.settings import Settings
from tests.schedules.conftest import Look

OF_A_DUMP = {"raw/offers_dump", "cities_jobs", "warehouse/cities_jobs"}


@pytest.fixture
def look(served: Settings, look_of: Any) -> Look:
    """The sensor, after it has seen what is there."""
    look: Look = look_of("new_dump", served)
    assert "is new: waiting until its size stands" in str(look().skip_message)
    assert "is loaded already, by another refresh" in str(look().skip_message)
    assert "nothing new" in str(look().skip_message)
    return look


def dump(served: Settings, day: str) -> Path:
    """A dump of that day: the sample's, and an offer more."""
    sample = bz2.decompress((served.dumps_folder / "20211221_mv_villes_offre_full.csv.bz2").read_bytes())
    path = served.dumps_folder / f"{day}_mv_villes_offre_full.csv.bz2"
    path.write_bytes(bz2.compress(sample + f"01004;A1101;7;{day}\n".encode()))
    return path


def test_a_new_dump_is_loaded_once_its_size_stands(served: Settings, look: Look) -> None:
    path = dump(served, "20211222")
    whole = path.read_bytes()
    path.write_bytes(whole[:40])
    assert "waiting until its size stands" in str(look().skip_message)
    path.write_bytes(whole)
    assert "waiting until its size stands" in str(look().skip_message)
    (request,) = look().run_requests or []
    assert {key.to_user_string() for key in request.asset_selection or []} == OF_A_DUMP
    assert request.run_key
    assert request.tags["mobiville/why"].startswith("new dump 20211222_mv_villes_offre_full.csv.bz2, sha256 ")
    assert "nothing new" in str(look().skip_message)
    job = definitions(served).resolve_job_def("refresh")
    assert job.execute_in_process(asset_selection=list(request.asset_selection or [])).success


def test_the_same_contents_are_never_loaded_twice(served: Settings, look: Look) -> None:
    path = dump(served, "20211222")
    look()
    assert look().run_requests
    shutil.copy(path, path.with_name("20211223_mv_villes_offre_full.csv.bz2"))
    look()
    assert "holds what was loaded already" in str(look().skip_message)
    path.with_name("20211223_mv_villes_offre_full.csv.bz2").touch()
    assert "waiting until its size stands" in str(look().skip_message)
    assert "holds what was loaded already" in str(look().skip_message)
    assert "nothing new" in str(look().skip_message)


def test_a_damaged_dump_is_reported_once_and_looked_at_again_when_replaced(served: Settings, look: Look) -> None:
    for damage in (lambda whole: whole[:-8], lambda whole: b"", lambda whole: b"no bzip2 at all"):
        path = dump(served, "20211222")
        path.write_bytes(damage(path.read_bytes()))
        look()
        assert "20211222_mv_villes_offre_full.csv.bz2 is damaged or not whole" in str(look().skip_message)
        assert "nothing new: 20211222" in str(look().skip_message)
    dump(served, "20211222")
    look()
    assert look().run_requests


def test_a_dump_older_than_the_newest_is_reported_once(served: Settings, look: Look) -> None:
    dump(served, "20211201")
    assert "20211201_mv_villes_offre_full.csv.bz2 came late: older than 20211221" in str(look().skip_message)
    assert "nothing new: 20211221" in str(look().skip_message)


def test_a_folder_without_dumps_says_so(served: Settings, look_of: Any) -> None:
    shutil.rmtree(served.dumps_folder)
    look = look_of("new_dump", served)
    assert look().skip_message == f"no dump is in {served.dumps_folder}"


def test_the_cursor_outlives_the_daemon(served: Settings, look: Look) -> None:
    dump(served, "20211222")
    first = look()
    defs, instance = definitions(served), dg.DagsterInstance.ephemeral()
    sensor = defs.get_repository_def().get_sensor_def("new_dump")
    again = sensor.evaluate_tick(dg.build_sensor_context(instance, first.cursor, definitions=defs))
    assert len(again.run_requests or []) == 1
