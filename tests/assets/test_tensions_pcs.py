import pandas as pd

from assets.tensions_pcs import pcs_of_romes

ROWS = [
    ["Table de correspondance", None, None],
    ["A", "Agriculture, marine, pêche", None],
    ["A0Z40", "691e", "A1416"],
    [None, None, "A1407"],
    [None, "691a", "A1416"],
    [None, None, None],
    ["A1Z", "Maraîchers, jardiniers", None],
    ["A1Z40", None, "A1201"],
    [None, "6311", "A1201"],
    ["* note", None, "A1999 et suivants"],
]


def test_empty_cells_equal_the_one_above_and_the_first_row_of_a_rome_wins() -> None:
    table = pd.DataFrame(ROWS, columns=["fap", "pcs", "rome"], dtype="str")
    found = pcs_of_romes(table)
    assert found["pcs"].to_dict() == {"A1416": "691e", "A1407": "691e", "A1201": "691a"}
    assert found["fap"].to_dict() == {"A1416": "A0Z40", "A1407": "A0Z40", "A1201": "A1Z40"}


def test_headings_and_titles_are_no_codes() -> None:
    table = pd.DataFrame(ROWS, columns=["fap", "pcs", "rome"], dtype="str")
    assert "A1999 et suivants" not in pcs_of_romes(table).index
