"""What one may ask of a refresh in the launchpad, and on the command line."""

from typing import Any

import dagster as dg
import pytest
from dagster._core.errors import DagsterConfigMappingFunctionError

from assets.common.lineage import staged_key
from pipelines.definitions import definitions
from resources.settings import Settings

JOB = definitions(Settings()).resolve_job_def("refresh")


def test_the_launchpad_describes_what_one_may_ask() -> None:
    assert JOB.config_mapping
    fields: dict[str, Any] = JOB.config_mapping.config_schema.config_type.fields  # type: ignore[union-attr]
    assert set(fields) == {"force", "allow_shrink", "sample", "loggers"}
    assert all(field.description and not field.is_required for field in fields.values())


def test_an_unknown_table_is_refused_with_the_nearest_before_anything_runs() -> None:
    instance = dg.DagsterInstance.ephemeral()
    with pytest.raises(DagsterConfigMappingFunctionError) as refused:
        JOB.execute_in_process(instance=instance, run_config={"allow_shrink": ["citis"]})
    assert "no table is called citis; cities is" in str(refused.value.__cause__)
    assert instance.get_run_ids() == []


def test_the_release_is_given_what_is_asked() -> None:
    assert JOB.config_mapping
    asked = {"force": True, "allow_shrink": ["helps"], "sample": False}
    steps = JOB.config_mapping.resolve_from_unvalidated_config(asked)["ops"]
    assert steps == {"warehouse": {"config": asked}}
    assert JOB.config_mapping.resolve_from_unvalidated_config({})["ops"] == {}


def test_a_part_without_the_release_needs_no_configuration() -> None:
    part = JOB.get_subset(asset_selection={staged_key("departements")}, asset_check_selection=set())
    assert part.execute_in_process(
        instance=dg.DagsterInstance.ephemeral(), run_config={"loggers": {"console": {"config": {"log_level": "ERROR"}}}}
    ).success
