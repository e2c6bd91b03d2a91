import json

import pandas as pd

from assets.regions_tensions_criterions import KEYS, as_json, criteria_met, opportunities

CITIES = pd.DataFrame(
    {
        "insee_com": ["a", "b", "c", "d"],
        "new_code_region": pd.array([1, 1, 2, 2], "Int64"),
        "distance_from_sea": pd.array([5, 100, pd.NA, 40], "Int64"),
        "z_moyen": pd.array([10, 800, 100, 100], "Int64"),
        "population": [300.0, 1.0, 30.0, 60.0],
    }
)
BASSINS = pd.DataFrame(
    {
        "code_commune_insee": ["a", "b", "c", "zz"],
        "bassin_id": pd.array([10, 20, 20, 20], "Int64"),
        "reg": pd.array([1, 1, 2, 2], "Int64"),
    }
)
TENSIONS = pd.DataFrame(
    {
        "rome": ["A1101", "A1101", "B1101", "B1101"],
        "bassin_id": pd.array([10, 20, 20, 99], "Int64"),
        "ind_t": pd.array([3, 5, 1, 1], "Int64"),
    }
)


def test_communes_give_their_criteria_to_their_region_for_the_romes_of_their_basin() -> None:
    met = criteria_met(CITIES, BASSINS, TENSIONS)
    found = {index: [key for key in KEYS if row[key]] for index, row in met.iterrows()}
    assert found == {
        (1, "A1101"): ["side-sea", "mountain", "small-city", "extra-big-city"],
        (1, "B1101"): ["mountain", "small-city"],
        (2, "A1101"): ["medium-city"],  # c: its distance from the sea is unknown, so it is not countryside
        (2, "B1101"): ["medium-city"],
    }


def test_opportunity_is_the_share_of_pairs_of_tension_and_commune() -> None:
    assert opportunities(BASSINS, TENSIONS) == {
        (1, "A1101"): 0.5,
        (1, "B1101"): 1.0,
        (2, "A1101"): 0.0,
        (2, "B1101"): 1.0,
    }


def test_halves_of_a_hundredth_round_up() -> None:
    bassins = pd.DataFrame({"code_commune_insee": [str(n) for n in range(8)], "bassin_id": range(8), "reg": 1})
    tensions = pd.DataFrame({"rome": "A1101", "bassin_id": range(8), "ind_t": [1] + [5] * 7})
    assert opportunities(bassins, tensions) == {(1, "A1101"): 0.13}  # 0.125


def test_the_json_is_sorted_by_label_as_a_dictionary_is_and_leaves_out_an_unknown_opportunity() -> None:
    regions = pd.DataFrame({"code": [1, 11, 2, 3], "name": ["Guyane", "Île-de-France", "La Réunion", "Martinique"]})
    met = criteria_met(CITIES, BASSINS, TENSIONS)
    made = json.loads(as_json(regions, met, {(1, "A1101"): 0.5}))
    assert [(region["id"], region["label"]) for region in made] == [
        ("1", "Guyane"),
        ("11", "Île-de-France"),
        ("2", "La Réunion"),
        ("3", "Martinique"),
    ]
    assert made[0]["romes"] == {
        "A1101": {"criterions": ["side-sea", "mountain", "small-city", "extra-big-city"], "opportunite": 0.5},
        "B1101": {"criterions": ["mountain", "small-city"]},
    }
    assert made[1]["romes"] == {}
