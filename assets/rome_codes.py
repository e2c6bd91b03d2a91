"""ROME codes and labels, from the ROME referential."""

import pandas as pd

from assets.common.staging_asset import Import, staging_asset
from resources.raw_data import RawData
from warehouse import tables


def rome_codes_table(items: pd.DataFrame) -> pd.DataFrame:
    """Columns code and label, by code."""
    return items[["code", "label"]].sort_values("code")


@staging_asset(tables.rome_codes, sources=["rome_referential"], group="work")
def rome_codes(raw_data: RawData) -> Import:
    """Every ROME code with its label."""
    items, audit = raw_data.table("rome_referential")
    return Import(rome_codes_table(items), [audit.count(len(items))])
