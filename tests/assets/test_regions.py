import pandas as pd

from assets.regions import regions_before_2016, regions_since_2016

RECORDS = pd.DataFrame(
    {
        "new_code": ["28", "28", "28", "01"],
        "new_name": ["Normandie", "Normandie", "Normandie", "Guadeloupe"],
        "new_name_normalized": ["normandie", "normandie", "normandie", "guadeloupe"],
        "former_code": ["25", "23", "23", "01"],
        "former_name": ["Basse-Normandie", "Haute-Normandie", "Haute-Normandie", "Guadeloupe"],
        "former_name_normalized": ["basse normandie", "haute normandie", "haute normandie", "guadeloupe"],
    }
)
DELAYS = pd.DataFrame({"region_code": ["28", "1"], "delay": [12.0, None]})


def test_a_region_that_the_source_repeats_is_one_row_with_an_integer_code() -> None:
    regions = regions_since_2016(RECORDS, DELAYS)
    assert regions["code"].tolist() == [1, 28]
    assert regions["name"].tolist() == ["Guadeloupe", "Normandie"]
    assert regions.index.tolist() == [(3, 1), (0, 3)]


def test_the_delay_is_joined_on_the_code_and_unknown_stays_unknown() -> None:
    delays = regions_since_2016(RECORDS, DELAYS).set_index("code")["average_delay_obtain_social_housing"]
    assert delays[28] == 12
    assert pd.isna(delays[1])


def test_each_former_region_once_with_the_one_it_became_part_of() -> None:
    regions = regions_before_2016(RECORDS)
    assert regions[["former_code", "new_code"]].to_numpy().tolist() == [["01", 1], ["23", 28], ["25", 28]]
    assert regions.index.tolist() == [(3, 1), (1, 2), (0, 1)]
