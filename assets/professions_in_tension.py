"""Employment basins, and the labour tension of each ROME in them."""

import pandas as pd

from assets.common.expectations import Expectation, in_set, some_rows
from assets.common.geography import POINT, city_of, nearest, places, stands_for
from assets.common.staging_asset import Import, staging_asset
from resources.raw_data import RawData
from resources.sources.geography import among
from warehouse import tables

NO_LABEL = "unknow"
"""Spelt so: the web tier knows it."""


def bassins_table(lexicon: pd.DataFrame) -> pd.DataFrame:
    """One row per row of the lexicon, in its order; `bassin_id` is the integer of the basin's code (0101 is 101)."""
    return pd.DataFrame(
        {
            "code_commune_insee": lexicon["code_commune_insee"],
            "reg_credoc": lexicon["reg_credoc"],
            "reg": lexicon["reg"],
            "dep": lexicon["dep"],
            "code_commune": lexicon["code_commune"].str.zfill(5),
            "nom_com": lexicon["nom_com"],
            "bassin_id": lexicon["bassin"],
            "bassin_name": lexicon["bassin_name"],
        }
    )


def tensions_table(raw: pd.DataFrame, rome_codes: pd.DataFrame) -> pd.DataFrame:
    """One row per row of the file, in its order; labels are those of the ROME referential, `unknow` without one.

    `ind_t` is the class 1 to 5, 5 = hardest to recruit. PCS and FAP come later (tensions_pcs).
    """
    labels = rome_codes.set_index("code")["label"]
    return pd.DataFrame(
        {
            "rome": raw["rome"],
            "rome_label": raw["rome"].map(labels).fillna(NO_LABEL),
            "bassin_id": raw["bassin"],
            "bassin_lib": raw["bassin_lib"],
            "lib_rome": raw["lib_rome"],
            "defm": 0.0,
            "ind_t": raw["ind_t"],
        }
    )


def with_nearest_basins(bassins: pd.DataFrame, cities: pd.DataFrame) -> pd.DataFrame:
    """The basins of communes, and of those that the lexicon does not reach, as communes that are independent again, the
    basin of the nearest commune of their department that has one. Districts have none: their city does.
    """
    cities = cities[["insee_com", "code_dept", "name", *POINT]]  # each department is taken out of them
    reached = among(cities["insee_com"], bassins["code_commune_insee"])
    without = cities[~reached & city_of(cities["insee_com"]).isna()]
    known = cities[reached].merge(bassins, left_on="insee_com", right_on="code_commune_insee")
    added = []
    for department, missing in without.groupby("code_dept"):
        targets = known[known["code_dept"] == department]
        _, position = nearest(places(missing), places(targets))
        found = targets.iloc[position[position >= 0]][bassins.columns]
        own = missing[position >= 0]
        codes = own["insee_com"].to_numpy()
        added.append(found.assign(code_commune_insee=codes, code_commune=codes, nom_com=own["name"].to_numpy()))
    return pd.concat([bassins, *(rows.set_axis([pd.NA] * len(rows)) for rows in added)]).rename_axis("line")


def expected_of_bassins(cities: pd.DataFrame) -> list[Expectation]:
    """Without a COG, communes that merged or split since are in one file and not in the other."""
    return [some_rows(), in_set("the commune is in cities", "code_commune_insee", cities["insee_com"], error=False)]


@staging_asset(tables.bassins, sources=["basins_lexicon"], group="work", expect=expected_of_bassins)
def bassins(raw_data: RawData, cities: pd.DataFrame, cog: pd.DataFrame) -> Import:
    """Which employment basin each commune is in: a row per row of the lexicon, with a COG one per commune of today."""
    lexicon, audit = raw_data.table("basins_lexicon")
    stands = stands_for(lexicon, "code_commune_insee", cog.set_index("code")["population"])
    found = bassins_table(lexicon[stands])
    audit.count(len(found), len(lexicon) - len(found))
    return Import(with_nearest_basins(found, cities) if len(cog) else found, [audit])


def expected_of_tensions(bassins: pd.DataFrame, rome_codes: pd.DataFrame) -> list[Expectation]:
    """Later vintages have a basin that the lexicon of 2019 has not, and ROMEs that the referential has not."""
    return [
        some_rows(),
        in_set("the basin is in the lexicon", "bassin_id", bassins["bassin_id"], error=False),
        in_set("the ROME is in the referential", "rome", rome_codes["code"], error=False),
    ]


@staging_asset(tables.tensions, sources=["tensions"], group="work", expect=expected_of_tensions)
def tensions(raw_data: RawData, rome_codes: pd.DataFrame) -> Import:
    """How tense each ROME is in each employment basin."""
    raw, audit = raw_data.table("tensions")
    return Import(tensions_table(raw, rome_codes), [audit.count(len(raw))])
