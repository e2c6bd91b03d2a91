"""The jobs."""

import warnings

import dagster as dg

from assets.offers_by_day import offers_by_day
from assets.raw_files import dump_is_whole

warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*include_sources")

refresh = dg.define_asset_job(
    "refresh",
    selection=dg.AssetSelection.all(include_sources=True)
    - dg.AssetSelection.groups("fetching")
    - dg.AssetSelection.assets(offers_by_day)  # offers_history reads the new days by itself
    - dg.AssetSelection.checks(dump_is_whole),  # the import reads it anyway
    description="The whole chain: check the raw files, stage every table, publish all of them in one step.",
)

fetch = dg.define_asset_job(
    "fetch",
    selection=dg.AssetSelection.groups("fetching") - dg.AssetSelection.assets("city_descriptions"),
    description="Fetch new official files, climate sheets and ROME entries; the next refresh reads them.",
)

enrichment = dg.define_asset_job(
    "enrichment",
    selection=dg.AssetSelection.assets("city_descriptions"),
    description="Fetch descriptions and photos of communes from Wikipedia, within a time limit.",
)
