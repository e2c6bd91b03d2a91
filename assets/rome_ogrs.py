"""Job titles (appellations, OGR) of the ROME codes in tension, from the ROME API and the open-data archive."""

import pandas as pd

from assets.common.rome_answers import GIVEN_BY_API, NOT_IN_TENSION, both, known_to_api, not_known_to_api
from assets.common.staging_asset import Import, staging_asset
from resources.raw_data import RawData
from resources.sources.geography import among
from warehouse import tables


def titles_of(romes: pd.Series, appellations: pd.DataFrame) -> pd.DataFrame:
    """The appellations (code_rome, code_ogr, ogr_label) of the given ROME codes, by both codes; one whose own ROME is
    not among them is its parent's (`code_rome_parent`, since ROME 4.0).
    """
    wanted = appellations.assign(code_rome=_rome(romes, appellations))
    wanted = wanted[among(wanted["code_rome"], romes)]
    return pd.DataFrame(
        {
            "code_rome": wanted["code_rome"],
            "code_ogr": wanted["code_ogr"],
            "ogr_label": wanted["label"],
        }
    ).sort_values(["code_rome", "code_ogr"])


def _rome(romes: pd.Series, appellations: pd.DataFrame) -> pd.Series:
    own = appellations["code_rome"]
    return own.mask(~among(own, romes) & among(appellations["parent"], romes), appellations["parent"])


@staging_asset(tables.romeogrs, sources=["rome_api", "rome_appellations"], group="work", expect=lambda: [])
def rome_ogrs(raw_data: RawData, tensions: pd.DataFrame) -> Import:
    """Job titles of each ROME code that tensions has: from the ROME API those of the codes that it knows and was asked
    for, from the ROME open-data archive those of the others; empty without both.
    """
    known, audits = known_to_api(raw_data, tensions["rome"])
    rows = [(code, ogr, label) for code, entry in known.items() for ogr, label in entry["titles"]]
    api = pd.DataFrame(rows, columns=["code_rome", "code_ogr", "ogr_label"])
    romes = not_known_to_api(tensions["rome"], known)
    if not raw_data.has("rome_appellations"):
        return Import(api, audits)
    appellations, audit = raw_data.table("rome_appellations")
    titles = titles_of(romes, appellations.assign(code_rome=_rome(tensions["rome"], appellations), parent=None))
    rome = _rome(tensions["rome"], appellations)
    audit.reject(appellations.index[~among(rome, tensions["rome"])], NOT_IN_TENSION)
    audit.reject(appellations.index[~among(rome, romes)], GIVEN_BY_API)
    return Import(both(api, titles), [*audits, audit.count(len(titles))])
