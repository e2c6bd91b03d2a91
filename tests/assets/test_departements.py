import pandas as pd

from assets.departements import departements_table


def test_codes_get_back_the_zero_they_lost_and_overseas_ones_come_from_their_names() -> None:
    raw = pd.DataFrame(
        {
            "code": ["1", "2A", "95", "971", "1"],
            "name": ["Ain", "Corse-du-Sud", "Val-d'Oise", "Martinique?", "Guadeloupe"],
            "rent_t2": ["585", None, "700,5".replace(",", "."), "1", "2"],
            "rent_t4": ["1040", None, "1", "1", "3"],
        },
        dtype="str",
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
