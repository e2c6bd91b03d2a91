import pandas as pd
import pytest

from resources.sources.audit import RowAudit
from resources.sources.geography import among, with_todays_codes

CODES = pd.DataFrame({"code": ["01004", "01033", "01091"], "current_code": ["01004", "01033", "01033"]}, dtype="str")
FILE = pd.DataFrame({"insee_com": ["01033", "01091", "99999", None]}, dtype="str")


def test_a_code_is_todays_and_the_files_own_stands_beside_it() -> None:
    audit = RowAudit("house_prices", "f.csv", "line")
    found = with_todays_codes(FILE, ["insee_com"], CODES, audit)
    assert found["insee_com"].fillna("").tolist() == ["01033", "01033", "99999", ""]
    assert found["insee_com_of_file"].equals(FILE["insee_com"])
    assert (audit.former_codes, audit.unknown_codes) == ({"01091"}, {"99999"})


def test_without_a_cog_codes_are_the_files_and_none_is_unknown() -> None:
    audit = RowAudit("house_prices", "f.csv", "line")
    found = with_todays_codes(FILE, ["insee_com"], CODES[:0], audit)
    assert found["insee_com"].equals(FILE["insee_com"])
    assert found["insee_com_of_file"].equals(FILE["insee_com"])
    assert not audit.former_codes | audit.unknown_codes


@pytest.mark.parametrize("kind", ["str", "object", "float64"])
def test_where_there_is_no_code_none_is_among_the_known(kind: str) -> None:
    nothing = pd.Series([None, None], dtype=kind)
    assert among(nothing, ["01001"]).tolist() == [False, False]
    assert among(nothing[:0], ["01001"]).tolist() == []
    assert among(nothing, ["01001", None]).tolist() == [True, True]
