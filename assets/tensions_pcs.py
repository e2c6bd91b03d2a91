"""The PCS and the FAP of each tension, through the FAP / PCS / ROME correspondence."""

import pandas as pd

from assets.staged import staged
from resources.raw_data import RawData
from warehouse import tables

LENGTHS = {"fap": 5, "pcs": 4, "rome": 5}
"""Characters of a code: page titles, family headings and footnotes stand in the same cells and are no codes."""


def pcs_of_romes(table: pd.DataFrame) -> pd.DataFrame:
    """FAP and PCS of each ROME (the index): those of the first row on which it stands.

    A cell of the table (columns fap, pcs, rome) is left empty where it equals the one above.
    """
    codes = pd.DataFrame({name: table[name].where(table[name].str.len() == n).ffill() for name, n in LENGTHS.items()})
    return codes.dropna(subset="rome").drop_duplicates("rome").set_index("rome")


@staged(tables.tensions, sources=["pcs_rome"], group="work")
def tensions_pcs(raw_data: RawData, tensions: pd.DataFrame) -> pd.DataFrame:
    """The tensions, each with the PCS and the FAP of its ROME."""
    codes = pcs_of_romes(raw_data.table("pcs_rome"))
    return tensions.assign(**{column: tensions["rome"].map(codes[column]) for column in ("fap", "pcs")})
