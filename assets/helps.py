"""Mobility aids."""

import pandas as pd

from assets.common.staging_asset import Import, staging_asset
from resources.raw_data import RawData
from warehouse import tables


def helps_table(records: pd.DataFrame) -> pd.DataFrame:
    """The aids in their file's order, with no view counted yet."""
    return records.assign(count_vue=0)


@staging_asset(tables.helps, sources=["helps"], group="life")
def helps(raw_data: RawData) -> Import:
    """Aids to mobility: what they are, who may have them, where to ask."""
    records, audit = raw_data.table("helps")
    return Import(helps_table(records), [audit.count(len(records))])
