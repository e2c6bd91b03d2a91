"""A rule of a table is a check of its own in Dagster, with its history and its failing rows; it may be run alone."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import dagster as dg

from assets.common import expectations
from assets.common.lineage import staged_key
from pipelines.definitions import definitions
from resources.settings import Settings

RECENT = "offers_dump_is_recent"
JOBS = staged_key("cities_jobs")
OVERSEAS = 5
"""Rows of the sample's dump in communes of overseas collectivities, which the communes file does not have."""


def run(
    sample: Path,
    instance: dg.DagsterInstance,
    *checks: str,
    layer: str = "staged",
    table: str = "cities_jobs",
    job: str = "__ASSET_JOB",
) -> Any:
    """Run a refresh of the sample, or some checks of a table alone."""
    folder = sample.parent
    settings = Settings(
        raw_data=sample, staging=folder / "staging", warehouse_url=f"sqlite:///{folder / 'warehouse.db'}"
    )
    defs = definitions(settings)
    if not checks:
        return defs.resolve_job_def(job).execute_in_process(instance=instance, raise_on_error=False)
    keys = {dg.AssetCheckKey(dg.AssetKey([layer, table]), name) for name in checks}
    part = defs.resolve_job_def(job).get_subset(asset_selection=set(), asset_check_selection=keys)
    return part.execute_in_process(instance=instance, raise_on_error=False)


def told(result: Any) -> dict[str, bool]:
    """Whether each check of staged tables that a run told of was passed."""
    return {
        f"{check.asset_key.path[-1]}.{check.check_name}": check.passed
        for check in result.get_asset_check_evaluations()
        if check.asset_key.path[0] == "staged"
    }


def history(instance: dg.DagsterInstance, name: str) -> list[str]:
    """What became of a check in each run, the last first."""
    records = instance.event_log_storage.get_asset_check_execution_history(dg.AssetCheckKey(JOBS, name), limit=10)
    return [record.status.value for record in records]


def test_a_refresh_tells_every_check_and_looks_at_each_table_once(sample: Path) -> None:
    instance = dg.DagsterInstance.ephemeral()
    with patch("assets.common.staging_asset.validate", wraps=expectations.validate) as looked:
        result = run(sample, instance, job="refresh")
    assert result.success  # a warning lets pass
    checks = told(result)
    assert {name for name, passed in checks.items() if not passed} >= {"cities_jobs.commune_is_in_cities"}
    graph = definitions(Settings()).resolve_asset_graph()
    staged = {key for key in graph.asset_check_keys if key.asset_key.path[0] == "staged"}
    assert set(checks) == {f"{key.asset_key.path[-1]}.{key.name}" for key in staged}
    assert looked.call_count == len({key.asset_key for key in staged})
    assert history(instance, "commune_is_in_cities") == ["FAILED"]
    assert history(instance, "has_rows") == ["SUCCEEDED"]


def test_a_failing_check_has_its_rows_in_a_table(sample: Path) -> None:
    result = run(sample, dg.DagsterInstance.ephemeral(), job="refresh")
    checks = {c.check_name: c for c in result.get_asset_check_evaluations() if c.asset_key == JOBS}
    failed = checks["commune_is_in_cities"]
    assert failed.severity is dg.AssetCheckSeverity.WARN
    assert failed.metadata["rows"].value == OVERSEAS
    rows = failed.metadata["first rows"]
    assert isinstance(rows, dg.TableMetadataValue)
    assert len(rows.records) == OVERSEAS
    row = dict(rows.records[0].data)
    assert str(row["insee_code"]).startswith("98")
    assert failed.description
    assert failed.description.startswith(f"the commune is in cities: {OVERSEAS} rows")
    assert int(str(row["line"])) > 1
    assert int(str(row["row"])) > 1
    assert set(checks["has_rows"].metadata) == {"Data Docs"}


def test_a_check_is_run_alone_on_what_is_staged(sample: Path) -> None:
    instance = dg.DagsterInstance.ephemeral()
    assert run(sample, instance, job="refresh").success
    result = run(sample, instance, "commune_is_in_cities")
    assert told(result) == {"cities_jobs.commune_is_in_cities": False}
    assert result.success
    assert result.get_asset_materialization_events() == []
    (check,) = result.get_asset_check_evaluations()
    assert check.metadata["rows"].value == OVERSEAS
    assert history(instance, "commune_is_in_cities") == ["FAILED", "FAILED"]
    assert history(instance, "has_rows") == ["SUCCEEDED"]


def test_every_check_run_alone_says_what_the_refresh_said(sample: Path) -> None:
    instance = dg.DagsterInstance.ephemeral()
    before = told(run(sample, instance, job="refresh"))
    for table in {name.split(".")[0] for name in before}:
        names = [name.split(".")[1] for name in before if name.startswith(f"{table}.")]
        alone = told(run(sample, instance, *names, table=table))
        assert alone == {f"{table}.{name}": before[f"{table}.{name}"] for name in names}


def test_an_old_dump_is_a_warning_of_the_raw_file_and_of_what_is_made_of_it(sample: Path) -> None:
    instance = dg.DagsterInstance.ephemeral()
    result = run(sample, instance, job="refresh")
    assert result.success
    old = {c.asset_key.path[0]: c for c in result.get_asset_check_evaluations() if c.check_name == RECENT}
    assert set(old) == {"raw", "staged"}
    for check in old.values():
        assert not check.passed
        assert check.severity is dg.AssetCheckSeverity.WARN
        assert "offers_dump is at most 7 days old, 20211221_mv_villes" in str(check.description)
    today = datetime.now(UTC).strftime("%Y%m%d")
    (dump,) = sample.glob("datalake/20211221*")
    dump.rename(dump.with_name(dump.name.replace("20211221", today)))
    alone = run(sample, instance, RECENT, layer="raw", table="offers_dump")
    assert [(check.check_name, check.passed) for check in alone.get_asset_check_evaluations()] == [(RECENT, True)]


def test_materialize_all_looks_at_the_selected_checks_and_an_error_blocks(sample: Path) -> None:
    instance = dg.DagsterInstance.ephemeral()
    assert run(sample, instance).success
    departements = sample / "departements.csv"
    lines = departements.read_text().splitlines()
    lines[4] = ";".join([*lines[4].split(";")[:-2], "4", "880"])
    departements.write_text("\n".join(lines) + "\n")
    result = run(sample, instance)
    assert not result.success
    checks = told(result)
    assert not checks["departements.rent_t2_is_in_range"]
    assert checks["departements.code_is_unique"]
    steps = {event.step_key for event in result.all_events if event.is_step_success}
    assert "departements" not in steps
    assert "warehouse" not in steps
    assert "cities" not in steps  # it is downstream
    alone = run(sample, instance, "rent_t2_is_in_range", table="departements")
    assert told(alone) == {"departements.rent_t2_is_in_range": True}  # what is staged stays as it was
