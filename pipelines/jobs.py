"""The jobs."""

import warnings

import dagster as dg

warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*include_sources")

refresh = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all(include_sources=True) - dg.AssetSelection.groups("fetching"),
    description="The whole chain: look at the raw files, stage every table, publish all of them in one step.",
)

fetch = dg.define_asset_job(
    "fetch",
    selection=dg.AssetSelection.groups("fetching") - dg.AssetSelection.assets("city_descriptions"),
    description="Fetch what is new of the official files, the climate sheets and the ROME; the refresh reads it.",
)

enrichment = dg.define_asset_job(
    "enrichment",
    selection=dg.AssetSelection.assets("city_descriptions"),
    description="Ask Wikipedia for descriptions and photos of communes, for a bounded time.",
)
