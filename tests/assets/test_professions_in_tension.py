import pandas as pd

from assets.professions_in_tension import bassins_table, tensions_table
from assets.rome_codes import rome_codes_table


def test_every_row_of_the_lexicon_stays_in_its_order() -> None:
    lexicon = pd.DataFrame(
        {
            "code_commune_insee": ["2A004", "01001", "97101"],
            "reg_credoc": ["C", "A", "D"],
            "reg": [94, 84, 1],
            "dep": ["2A", "01", "971"],
            "code_commune": ["2A004", "1001", "97101"],
            "nom_com": ["Ajaccio", "L' Abergement", "Les Abymes"],
            "bassin": [9401, 8401, 101],
            "bassin_name": ["AJACCIO", "BOURG EN BRESSE", "CAP EXCELLENCE"],
        }
    )
    bassins = bassins_table(lexicon)
    assert bassins["bassin_id"].tolist() == [9401, 8401, 101]
    assert bassins["code_commune_insee"].tolist() == ["2A004", "01001", "97101"]
    assert bassins["code_commune"].tolist() == ["2A004", "01001", "97101"]


def test_labels_are_the_referentials_and_unknow_without_one() -> None:
    raw = pd.DataFrame(
        {
            "rome": ["A1101", "Z9999"],
            "bassin": [101, 3201],
            "ind_t": [3, 5],
            "lib_rome": ["An old label", "None"],
            "bassin_lib": ["CAP EXCELLENCE", "ABBEVILLE"],
        }
    )
    codes = pd.DataFrame({"code": ["A1101"], "label": ["Conduite d'engins agricoles et forestiers"]})
    tensions = tensions_table(raw, codes)
    assert tensions["rome_label"].tolist() == ["Conduite d'engins agricoles et forestiers", "unknow"]
    assert tensions["bassin_id"].tolist() == [101, 3201]
    assert tensions["ind_t"].tolist() == [3, 5]
    assert tensions["defm"].tolist() == [0, 0]


def test_rome_codes_are_in_order() -> None:
    items = pd.DataFrame({"code": ["B1101", "A1101"], "label": ["b", "a"]})
    assert rome_codes_table(items)["label"].tolist() == ["a", "b"]
