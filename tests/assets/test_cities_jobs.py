import pandas as pd

from assets.cities_jobs import offers


def test_codes_keep_their_zeros_and_letters_and_repeats_are_added_up() -> None:
    counted = offers(
        pd.DataFrame(
            [("2A004", "A1101", 3), ("01004", "A1101", 1), ("2A004", "A1101", 4), ("2A004", "B1101", 9)],
            columns=["commune", "rome", "number"],
        )
    )
    assert counted.to_numpy().tolist() == [["01004", "A1101", 1], ["2A004", "A1101", 7], ["2A004", "B1101", 9]]
    assert counted.index.tolist() == [(1, 1), (0, 2), (3, 1)]
