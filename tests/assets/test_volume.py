from datetime import date

import pytest

from assets.common.expectations import unlike_known
from assets.warehouse import volume
from warehouse.release import SourceFile

DAY = date(2021, 12, 24)


def read(source_id: str, rows: int, vintage: str | None = None) -> SourceFile:
    return SourceFile(source_id, "file.csv", vintage, "", rows)


def test_a_source_that_was_not_read_is_not_compared_with_its_known_rows() -> None:
    assert unlike_known([read("communes", 0), read("offers_dump", 0, vintage="20200101")], DAY) == []


def test_a_source_with_other_than_its_known_rows_is_told() -> None:
    (finding,) = unlike_known([read("communes", 512), read("basins_lexicon", 35_357)], DAY)
    assert not finding.error
    assert str(finding) == (
        "communes has from 34,000 to 38,000 rows, file.csv has 512: is it whole, and of all France?"
    )


@pytest.mark.parametrize(("vintage", "old"), [("20211221", False), ("20211216", True), ("2021", False), (None, False)])
def test_a_dump_older_than_it_may_be_is_told(vintage: str | None, old: bool) -> None:
    findings = unlike_known([read("offers_dump", 300_000, vintage=vintage)], DAY)
    assert [str(finding) for finding in findings] == (
        ["offers_dump is at most 7 days old, file.csv is 8"] if old else []
    )


@pytest.mark.parametrize(
    ("rows", "before", "accepted", "error"),
    [
        (80, 100, [], None),
        (120, 100, [], None),
        (5, 0, [], None),
        (79, 100, [], True),
        (0, 100, ["helps"], True),
        (79, 100, ["cities"], False),
        (121, 100, [], False),
    ],
)
def test_a_table_that_lost_a_fifth_of_its_rows_is_an_error_unless_accepted_and_one_that_gained_a_warning(
    rows: int, before: int, accepted: list[str], error: bool | None
) -> None:
    finding = volume("cities", rows, before, accepted)
    assert (None if finding is None else finding.error) == error
