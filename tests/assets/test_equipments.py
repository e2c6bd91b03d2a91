import pandas as pd
import pyarrow as pa

from assets.equipments import sound, with_own_rows
from assets.equipments_special import sum_of_districts
from resources.sources import facilities
from resources.sources.facilities import count_facilities


def piece(*rows: tuple[str | None, str | None]) -> pa.Table:
    return pa.table(
        {
            "depcom": pa.array([row[0] for row in rows], pa.string()),
            "typequ": pa.array([row[1] for row in rows], pa.string()),
        }
    )


def test_facilities_are_counted_across_pieces_and_sorted() -> None:
    counted = count_facilities(
        [piece(("2A004", "A101"), ("01001", "B201")), piece(("01001", "B201"), ("01001", "A101"))]
    )
    assert counted.to_numpy().tolist() == [["01001", "A101", 1], ["01001", "B201", 2], ["2A004", "A101", 1]]


def test_counts_stay_right_when_partial_counts_are_merged_on_the_way() -> None:
    pieces = [piece((f"{n % 7:05}", "A101"), (f"{n % 3:05}", "B201")) for n in range(50)]
    whole = count_facilities(pieces)
    limit, facilities.MERGE_ROWS = facilities.MERGE_ROWS, 5
    try:
        pd.testing.assert_frame_equal(count_facilities(pieces), whole)
    finally:
        facilities.MERGE_ROWS = limit
    assert whole["total"].sum() == 100


def test_only_communes_and_types_are_sound_and_a_commune_with_its_zero_and_without_is_one() -> None:
    counted = count_facilities(
        [
            piece(
                (None, "A101"),
                ("01001", None),
                ("01001", "A101"),
                ("1001", "A101"),
                ("1,0E+03", "A101"),
                ("01001", "é"),
            )
        ]
    )
    facilities, repaired = sound(counted)
    assert facilities.to_numpy().tolist() == [["01001", "A101", 2]]
    assert repaired == 1


def test_a_city_has_the_sum_of_its_districts_and_nothing_of_its_neighbours() -> None:
    counted = count_facilities(
        [
            piece(
                *[("75101", "A101")] * 2,
                *[("75120", "A101")] * 3,
                ("75120", "B201"),
                ("13201", "A101"),
                ("13200", "A101"),
                ("69381", "A101"),
                ("69380", "A101"),
                ("13055", "A101"),
                ("75056", "A101"),
            )
        ]
    )
    assert sum_of_districts(counted).to_numpy().tolist() == [["69123", "A101", 1], ["75056", "B201", 1]]
    own = with_own_rows(counted, counted=False).set_index(["depcom", "typequ"])["total"]
    assert (own["75056", "A101"], own["13055", "A101"], own["13201", "A101"]) == (6, 2, 1)
    own = with_own_rows(counted, counted=True).set_index(["depcom", "typequ"])["total"]
    assert (own["75056", "A101"], own["13055", "A101"]) == (5, 1)
