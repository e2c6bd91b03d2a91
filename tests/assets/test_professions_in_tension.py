import pandas as pd

from assets.professions_in_tension import bassins_table, tensions_table, with_nearest_basins
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


def test_a_commune_without_a_basin_has_that_of_the_nearest_of_its_department_and_a_district_none() -> None:
    cities = pd.DataFrame(
        [
            ("14666", "Sannerville", "14", 49.186, -0.226),
            ("14118", "CAEN", "14", 49.183, -0.371),
            ("14366", "LISIEUX", "14", 49.146, 0.226),
            ("50502", "SAINT-LO", "50", 49.187, -0.227),
            ("69381", "LYON 1ER", "69", 45.77, 4.83),
            ("69123", "LYON", "69", 45.76, 4.83),
            ("97501", "MIQUELON", "975", None, None),
        ],
        columns=["insee_com", "name", "code_dept", "geo_point_2d_x", "geo_point_2d_y"],
    )
    bassins = pd.DataFrame(
        {
            "code_commune_insee": ["50502", "14366", "14118", "69123"],
            "code_commune": ["50502", "14366", "14118", "69123"],
            "nom_com": ["Saint-Lô", "Lisieux", "Caen", "Lyon"],
            "bassin_id": [1, 2, 3, 4],
        },
        index=pd.Index([2, 3, 4, 5], name="line"),
    )
    found = with_nearest_basins(bassins, cities)
    assert found[:4].to_numpy().tolist() == bassins.to_numpy().tolist()
    assert found[4:].to_numpy().tolist() == [["14666", "14666", "Sannerville", 3]]
    assert found.index.name == "line"
