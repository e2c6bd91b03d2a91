"""An import that forgets to say what became of its rows fails, at once and in words."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

import raw_data as bundled
from assets.common.lineage import staged_key
from assets.common.staging_asset import Import, staging_asset
from assets.departements import departements_table
from assets.equipments import equipments
from assets.regions import old_regions
from resources.failures import in_words, where
from resources.raw_data import RawData
from resources.staging import Staging
from warehouse import tables

ROWS = len((bundled.SAMPLE / "departements.csv").read_text().splitlines()) - 1


def all_told(raw_data: RawData) -> Import:
    raw, audit = raw_data.table("departements")
    return Import(departements_table(raw), [audit.count(len(raw))])


def not_returned(raw_data: RawData) -> Import:
    return Import(all_told(raw_data).frame)


def only_its_frame(raw_data: RawData) -> Import:
    return all_told(raw_data).frame  # type: ignore[return-value]


def not_counted(raw_data: RawData) -> Import:
    raw, audit = raw_data.table("departements")
    return Import(departements_table(raw), [audit])


def not_named(raw_data: RawData) -> Import:
    helps, audit = raw_data.table("helps")
    frame, audits, _ = all_told(raw_data)
    return Import(frame, [*audits, audit.count(len(helps))])


def run(function: Callable[[RawData], Import], files: Path, staging: Staging) -> str:
    """Materialize an import; return its error in words, empty if there is none."""
    asset = staging_asset(tables.departements, sources=["departements"], group="territory")(function)
    return made(asset, files, staging)


def made(asset: dg.AssetsDefinition, files: Path, staging: Staging, **upstream: pd.DataFrame) -> str:
    """Materialize an asset, given what it reads of others; return its error in words, empty if there is none."""
    reader = RawData(folder=str(files), dumps=str(files))
    for name, frame in upstream.items():
        Path(staging.folder).mkdir(exist_ok=True)
        frame.to_parquet(Path(staging.folder) / f"{name}.parquet", index=False)
    stubs = [dg.AssetSpec(staged_key(name), metadata={"dagster/io_manager_key": "staging"}) for name in upstream]
    resources = {"raw_data": reader, "staging": staging}
    result = dg.materialize([*stubs, asset], selection=[asset], resources=resources, raise_on_error=False)
    failed = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
    return in_words(failed[0]) if failed and failed[0] else ""


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (not_returned, "not_returned does not say what became of the rows of departements: return the audit"),
        (only_its_frame, "only_its_frame returns a DataFrame: expected Import(frame, [audit.count(used=…)])"),
        (not_counted, f"departements.csv: {ROWS} rows were read, 0 used, 0 merged, 0 rejected: the import loses rows"),
        (not_named, "not_named reads helps: name it in `sources` of its @staging_asset"),
    ],
)
def test_an_import_that_forgets_its_rows_is_not_staged(
    tmp_path: Path, function: Callable[[RawData], Import], said: str
) -> None:
    assert said in run(function, bundled.SAMPLE, Staging(folder=str(tmp_path)))
    assert not list(tmp_path.glob("*.parquet"))


def test_it_may_run_again_and_the_record_has_the_counts(tmp_path: Path) -> None:
    staging = Staging(folder=str(tmp_path))
    for _ in range(2):
        assert run(all_told, bundled.SAMPLE, staging) == ""
        (file,) = staging.sources("all_told")
        assert (file.rows_read, file.rows_used, file.rows_rejected) == (ROWS, ROWS, 0)


def test_what_a_refused_file_had_rejected_is_kept(tmp_path: Path) -> None:
    shutil.copy(bundled.SAMPLE / "departements.csv", tmp_path)
    with (tmp_path / "departements.csv").open("a") as file:
        file.write("\nAin;no code;1;2\n" * 20)
    staging = Staging(folder=str(tmp_path / "staging"))
    assert "rows cannot be used" in run(all_told, tmp_path, staging)
    assert len(staging.rejects()) == 20
    assert staging.rejects()["is_error"].all()


def test_a_row_that_fails_a_check_is_told_with_its_line_and_kept_with_the_rejects(tmp_path: Path) -> None:
    lines = (bundled.SAMPLE / "departements.csv").read_text().splitlines()
    lines[4] = "4;Alpes-de-Haute-Provence;4;880"
    (tmp_path / "departements.csv").write_text("\n".join(lines))
    staging = Staging(folder=str(tmp_path / "staging"))
    said = run(all_told, tmp_path, staging)
    assert "rent_t2 is from 50 to 10000: 1 rows" in said
    assert "first: line 5, code 04, rent_t2 4.0. They stand in departements.csv: `mobiville rejects" in said
    (reject,) = staging.rejects().to_dict("records")
    assert (reject["line"], reject["row"]) == ("5", lines[4])


def test_rows_that_were_added_up_are_told_by_the_first_and_their_number(tmp_path: Path) -> None:
    fields = {"new_code": "95", "new_name": "X", "new_name_normalized": "x"}
    former = {"former_code": "25", "former_name": "Y", "former_name_normalized": "y"}
    records = [{"fields": fields | former}] * 3
    (tmp_path / "anciennes-nouvelles-regions.json").write_text(json.dumps({"regions": records}))
    staging = Staging(folder=str(tmp_path / "staging"))
    assert "first: record 1, records 3, former_code 25, new_code 95. They" in made(old_regions, tmp_path, staging)
    assert staging.rejects()[["source", "line"]].to_numpy().tolist() == [["anciennes_nouvelles_regions", "1"]]


def test_facilities_that_fail_a_check_are_looked_for_in_the_file(tmp_path: Path) -> None:
    head = "GEO;GEO_OBJECT;FACILITY_TYPE;BPE_MEASURE;TIME_PERIOD;OBS_VALUE\n"
    rows = "01004;COM;A101;FACILITIES;2024;1\n1001;COM;A101;FACILITIES;2024;2000000\n"
    (tmp_path / "DS_BPE_2024_data.csv").write_text(head + rows)
    staging = Staging(folder=str(tmp_path / "staging"))
    cities = pd.DataFrame({"insee_com": ["01001", "01004"]})
    said = made(equipments, tmp_path, staging, cities=cities, cog=pd.DataFrame(columns=["code", "current_code"]))
    assert "total is from 1 to 1e+06: 1 rows" in said
    assert "They stand in DS_BPE_2024_data.csv, line 3: `mobiville rejects --source bpe` shows them" in said
    (reject,) = staging.rejects().to_dict("records")
    assert (reject["line"], reject["row"]) == ("3", "1001;COM;FACILITIES;A101;2024;2000000")


def test_a_failure_is_shown_in_words_with_its_facts_and_no_stack(tmp_path: Path) -> None:
    lines = (bundled.SAMPLE / "departements.csv").read_text().splitlines()
    lines[4] = "4;Alpes-de-Haute-Provence;4;880"
    (tmp_path / "departements.csv").write_text("\n".join(lines))
    asset = staging_asset(tables.departements, sources=["departements"], group="territory")(all_told)
    resources = {
        "raw_data": RawData(folder=str(tmp_path), dumps=str(tmp_path)),
        "staging": Staging(folder=str(tmp_path / "staging")),
    }
    result = dg.materialize([asset], resources=resources, raise_on_error=False)
    (failed,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert failed.error
    assert failed.error.message.startswith("all_told: rent_t2 is from 50 to 10000: 1 rows")
    assert len(failed.error.stack) == 1
    assert failed.error.cause is None
    assert where(failed.error).startswith("assets/common/staging_asset.py:")
    assert failed.user_failure_data
    rows = failed.user_failure_data.metadata["rows"]
    assert isinstance(rows, dg.TableMetadataValue)
    facts = {name: fact.value for name, fact in failed.user_failure_data.metadata.items() if name != "rows"}
    assert facts == {
        "file": "departements.csv",
        "line": "5",
        "expected": "rent_t2 is from 50 to 10000",
        "found": "line 5, code 04, rent_t2 4.0",
        "remedy": "`mobiville rejects --source departements` shows them; correct them at the publisher's, or fetch the "
        "file again",
    }
    assert dict(rows.records[0].data) == {"expected": facts["expected"], "line": "5", "code": "04", "rent_t2": "4.0"}
