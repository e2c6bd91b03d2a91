"""The jobs."""

import dagster as dg

refresh = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all(),
    description="The whole chain: look at the raw files, stage every table, publish all of them in one step.",
)
