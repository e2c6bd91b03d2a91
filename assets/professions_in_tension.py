"""Employment basins, and the labour tension of each ROME in them."""

import pandas as pd

from assets.common.expectations import Expectation, in_set, some_rows
from assets.common.plots import bars_of_tensions
from assets.common.staging_asset import Import, staging_asset
from resources.raw_data import RawData
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


@staging_asset(tables.bassins, sources=["basins_lexicon"], group="work")
def bassins(raw_data: RawData) -> Import:
    """Which employment basin each commune is in."""
    lexicon, audit = raw_data.table("basins_lexicon")
    return Import(bassins_table(lexicon), [audit.count(len(lexicon))])


def expected_of_tensions(bassins: pd.DataFrame, rome_codes: pd.DataFrame) -> list[Expectation]:
    """Later vintages have a basin that the lexicon of 2019 has not, and ROMEs that the referential has not."""
    return [
        some_rows(),
        in_set("the basin is in the lexicon", "bassin_id", bassins["bassin_id"], error=False),
        in_set("the ROME is in the referential", "rome", rome_codes["code"], error=False),
    ]


@staging_asset(
    tables.tensions, sources=["tensions"], group="work", expect=expected_of_tensions, picture=bars_of_tensions
)
def tensions(raw_data: RawData, rome_codes: pd.DataFrame) -> Import:
    """How tense each ROME is in each employment basin."""
    raw, audit = raw_data.table("tensions")
    return Import(tensions_table(raw, rome_codes), [audit.count(len(raw))])
