"""Weekly offers: days are read once, weeks added up anew where their days changed."""

import bz2
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import raw_data
from assets import offers_history as module
from assets.offers_by_day import KEY, SCHEMA, by_day, read_day
from assets.offers_history import WANTED, by_region, monday_of, of_week, offers_history
from pipelines.definitions import definitions
from resources.days import Day
from resources.raw_data import RawData
from resources.settings import Settings
from resources.staging import Staging

HEADER = '"commune";"dc_rome_id";"nb_offre";"date_extract"\r\n'


def table(*rows: tuple[str, str, int]) -> pa.Table:
    return pa.Table.from_pandas(pd.DataFrame(rows, columns=SCHEMA.names), SCHEMA, preserve_index=False)


def test_a_week_begins_on_its_monday() -> None:
    assert [monday_of(day) for day in ("2021-12-19", "2021-12-20", "2021-12-26", "2022-01-01")] == [
        "2021-12-13",
        "2021-12-20",
        "2021-12-20",
        "2021-12-27",
    ]


def test_offers_are_summed_by_region_and_averaged_over_the_dumps_of_the_week() -> None:
    regions = {"01004": 84, "69123": 84, "75056": 11}
    monday = by_region(table(("01004", "A1101", 3), ("69123", "A1101", 4), ("75056", "A1101", 1)), regions)
    tuesday = by_region(table(("01004", "A1101", 2), ("97501", "B1101", 5)), regions)
    found = {(row["region"], row["rome"]): row["number"] for row in of_week([monday, tuesday]).to_pylist()}
    assert found == {(84, "A1101"): 5, (11, "A1101"): 1, (-1, "B1101"): 3}  # 9 / 2, 1 / 2 and 5 / 2, halves up


@pytest.fixture
def dumps(tmp_path: Path) -> Callable[..., None]:
    """Writes the dump of a day: (commune, ROME, offers) for each row."""
    (tmp_path / "dumps").mkdir()

    def write(day: str, *rows: tuple[str, str, int]) -> None:
        lines = "".join(f'"{commune}";{rome};{number};{day}\r\n' for commune, rome, number in rows)
        (tmp_path / "dumps" / f"{day}_mv_villes_offre_full.csv.bz2").write_bytes(
            bz2.compress((HEADER + lines).encode())
        )

    return write


@pytest.fixture
def instance() -> dg.DagsterInstance:
    return dg.DagsterInstance.ephemeral()


@pytest.fixture
def run(tmp_path: Path, instance: dg.DagsterInstance) -> Callable[..., Any]:
    """Materializes an asset in the staging area of the test, in which the cities are staged."""
    cities = pd.DataFrame({"insee_com": ["01004", "75056"], "new_code_region": [84, 11]})
    (tmp_path / "staging").mkdir()
    cog = pd.DataFrame({"code": ["01002", "01004"], "current_code": ["01004", "01004"]})
    for name, frame in (("cities", cities), ("cog", cog)):
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), tmp_path / "staging" / f"{name}.parquet")
    resources = {
        "raw_data": RawData(folder=str(tmp_path), dumps=str(tmp_path / "dumps")),
        "staging": Staging(folder=str(tmp_path / "staging")),
    }
    stubs = [
        dg.AssetSpec(["staged", name], metadata={"dagster/io_manager_key": "staging"}) for name in ("cities", "cog")
    ]

    def materialize(**options: Any) -> dg.ExecuteInProcessResult:
        return dg.materialize(
            [*stubs, by_day, offers_history],
            selection=[offers_history],
            resources=resources,
            instance=instance,
            raise_on_error=False,
            **options,
        )

    return materialize


def history(folder: Path) -> dict[tuple[str, int, str], tuple[int, int]]:
    rows = pq.read_table(folder / "staging" / "offers_history.parquet").to_pylist()
    return {(str(r["week"]), r["code_region"], r["rome_id"]): (r["number"], r["days"]) for r in rows}


def partitions(instance: dg.DagsterInstance) -> set[str]:
    """The days that Dagster knows as read."""
    return set(instance.get_materialized_partitions(KEY))


def test_each_day_counts_late_and_repeated_ones_too(
    run: Callable[..., Any], dumps: Callable[..., None], instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    dumps("20211220", ("01004", "A1101", 2), ("", "A1101", 9))
    dumps("20211228", ("75056", "A1101", 7))
    assert run().success
    assert history(tmp_path) == {("2021-12-20", 84, "A1101"): (2, 1), ("2021-12-27", 11, "A1101"): (7, 1)}
    week = tmp_path / "staging" / "offers_by_week" / "2021-12-27.parquet"
    before = week.stat()
    dumps("20211222", ("01004", "A1101", 4), ("01004", "A1101", 1), ("01002", "A1101", 1))  # late, and a former code
    dumps("20211220", ("01004", "A1101", 3))  # again
    assert run().success
    assert history(tmp_path) == {("2021-12-20", 84, "A1101"): (5, 2), ("2021-12-27", 11, "A1101"): (7, 1)}
    assert partitions(instance) == {"2021-12-20", "2021-12-22", "2021-12-28"}
    assert (week.stat().st_ino, week.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    days = pq.read_table(tmp_path / "staging" / "offers_by_day").to_pandas()
    assert set(days["day"].astype(str)) == partitions(instance)
    assert set(days["commune"]) == {"01004", "01002", "75056"}  # as the dumps have them


def note(ran: dg.ExecuteInProcessResult) -> str:
    """What the run noted beside the table."""
    (made,) = ran.asset_materializations_for_node("offers_history")[-1:]
    return str(made.metadata["notes"].value) if "notes" in made.metadata else ""


def test_a_day_counts_when_its_dump_is_gone(
    run: Callable[..., Any], dumps: Callable[..., None], instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    dumps("20211220", ("01004", "A1101", 2))
    dumps("20211221", ("01004", "A1101", 4))
    assert note(run()) == ""
    before = history(tmp_path)
    assert before == {("2021-12-20", 84, "A1101"): (3, 2)}
    (tmp_path / "dumps" / "20211220_mv_villes_offre_full.csv.bz2").unlink()
    assert "1 days count whose dump is gone from the folder: 2021-12-20" in note(run())
    assert history(tmp_path) == before
    (tmp_path / "dumps" / "20211221_mv_villes_offre_full.csv.bz2").unlink()
    dumps("20211222", ("01004", "A1101", 9))
    assert "2 days count whose dump is gone from the folder: 2021-12-20 to 2021-12-21" in note(run())
    assert history(tmp_path) == {("2021-12-20", 84, "A1101"): (5, 3)}
    shutil.rmtree(tmp_path / "staging" / "offers_by_day" / "day=2021-12-20")  # how a day is taken out
    assert "1 days count whose dump is gone from the folder: 2021-12-21" in note(run())
    assert history(tmp_path) == {("2021-12-20", 84, "A1101"): (7, 2)}
    (tmp_path / "dumps" / "20211222_mv_villes_offre_full.csv.bz2").unlink()
    assert not run().success  # an empty folder is taken for a wrong one


def test_days_of_the_sample_do_not_count_among_true_ones(
    run: Callable[..., Any], dumps: Callable[..., None], tmp_path: Path
) -> None:
    (invented,) = (raw_data.SAMPLE / "datalake").glob("20211220*")
    copied = Path(shutil.copy(invented, tmp_path / "dumps"))
    assert run().success
    copied.unlink()
    dumps("20211228", ("75056", "A1101", 7))
    assert note(run()) == ""
    assert history(tmp_path) == {("2021-12-27", 11, "A1101"): (7, 1)}


def test_a_day_that_cannot_be_read_is_said_and_the_others_count(
    run: Callable[..., Any], dumps: Callable[..., None], tmp_path: Path
) -> None:
    dumps("20211220", ("01004", "A1101", 2))
    dumps("20211221", ("01004", "A1101", 4))
    damaged = tmp_path / "dumps" / "20211221_mv_villes_offre_full.csv.bz2"
    damaged.write_bytes(damaged.read_bytes()[:-9])
    ran = run()
    assert ran.success
    assert history(tmp_path) == {("2021-12-20", 84, "A1101"): (2, 1)}
    (made,) = ran.asset_materializations_for_node("offers_history")[-1:]
    assert "2021-12-21 could not be read: 20211221_mv_villes_offre_full.csv.bz2" in made.metadata["notes"].value


def test_two_dumps_of_one_day_with_other_contents_are_refused_by_name(
    run: Callable[..., Any], dumps: Callable[..., None], tmp_path: Path
) -> None:
    dumps("20211220", ("01004", "A1101", 2))
    first = tmp_path / "dumps" / "20211220_mv_villes_offre_full.csv.bz2"
    first.rename(first.with_name("20211220_b_offre.csv.bz2"))
    dumps("20211220", ("01004", "A1101", 3))
    ran = run()
    assert not ran.success
    (failure,) = [event for event in ran.all_events if event.is_step_failure]
    said = str(failure.step_failure_data.error)
    assert "expected one dump of 2021-12-20, found 20211220_b_offre.csv.bz2 and 20211220_mv_villes" in said


def test_days_are_read_again_when_they_are_asked_for(
    run: Callable[..., Any], dumps: Callable[..., None], instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in ("20211220", "20211221", "20211222"):
        dumps(day, ("01004", "A1101", 2))
    assert run().success
    read: list[str] = []

    def noted(*given: Any) -> Day:
        read.append(given[2])
        return read_day(*given)

    monkeypatch.setattr(module, "read_day", noted)
    assert run().success
    assert read == []
    assert run(tags={WANTED: "2021-12-20:2021-12-21"}).success
    assert read == ["2021-12-20", "2021-12-21"]


def test_a_day_stays_read_in_dagster_when_its_run_is_deleted(
    run: Callable[..., Any], dumps: Callable[..., None], instance: dg.DagsterInstance
) -> None:
    dumps("20211220", ("01004", "A1101", 2))
    first = run()
    instance.delete_run(first.run_id)
    assert partitions(instance) == set()
    dumps("20211221", ("01004", "A1101", 2))
    assert run().success
    assert partitions(instance) == {"2021-12-20", "2021-12-21"}


def test_a_backfill_reads_a_partition_by_itself(
    dumps: Callable[..., None], instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    dumps("20211220", ("01004", "A1101", 2), ("", "A1101", 9))
    job = definitions(Settings(raw_data=tmp_path, dumps=tmp_path / "dumps", staging=tmp_path / "staging"))
    days = job.resolve_job_def("offers_by_day")
    instance.add_dynamic_partitions("day", ["2021-12-20", "2021-12-21"])
    ran = days.execute_in_process(instance=instance, partition_key="2021-12-20")
    (made,) = ran.asset_materializations_for_node("read_partition")
    assert (made.metadata["dagster/row_count"].value, made.metadata["rows read"].value) == (1, 2)
    missing = days.execute_in_process(instance=instance, partition_key="2021-12-21", raise_on_error=False)
    assert not missing.success
    assert partitions(instance) == {"2021-12-20"}
