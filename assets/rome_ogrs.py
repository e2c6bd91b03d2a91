"""Job titles (appellations, OGR) of the ROME codes in tension, from the ROME open-data archive."""

import pandas as pd

from assets.staged import staged
from resources.accounts import Reject
from resources.raw_data import RawData
from warehouse import tables

NOT_IN_TENSION = Reject("the ROME has no tension: the web tier does not ask for it", fault=False)


def titles_of(romes: pd.Series, appellations: pd.DataFrame) -> pd.DataFrame:
    """The appellations (code_rome, code_ogr, ogr_label) of the given ROME codes, by both codes."""
    wanted = appellations[appellations["code_rome"].isin(romes)]
    return pd.DataFrame(
        {
            "code_rome": wanted["code_rome"],
            "code_ogr": wanted["code_ogr"],
            "ogr_label": wanted["label"],
        }
    ).sort_values(["code_rome", "code_ogr"])


@staged(tables.romeogrs, sources=["rome_appellations"], group="work", expect=lambda: [])
def rome_ogrs(raw_data: RawData, tensions: pd.DataFrame) -> pd.DataFrame:
    """Job titles of each ROME code that tensions has, from the ROME open-data archive; empty without it."""
    if not raw_data.has("rome_appellations"):
        return pd.DataFrame()
    appellations = raw_data.table("rome_appellations")
    titles = titles_of(tensions["rome"], appellations)
    account = raw_data.account("rome_appellations")
    account.reject(appellations.index[~appellations["code_rome"].isin(tensions["rome"])], NOT_IN_TENSION)
    account.used = len(titles)
    return titles
