"""Raw files that are read before the steps that need them."""

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

import raw_data
from pipelines.ahead import Ahead
from pipelines.last_refresh import LastRefresh
from pipelines.run import refresh
from resources.errors import SourceError
from resources.raw_data import RawData
from resources.settings import Settings
from resources.sources import decompression
from resources.sources.audit import Reject
from resources.sources.catalogue import catalogue
from resources.sources.facilities import counted
from resources.sources.reader import AHEAD
from warehouse.database import connect

STEPS = {"cities_jobs", "equipments", "offers_history"}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    shutil.copytree(raw_data.SAMPLE, tmp_path / "files")
    return Settings(
        raw_data=tmp_path / "files",
        staging=tmp_path / "staging",
        warehouse_url=f"sqlite:///{tmp_path}/warehouse.db",
        exports=tmp_path / "exports",
    )


def test_what_is_read_ahead_is_what_a_step_reads_by_itself(settings: Settings) -> None:
    raw = RawData.from_settings(settings)
    dump, audit = raw.table("offers_dump")
    facilities, of_bpe = counted(raw)
    with Ahead(settings).kept_for(STEPS):
        ahead, audit_ahead = raw.table("offers_dump")
        facilities_ahead, of_bpe_ahead = raw.ahead("bpe", raw.path("bpe"), lambda: pytest.fail("read again"))
        assert list(AHEAD) == [raw.path("offers_dump")], "another step waits for it"
    pd.testing.assert_frame_equal(ahead, dump)
    pd.testing.assert_frame_equal(facilities_ahead, facilities)
    assert (audit_ahead.read, audit_ahead.repairs) == (audit.read, audit.repairs)
    assert of_bpe_ahead == of_bpe
    assert not AHEAD


def test_each_step_has_an_audit_of_its_own(settings: Settings) -> None:
    raw = RawData.from_settings(settings)
    with Ahead(settings).kept_for(STEPS):
        _, first = raw.table("offers_dump")
        first.reject([2], Reject("no commune"))
        _, second = raw.table("offers_days", raw.path("offers_dump"))
    assert (first.source_id, list(first.rejected)) == ("offers_dump", [2])
    assert (second.source_id, list(second.rejected)) == ("offers_days", [])


def test_a_file_that_cannot_be_read_is_an_error_of_each_step_that_asks(settings: Settings) -> None:
    raw = RawData.from_settings(settings)
    path = raw.path("offers_dump")
    path.write_bytes(path.read_bytes()[:2000])
    with Ahead(settings).kept_for(STEPS):
        for source in ("offers_dump", "offers_days"):
            with pytest.raises(SourceError, match=path.name):
                raw.table(source, path)


def test_what_no_step_needs_or_is_not_there_is_not_read(settings: Settings) -> None:
    raw = RawData.from_settings(settings)
    raw.path("bpe").unlink()
    with Ahead(settings).kept_for({"helps"}):
        assert not AHEAD
    with Ahead(settings).kept_for(STEPS):
        assert list(AHEAD) == [raw.path("offers_dump")]


def test_what_was_begun_early_is_what_the_steps_get_and_what_they_do_not_need_is_left(settings: Settings) -> None:
    raw, ahead = RawData.from_settings(settings), Ahead(settings)
    ahead.begin(["offers_dump", "bpe", "helps"])
    path = raw.path("offers_dump")
    with ahead.kept_for({"cities_jobs"}):
        assert list(AHEAD) == [path]
        assert raw.ahead("offers_dump", path, lambda: pytest.fail("read again")).audit.read > 0
        assert not AHEAD


def test_dagster_is_not_needed_to_begin() -> None:
    code = "import pipelines.ahead, sys; print('pandas' in sys.modules, 'dagster' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.split() == ["True", "False"]


def test_what_changed_since_the_last_refresh_is_begun(settings: Settings) -> None:
    last, everything = LastRefresh(settings), set(catalogue())
    assert last.changed_sources() == everything
    settings.staging.mkdir()
    last.save(connect(settings.warehouse_url))
    assert LastRefresh(settings).changed_sources() == set()
    assert LastRefresh(settings, afresh=True).changed_sources() == everything
    with (settings.raw_data / "helps.json").open("a") as file:
        file.write(" ")
    assert LastRefresh(settings).changed_sources() == {"helps"}


def test_a_refresh_unpacks_a_dump_for_its_header_its_rows_and_those_it_rejects_and_not_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpacked: Counter[str] = Counter()
    whole = decompression.BoundedReader.close

    def close(self: decompression.BoundedReader) -> None:
        unpacked[self.path.name] += self.path.suffix == ".bz2" and self.bytes > 0
        whole(self)

    monkeypatch.setattr(decompression.BoundedReader, "close", close)
    said: list[str] = []
    assert refresh(settings, [], said.append, force=True) == []
    assert any("rows rejected" in line for line in said)
    assert {unpacked[path.name] for path in (settings.raw_data / "datalake").iterdir()} == {3}


def test_the_table_that_loads_the_longest_is_made_as_soon_as_it_can_be(settings: Settings) -> None:
    said: list[str] = []
    assert refresh(settings, [], said.append, force=True) == []
    order = [line.split()[0] for line in said if line.strip()]
    made = [name for name in order if name in ("cities", "equipments", "equipments_special", "bassins", "cities_jobs")]
    assert made == ["cities", "equipments", "equipments_special", "bassins", "cities_jobs"]
