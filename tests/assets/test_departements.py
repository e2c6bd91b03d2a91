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
