import hashlib
import re
from pathlib import Path

import dagster as dg
import yaml
from dagster._core.definitions.freshness import TimeWindowFreshnessPolicy

import raw_data
from assets.common.lineage import staged_key
from assets.common.staging_asset import POOL
from assets.warehouse import table_key
from pipelines.cli.common import DAGSTER_YAML
from pipelines.definitions import definitions
from resources.settings import Settings
from resources.sources.catalogue import catalogue
from schedules.enrichment import weekly
from warehouse import tables

STAGED = {
    *("new_regions", "old_regions", "departements", "rome_codes", "cities", "bassins", "tensions", "tensions_pcs"),
    *("equipments", "equipments_special", "rome_ogrs", "rome_skills", "cities_jobs", "helps"),
    *("regions_tensions_criterions", "cog", "former_communes", "offers_history"),
}
CITIES_JOBS = staged_key("cities_jobs")
DEFS = definitions(Settings())
GRAPH = DEFS.resolve_asset_graph()


def keys(layer: str) -> set[str]:
    return {key.path[-1] for key in GRAPH.get_all_asset_keys() if GRAPH.get(key).tags.get("layer") == layer}


def test_the_graph_has_the_assets_of_the_design() -> None:
    assert keys("staged") == STAGED
    assert keys("raw") == set(catalogue())
    assert keys("served") == {table.name for table in tables.SERVED}


def test_dagster_loads_all_of_it() -> None:
    """As `dagster dev` does: names that stand twice, and resources that lack, are only found there."""
    dg.Definitions.validate_loadable(DEFS)


def test_every_source_is_read_and_every_staged_table_is_used() -> None:
    for key in GRAPH.get_all_asset_keys():
        if GRAPH.get(key).tags["layer"] != "exported":
            assert GRAPH.get(key).child_keys, key


def test_fetching_is_no_part_of_the_refresh() -> None:
    fetched = {key for key in GRAPH.get_all_asset_keys() if GRAPH.get(key).tags["layer"] == "fetched"}
    assert not DEFS.resolve_job_def("refresh").asset_layer.selected_asset_keys & fetched
    assert not GRAPH.materializable_asset_keys & fetched  # "Materialize all" starts none of them
    assert {GRAPH.get(key).group_name for key in fetched} == {"fetching"}
    assert {key.path[-1] for key in fetched} == {
        name for name, source in catalogue().items() if source.downloads or source.folder == "cache"
    }


def test_runs_that_write_are_one_at_a_time_and_days_are_read_side_by_side() -> None:
    jobs = ("refresh", "__ASSET_JOB", "fetch", "enrichment", "backup", "offers_by_day")
    pools = {name: {p for node in DEFS.resolve_job_def(name).all_node_defs for p in node.pools} for name in jobs}
    assert pools == {name: set() if name == "offers_by_day" else {POOL} for name in jobs}
    assert yaml.safe_load(DAGSTER_YAML)["concurrency"]["pools"] == {"granularity": "run", "default_limit": 1}


def test_every_asset_says_what_it_is() -> None:
    for key in GRAPH.get_all_asset_keys():
        node = GRAPH.get(key)
        assert node.description, key
        assert node.group_name != "default", key
        assert node.kinds, key
        assert node.owners, key
        if node.tags["layer"] not in ("raw", "fetched", "exported"):
            assert node.code_version, key
            assert node.metadata["dagster/column_schema"].columns, key


def test_edges_are_those_of_the_design() -> None:
    parents = {name: {parent.path[-1] for parent in GRAPH.get(staged_key(name)).parent_keys} for name in STAGED}
    assert parents["tensions_pcs"] == {"tensions", "pcs_rome"}
    assert parents["equipments_special"] == {"equipments", "cities"}
    assert parents["regions_tensions_criterions"] == {"cities", "bassins", "tensions", "new_regions"}
    assert parents["rome_ogrs"] == {"tensions", "rome_api", "rome_appellations"}
    assert parents["tensions"] == {"rome_codes", "tensions", "bassins"}  # the source of the same name; a reference
    assert parents["cities"] == {
        *("old_regions", "communes", "city_rents", "coastline", "weather_stations", "weather_sheets"),
        *("house_prices", "house_rents", "housing_zones", "city_descriptions"),
        *("new_regions", "departements"),  # references
        "cog",  # the source and the map
    }


def test_every_import_of_a_file_with_commune_codes_reads_them_in_one_geography() -> None:
    with_communes = {name for name, source in catalogue().items() if source.commune_columns} - {"cog"}
    read = {
        name
        for name in STAGED - {"cog"}
        for parent in GRAPH.get(staged_key(name)).parent_keys
        if parent.path[0] == "raw" and parent.path[-1] in with_communes
    }
    assert read == {"cities", "bassins", "equipments", "cities_jobs", "offers_history"}
    assert all(staged_key("cog") in GRAPH.get(staged_key(name)).parent_keys for name in read)


def test_every_table_has_checks_that_stop_what_is_downstream() -> None:
    blocking = {key.asset_key for key in GRAPH.asset_check_keys if GRAPH.get_check_spec(key).blocking}
    assert blocking == {staged_key(name) for name in STAGED} | {table_key(name) for name in tables.metadata.tables}


def test_a_rule_is_a_check_with_a_short_name_and_a_warning_does_not_block() -> None:
    checks = {key.name: GRAPH.get_check_spec(key) for key in GRAPH.asset_check_keys if key.asset_key == CITIES_JOBS}
    assert {name: check.blocking for name, check in checks.items()} == {
        **{"insee_code_is_there": True, "insee_code_is_well_formed": True, "rome_id_is_there": True},
        **{"rome_id_is_well_formed": True, "number_is_there": True, "number_is_in_range": True, "has_rows": True},
        **{"insee_code_and_rome_id_are_unique": True, "commune_is_in_cities": False},
        **{"rome_is_in_the_referential": False, "offers_dump_is_complete": False, "offers_dump_is_recent": False},
    }
    assert checks["number_is_in_range"].description == ("number is from 1 to 1e+06. An error: the table is not staged.")
    for key in GRAPH.asset_check_keys:
        assert re.fullmatch("[a-z][a-z0-9_]*", key.name), key


def test_a_refresh_tells_each_check_with_one_event_and_plans_those_of_served_tables() -> None:
    planned = DEFS.resolve_job_def("refresh").asset_layer.asset_graph.asset_check_keys
    assert {key.asset_key for key in planned} == {table_key(name) for name in tables.metadata.tables}


def test_what_is_run_from_the_ui_runs_in_one_process_too() -> None:
    for job in ("refresh", "__ASSET_JOB"):
        assert DEFS.resolve_job_def(job).executor_def.name == "in_process"


def test_the_data_version_of_a_raw_file_is_its_sha256(tmp_path: Path) -> None:
    warehouse = f"sqlite:///{tmp_path / 'w.db'}"
    defs = definitions(Settings(staging=tmp_path / "staging", warehouse_url=warehouse, exports=tmp_path / "exports"))
    instance = dg.DagsterInstance.ephemeral()
    assert defs.resolve_job_def("refresh").execute_in_process(instance=instance).success
    helps = hashlib.sha256((raw_data.SAMPLE / "helps.json").read_bytes()).hexdigest()
    versions = instance.get_latest_data_version_record(dg.AssetKey(["raw", "helps"]))
    assert versions is not None
    assert versions.asset_observation is not None
    assert versions.asset_observation.tags["dagster/data_version"] == helps
    made = instance.get_latest_materialization_event(staged_key("helps"))
    assert made is not None
    assert made.asset_materialization is not None
    assert (made.asset_materialization.tags or {})["dagster/input_data_version/raw/helps"] == helps
    assert {"dagster/row_count", "preview", "sources"} <= set(made.asset_materialization.metadata)
    for key, shown in (
        ("staged/cities", "dagster/column_lineage"),
        ("warehouse/cities", "release"),
    ):
        event = instance.get_latest_materialization_event(dg.AssetKey(key.split("/")))
        assert event is not None
        assert event.asset_materialization is not None
        assert shown in event.asset_materialization.metadata


def test_what_runs_by_itself_is_on_and_says_what_it_does() -> None:
    repository = DEFS.get_repository_def()
    schedules = {schedule.name: schedule for schedule in repository.schedule_defs}
    sensors = {sensor.name: sensor for sensor in repository.sensor_defs}
    assert {name: (s.cron_schedule, s.execution_timezone) for name, s in schedules.items()} == {
        "nightly_refresh": ("30 2 * * *", "Europe/Paris"),
        "daily_backup": ("30 4 * * *", "Europe/Paris"),
        "weekly_enrichment": ("0 0 * * 1", "Europe/Paris"),
    }
    assert set(sensors) == {"new_dump", "raw_files_changed", "failure_alert"}
    by_itself: list[dg.ScheduleDefinition | dg.SensorDefinition] = [*schedules.values(), *sensors.values()]
    for definition in by_itself:
        assert definition.description, definition.name
        assert definition.default_status.value == "RUNNING", definition.name


def test_the_nightly_refresh_runs_when_the_settings_say() -> None:
    repository = definitions(Settings(nightly_cron="0 5 * * 1-5")).get_repository_def()
    assert repository.get_schedule_def("nightly_refresh").cron_schedule == "0 5 * * 1-5"


def test_the_enrichment_runs_on_mondays_at_midnight() -> None:
    schedule = weekly(DEFS.resolve_job_def("refresh"))
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 0 * * 1", "Europe/Paris")


def test_every_table_staged_or_served_has_the_age_it_may_reach() -> None:
    staged = {staged_key(name): tables.described(GRAPH.get(staged_key(name)).metadata["table"]) for name in STAGED}
    for key, table in (staged | {table_key(name): table for name, table in tables.metadata.tables.items()}).items():
        policy = GRAPH.get(key).freshness_policy
        assert isinstance(policy, TimeWindowFreshnessPolicy)
        assert policy.fail_window.to_timedelta() == table.info["max_age"]
