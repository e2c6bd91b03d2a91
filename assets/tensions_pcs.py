"""The PCS and the FAP of each tension, through the FAP / PCS / ROME correspondence."""

import pandas as pd

from assets.common.staging_asset import Import, staging_asset
from resources.raw_data import RawData
from resources.sources.audit import Reject
from warehouse import tables

LENGTHS = {"fap": 5, "pcs": 4, "rome": 5}
"""Characters of a code: page titles, family headings and footnotes stand in the same cells and are no codes."""


NO_ROME = Reject(
    "no ROME code stands on the row: it is blank, a title or a heading, or its FAP has none", is_error=False
)


def pcs_of_romes(table: pd.DataFrame) -> pd.DataFrame:
    """FAP and PCS of each ROME (the index): those of the first row on which it stands.

    A cell of the table (columns fap, pcs, rome) is left empty where it equals the one above.
    """
    codes = pd.DataFrame({name: table[name].where(table[name].str.len() == n).ffill() for name, n in LENGTHS.items()})
    return codes.dropna(subset="rome").drop_duplicates("rome").set_index("rome")


@staging_asset(tables.tensions, sources=["pcs_rome"], group="work")
def tensions_pcs(raw_data: RawData, tensions: pd.DataFrame) -> Import:
    """The tensions, each with the PCS and the FAP of its ROME."""
    table, audit = raw_data.table("pcs_rome")
    codes = pcs_of_romes(table)
    with_rome = table["rome"].str.len() == LENGTHS["rome"]
    audit.reject(table.index[~with_rome], NO_ROME)
    audit.count(len(codes), int(table["rome"][with_rome].duplicated().sum()))
    given = {column: tensions["rome"].map(codes[column]) for column in ("fap", "pcs")}
    return Import(tensions.assign(**given), [audit])
