import pandas as pd

from assets.departements import departements_table


def test_codes_of_overseas_departments_come_from_their_names() -> None:
    raw = pd.DataFrame(
        {
            "code": ["01", "2A", "95", "971", "01"],
            "name": ["Ain", "Corse-du-Sud", "Val-d'Oise", "Martinique?", "Guadeloupe"],
            "rent_t2": [585.0, None, 700.5, 1.0, 2.0],
            "rent_t4": [1040.0, None, 1.0, 1.0, 3.0],
        }
    )
    table = departements_table(raw).set_index("name")
    assert table["code"].to_dict() == {
        "Ain": "01",
        "Corse-du-Sud": "2A",
        "Val-d'Oise": "95",
        "Martinique?": "971",
        "Guadeloupe": "971",
    }
    assert table["rent_t2"]["Val-d'Oise"] == 700.5
    assert pd.isna(table["rent_t4"]["Corse-du-Sud"])


def test_what_the_file_of_2023_numbers_1_to_6_is_told_by_its_name() -> None:
    names = ["Guadeloupe", "Martinique", "Guyane", "La Réunion", "Saint-Pierre-et-Miquelon", "Mayotte", "Ain"]
    raw = pd.DataFrame(
        {"code": ["01", "02", "03", "04", "05", "06", "01"], "name": names, "rent_t2": None, "rent_t4": None}
    )
    assert departements_table(raw)["code"].tolist() == ["01", "971", "972", "973", "974", "975", "976"]
