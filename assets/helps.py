"""Mobility aids."""

import pandas as pd

from assets.common.staging_asset import staged
from resources.raw_data import RawData
from warehouse import tables


def helps_table(records: pd.DataFrame) -> pd.DataFrame:
    """The aids in their file's order, with no view counted yet."""
    return records.assign(count_vue=0)


@staged(tables.helps, sources=["helps"], group="life")
def helps(raw_data: RawData) -> pd.DataFrame:
    """Aids to mobility: what they are, who may have them, where to ask."""
    table = helps_table(raw_data.records("helps"))
    raw_data.account("helps").used = len(table)
    return table
