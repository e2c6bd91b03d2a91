"""The jobs."""

import warnings
from collections.abc import Mapping
from typing import Any

import dagster as dg

from assets.fetched import Wanted, fetch_sources
from assets.offers_by_day import KEY, PARTITIONS, read_partition
from assets.warehouse import Publishing, warehouse_tables
from resources.sources.fetched import DESCRIPTIONS

warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*include_sources")


def _asked(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a refresh, as its steps have it. Raises an error for an unknown table: no run starts."""
    asked = {name: config[name] for name in Publishing.model_fields}
    Publishing(**asked)
    steps = {warehouse_tables.op.name: {"config": asked}} if any(asked.values()) else {}  # it may not be in the run
    return {"ops": steps, "loggers": config.get("loggers", {})}


refresh = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all(include_sources=True)
    - dg.AssetSelection.groups("fetching", include_sources=True)
    - dg.AssetSelection.assets(KEY)  # offers_history reads the new days by itself
    - (dg.AssetSelection.all_asset_checks() - dg.AssetSelection.checks_for_assets(warehouse_tables)),  # see Plan.checks
    config=dg.ConfigMapping(
        _asked,
        config_schema={
            **Publishing.to_fields_dict(),
            "loggers": dg.Field(dict, is_required=False, description="Where the run's log goes, as Dagster has it."),
        },
    ),
    description="The whole chain: check the raw files, stage every table, publish all of them in one step.",
)


@dg.job(description="Fetch new official files, climate sheets and ROME entries; the next refresh reads them.")
def fetch() -> None:
    """See `fetch_sources`."""
    fetch_sources()


@dg.job(
    description="Fetch descriptions and photos of communes from Wikipedia, within a time limit: those never asked for "
    "or long ago, the most populous first. It waits for cities: before these are staged it fetches nothing.",
    config=dg.RunConfig({"fetch_sources": Wanted(sources=[DESCRIPTIONS])}),
)
def enrichment() -> None:
    """See `fetch_sources`."""
    fetch_sources()


@dg.job(
    description="Read the dumps of days again, each in the place of what that day was; offers_history adds them up.",
    partitions_def=PARTITIONS,
)
def offers_by_day() -> None:
    """See `read_partition`."""
    read_partition()
