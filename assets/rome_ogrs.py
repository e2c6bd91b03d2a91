"""Job titles (appellations, OGR) of the ROME codes in tension, from the ROME open-data archive."""

import pandas as pd

from assets.staged import staged
from resources.raw_data import RawData, whole_numbers
from warehouse import tables


def titles_of(romes: pd.Series, appellations: pd.DataFrame) -> pd.DataFrame:
    """The appellations (code_rome, code_ogr, ogr_label) of the given ROME codes, by both codes."""
    wanted = appellations[appellations["code_rome"].isin(romes)]
    return pd.DataFrame(
        {
            "code_rome": wanted["code_rome"],
            "code_ogr": whole_numbers(wanted["code_ogr"]),
            "ogr_label": wanted["label"],
        }
    ).sort_values(["code_rome", "code_ogr"])


@staged(tables.romeogrs, sources=["rome_appellations"], group="work", expect=lambda: [])
def rome_ogrs(raw_data: RawData, tensions: pd.DataFrame) -> pd.DataFrame:
    """Job titles of each ROME code that tensions has, from the ROME open-data archive; empty without it."""
    if not raw_data.has("rome_appellations"):
        return pd.DataFrame()
    return titles_of(tensions["rome"], raw_data.table("rome_appellations"))
