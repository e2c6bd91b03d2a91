import pandas as pd

from assets.cities_jobs import offers


def dump(*rows: tuple[str | None, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["commune", "rome", "number"], dtype="str")


def test_codes_keep_their_zeros_and_letters_and_repeats_are_added_up() -> None:
    counted = offers(
        dump(("2A004", "A1101", "3"), ("01004", "A1101", "1"), ("2A004", "A1101", "4"), ("2A004", "B1101", "9"))
    )
    assert counted.to_numpy().tolist() == [["01004", "A1101", 1], ["2A004", "A1101", 7], ["2A004", "B1101", 9]]


def test_offers_of_no_commune_are_set_aside_and_said() -> None:
    counted = offers(dump((None, "A1101", "3"), ("null", "A1101", "5"), ("01004", "A1101", "1")))
    assert counted["number"].tolist() == [1]
    assert counted.attrs["notes"] == ["2 rows of the dump have no commune or no ROME: set aside, 8 offers"]
