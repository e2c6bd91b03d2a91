import pytest

from resources.errors import RejectedRowsError, SourceError
from resources.sources.audit import Reject, RowAudit
from warehouse.release import SourceFile


def audit(read: int, used: int = 0, merged: int = 0) -> RowAudit:
    return RowAudit("house_prices", "f.csv", "line", read, used, merged)


def test_each_row_is_used_merged_or_rejected_and_one_too_few_or_many_is_an_error() -> None:
    found = audit(10, used=6, merged=3)
    found.reject([7], Reject("blank"))
    found.check_sum()
    for wrong in (audit(10, used=6, merged=3), audit(10, used=8, merged=3)):
        with pytest.raises(SourceError, match=r"f.csv: 10 rows were read, . used, 3 merged, 0 rejected"):
            wrong.check_sum()


def test_errors_count_against_the_file_and_rules_do_not() -> None:
    found = audit(100)
    found.reject(range(50), Reject("no tension", is_error=False))
    found.reject([60, 61], Reject("INSEE_COM: expected a code", column="INSEE_COM", found="x"))
    found.check_share()  # two of a hundred may be so
    found.reject([62], Reject("blank"))
    with pytest.raises(
        RejectedRowsError, match=r"3 of 100 rows cannot be used, at most 2.0% .*line 60: INSEE_COM: .* 'x'"
    ) as refused:
        found.check_share()
    assert refused.value.audit is found  # what was rejected can be kept
    assert found.by_reason() == {"no tension": 50, "INSEE_COM: expected a code": 2, "blank": 1}


def test_the_first_reason_stays() -> None:
    found = audit(1)
    found.reject([1], Reject("first"))
    found.reject([1], Reject("second"))
    assert [reject.reason for reject in found.rejected.values()] == ["first"]


def test_counts_add_up_with_what_the_reader_merged() -> None:
    assert audit(10, merged=1).count(6, 2).merged == 3


def test_files_are_told_what_became_of_their_rows_unless_none_was_read() -> None:
    files = [SourceFile("house_prices", "f.csv", "2019", "ab")]
    found = audit(10).count(7, 2)
    found.reject([1], Reject("blank"))
    (file,) = found.told_of(files)
    assert (file.rows_read, file.rows_used, file.rows_merged, file.rows_rejected) == (10, 7, 2, 1)
    assert file.vintage == "2019"
    assert audit(0).told_of(files) == files
