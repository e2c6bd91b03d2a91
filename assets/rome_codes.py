"""ROME codes and labels, from the ROME referential."""

import pandas as pd

from assets.common.staging_asset import staged
from resources.raw_data import RawData
from warehouse import tables


def rome_codes_table(items: pd.DataFrame) -> pd.DataFrame:
    """Columns code and label, by code."""
    return items[["code", "label"]].sort_values("code")


@staged(tables.rome_codes, sources=["rome_referential"], group="work")
def rome_codes(raw_data: RawData) -> pd.DataFrame:
    """Every ROME code with its label."""
    table = rome_codes_table(raw_data.table("rome_referential"))
    raw_data.account("rome_referential").used = len(table)
    return table
