"""The jobs."""

import warnings

import dagster as dg

warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*include_sources")

refresh = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all(include_sources=True),
    description="The whole chain: look at the raw files, stage every table, publish all of them in one step.",
)
