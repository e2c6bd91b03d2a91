import pandas as pd
import pytest

from resources.sources.field_types import KINDS, parse

NO: list[str] = []


@pytest.mark.parametrize(
    ("kind", "text", "values", "wrong"),
    [
        ("commune", ["01004", "1004", " 2A004 ", "1004.0"], ["01004", "01004", "2A004", "01004"], NO),
        ("commune", ["1,23E+04", "104", "2A04", "123456"], NO, ["1,23E+04", "104", "2A04", "123456"]),
        ("communes", ["01018/1091", "20004"], ["01018/01091", "20004"], NO),
        ("communes", ["01018/x", "0101801091"], NO, ["01018/x", "0101801091"]),
        ("department", ["1", "2A", "971", "95"], ["01", "2A", "971", "95"], NO),
        ("postal", ["1500", "1500/01510", "01500, 01510"], ["01500", "01500/01510", "01500/01510"], NO),
        ("postal", ["1,5E+03", "15", "01500/x", "015000"], NO, ["1,5E+03", "15", "01500/x", "015000"]),
        ("canton", ["104", "2A01", "97101"], ["0104", "2A01", "97101"], NO),
        ("ordinal", ["4", "20.0", "12345"], ["4", "20", "12345"], NO),
        ("ordinal", ["1E1", "-1"], NO, ["1E1", "-1"]),
        ("station", ["1089001", "75114001"], ["01089001", "75114001"], NO),
        ("zone", ["1. Zone tendue", "2. Zone touristique et tendue", "3. Non tendue", "8"], [1, 1, 0, 8], NO),
        ("zone", ["tendue", "1. 5"], NO, ["tendue", "1. 5"]),
        ("region", ["1", "84"], ["01", "84"], NO),
        ("rome", ["A1101", "1101", "a1101", "Z1101"], ["A1101"], ["1101", "a1101", "Z1101"]),
        ("facility", ["A101", "101", "H101"], ["A101"], ["101", "H101"]),
        ("point", ["46.1, 5.2", "-20,55.5"], ["46.1, 5.2", "-20,55.5"], NO),
        ("point", ["46,1, 5,2", "46.1", "x, y"], NO, ["46,1, 5,2", "46.1", "x, y"]),
        ("integer", ["4", "4.0", "-2"], [4, 4, -2], NO),
        ("integer", ["3.5", "9999999999", "x"], NO, ["3.5", "9999999999", "x"]),
        ("whole", ["60.0", "2.5", "3.5"], [60, 2, 4], NO),
        ("number", ["1", "1.25", "-3"], [1, 1.25, -3], NO),
        (
            "number",
            ["9" * 5000, "many", "nan", "inf", "1e5", "1,23E+04", "--1", "1 2"],
            NO,
            ["9" * 5000, *"many nan inf 1e5 1,23E+04 --1".split(), "1 2"],
        ),
        ("text", ["Île", "x" * 255], ["Île", "x" * 255], NO),
        (
            "text",
            ["\u00a0Lyon\r\n", "a \u00a0b", "BORDEAUX ", "a \u00a0 "],
            ["Lyon", "a \u00a0b", "BORDEAUX ", "a"],
            NO,
        ),
        ("text", ["x" * 256, "a\x00b"], NO, ["x" * 256, "a\x00b"]),
        ("long_text", ["x" * 5000], ["x" * 5000], NO),
        ("long_text", ["x" * 20_000, "\x00"], NO, ["x" * 20_000, "\x00"]),
    ],
)
def test_each_kind_takes_what_it_can_be_and_tells_what_it_cannot(
    kind: str, text: list[str], values: list[object], wrong: list[str]
) -> None:
    column = pd.Series([*text, None], dtype="str")
    parsed = parse(column, kind)
    assert column[parsed.wrong].tolist() == wrong
    assert parsed.values[~parsed.wrong & column.notna()].tolist() == values
    assert pd.isna(parsed.values.iloc[-1])


def test_every_kind_is_tested() -> None:
    marks = test_each_kind_takes_what_it_can_be_and_tells_what_it_cannot.pytestmark  # type: ignore[attr-defined]
    assert {case[0] for mark in marks for case in mark.args[1]} == set(KINDS)


@pytest.mark.parametrize(
    ("decimal", "text", "values"),
    [
        (",", ["9,37", "10"], [9.37, 10]),
        (",", ["1.5", "2.25"], [1.5, 2.25]),
        (".", ["16,61538462", "2"], [16.61538462, 2]),
        (".", ["7,5", "1,234"], [7.5, 1.234]),  # the column's commas are decimal marks: 7,5 leaves no doubt
        (".", ["1 234", "1\u00a0234.5", "12\u202f345\u202f678"], [1234, 1234.5, 12345678]),
        (".", ["1,234.5", "1,234,567"], [1234.5, 1234567]),
        (",", ["1.234,5", "1.234.567,25"], [1234.5, 1234567.25]),
    ],
)
def test_decimal_marks_and_thousands_are_read_where_they_leave_no_doubt(
    decimal: str, text: list[str], values: list[float]
) -> None:
    parsed = parse(pd.Series(text, dtype="str"), "number", decimal)
    assert parsed.values.tolist() == values
    assert not parsed.wrong.any()


def test_what_may_be_either_number_is_none() -> None:
    parsed = parse(pd.Series(["1,234", "2.5"], dtype="str"), "number", ".")
    assert parsed.wrong.tolist() == [True, False]


def test_repairs_are_counted() -> None:
    assert parse(pd.Series(["1004", "01004", "1005"], dtype="str"), "commune").repairs == {"got back a leading zero": 2}
    assert parse(pd.Series(["1 234", "5"], dtype="str"), "whole").repairs == {
        "had another decimal mark or thousands separators": 1
    }
    assert parse(pd.Series(["01004"], dtype="str"), "commune").repairs == {}
