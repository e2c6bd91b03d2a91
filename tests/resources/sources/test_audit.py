import pytest

from resources.errors import SourceError
from resources.sources.audit import Account, Reject


def account(read: int, used: int = 0, merged: int = 0) -> Account:
    return Account("house_prices", "f.csv", "line", read, used, merged)


def test_each_row_is_used_merged_or_rejected_and_one_too_few_or_many_is_an_error() -> None:
    found = account(10, used=6, merged=3)
    found.reject([7], Reject("blank"))
    found.check_sum()
    for wrong in (account(10, used=6, merged=3), account(10, used=8, merged=3)):
        with pytest.raises(SourceError, match=r"f.csv: 10 rows were read, . used, 3 merged, 0 rejected"):
            wrong.check_sum()


def test_faults_count_against_the_file_and_rules_do_not() -> None:
    found = account(100)
    found.reject(range(50), Reject("no tension", fault=False))
    found.reject([60, 61], Reject("INSEE_COM: expected a code", column="INSEE_COM", found="x"))
    found.check_share()  # two of a hundred may be so
    found.reject([62], Reject("blank"))
    with pytest.raises(SourceError, match=r"3 of 100 rows cannot be used, at most 2.0% .*line 60: INSEE_COM: .* 'x'"):
        found.check_share()
    assert found.by_reason() == {"no tension": 50, "INSEE_COM: expected a code": 2, "blank": 1}


def test_the_first_reason_stays() -> None:
    found = account(1)
    found.reject([1], Reject("first"))
    found.reject([1], Reject("second"))
    assert [reject.reason for reject in found.rejected.values()] == ["first"]
