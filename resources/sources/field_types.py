"""What a field of a raw file may be: its text repaired where that is safe, typed, or told apart as wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from warehouse import codes

if TYPE_CHECKING:  # half a second, which a refresh with nothing new does without
    import pandas as pd

LONGEST_NAME = 255
"""Characters of a VARCHAR column."""
LONGEST_TEXT = 16_383
"""Characters that fit a TEXT column (65,535 bytes) whatever they are."""
LARGEST_INTEGER = 2**31 - 1
LONGEST_NUMBER = 60
"""Characters of a number, with separators."""

_SPACES = " \t\r\n\u00a0\u202f\u2009"


@dataclass
class Parsed:
    """The values of a column; which texts are wrong; how many of the others were repaired, by what was done to them."""

    values: pd.Series
    wrong: pd.Series
    expected: str
    repairs: dict[str, int] = field(default_factory=dict)


def parse(text: pd.Series, kind: str, decimal: str = ".") -> Parsed:
    """A column of texts (NA where blank) as its kind, see `KINDS`; `decimal` is the decimal mark of its file."""
    return KINDS[kind](text, decimal)


def _long_text(text: pd.Series, _decimal: str, longest: int = LONGEST_TEXT) -> Parsed:
    wrong = (text.str.len() > longest) | text.str.contains("\x00", regex=False)
    return Parsed(text, wrong, f"a text of at most {longest:,} characters, without NUL bytes")


def _name(text: pd.Series, decimal: str) -> Parsed:
    """A text without no-break spaces and line ends around it; plain spaces alone stay, as publishers have them."""
    bare = text.str.strip(_SPACES)
    trimmed = (bare != text.str.strip(" ")) & text.notna()
    if not trimmed.any():
        return _long_text(text, decimal, LONGEST_NAME)
    values = bare.where(trimmed, text)
    parsed = _long_text(values.mask(trimmed & (values == "")), decimal, LONGEST_NAME)
    return replace(parsed, repairs={"lost no-break spaces or line ends around them": int(trimmed.sum())})


def _point(text: pd.Series, _decimal: str) -> Parsed:
    right = text.isna() | text.str.fullmatch(r"\s*-?\d+(?:\.\d+)?\s*,\s*-?\d+(?:\.\d+)?\s*")
    return Parsed(text, ~right, "latitude and longitude in degrees (46.1, 5.2)")


def _code(pattern: str, width: int, what: str) -> Callable[[pd.Series, str], Parsed]:
    """A code of `width` characters, or several apart by `/`; a shorter number gets back the zero, a longer one loses
    the `.0`, that a spreadsheet took or gave. Only digits are padded: whatever else is short is no code.
    """

    def parsed(text: pd.Series, _decimal: str) -> Parsed:
        usual = text.isna() | text.str.fullmatch(pattern)
        if usual.all():
            return Parsed(text, text.isna() & False, what)
        found = text[~usual]
        bare = found.str.strip(_SPACES).str.replace(r"^(\d+)\.0$", r"\1", regex=True)
        bare = bare.str.replace(r"\s*[,/]\s*", "/", regex=True)
        codes = bare.str.replace(rf"(?<![^/])(\d{{{width - 1}}})(?![^/])", r"0\1", regex=True)
        right = codes.str.fullmatch(pattern)
        padded = int((right & (codes != bare)).sum())
        repairs = {"got back a leading zero": padded, "were stripped of spaces or `.0`": int(right.sum()) - padded}
        repairs = {kind: number for kind, number in repairs.items() if number}
        values = text.where(usual, codes.reindex(text.index))
        return Parsed(values, ~usual & ~right.reindex(text.index, fill_value=True), what, repairs)

    return parsed


def _number(text: pd.Series, decimal: str) -> Parsed:
    """Numbers (float64). The decimal mark is the file's, or the other one where the text leaves no doubt."""
    import pandas as pd
    import pyarrow as pa

    expected = "a number, all its digits written out"
    if pd.api.types.is_numeric_dtype(text.dtype):
        return Parsed(text.astype("float64"), pd.Series(False, text.index), expected)
    plain = text if decimal == "." else text.str.replace(decimal, ".", regex=False)
    usual = text.isna() | text.str.fullmatch(rf"-?\d{{1,18}}(?:{re.escape(decimal)}\d{{1,40}})?")
    if usual.all():
        numbers = pa.array(plain, pa.large_string(), from_pandas=True).cast(pa.float64())  # ten times as fast as pandas
        exact = pd.Series(numbers.to_numpy(zero_copy_only=False), text.index)
        return Parsed(exact, pd.Series(False, text.index), expected)
    mark = _mark(text, decimal)
    unusual = text[~usual] if mark == decimal else text.dropna()
    found = {value: _deciphered(value, mark) for value in unusual.unique()}
    values = pd.to_numeric(plain.where(usual & (mark == decimal) | text.isna()), errors="coerce").astype("float64")
    values = values.where(~text.index.isin(unusual.index), unusual.map(found).reindex(text.index).astype("float64"))
    wrong = values.isna() & text.notna()
    repaired = int((values.notna() & text.index.isin(unusual.index)).sum())
    repairs = {"had another decimal mark or thousands separators": repaired} if repaired else {}
    return Parsed(values, wrong, expected, repairs)


def _mark(text: pd.Series, declared: str) -> str:
    """The decimal mark of a column: the declared one, unless what can only be read one way says the other."""
    other = "," if declared == "." else "."
    certain = {mark: text.str.contains(rf"\d{re.escape(mark)}(?:\d{{1,2}}|\d{{4,}})$").any() for mark in ".,"}
    return other if certain[other] and not certain[declared] else declared


def _deciphered(text: str, mark: str) -> float | None:
    """A number with spaces, thousands separators or another mark; None where its digits are not all certain.

    `1,234` beside decimal points may be either number: it is none.
    """
    bare = text.strip(_SPACES)
    if len(bare) > LONGEST_NUMBER:
        return None
    if re.fullmatch(rf"-?\d{{1,3}}(?:[{_SPACES}]\d{{3}})+(?:[.,]\d+)?", bare):
        bare = re.sub(f"[{_SPACES}]", "", bare)
    other = "," if mark == "." else "."
    if re.fullmatch(rf"-?\d{{1,3}}(?:\{other}\d{{3}})+\{mark}\d+", bare) or re.fullmatch(
        rf"-?\d{{1,3}}(?:\{other}\d{{3}}){{2,}}", bare
    ):
        bare = bare.replace(other, "")
    elif re.fullmatch(rf"-?\d{{1,3}}(?:\{mark}\d{{3}})+\{other}\d+", bare):
        bare = bare.replace(mark, "").replace(other, mark)
    elif re.fullmatch(rf"-?\d+\{other}(?:\d{{1,2}}|\d{{4,}})", bare):
        bare = bare.replace(other, mark)
    return float(bare.replace(mark, ".")) if re.fullmatch(rf"-?\d+(?:\{mark}\d+)?", bare) else None


def _zone(text: pd.Series, decimal: str) -> Parsed:
    """1 in a tense zone ("1. Zone tendue", "2. Zone touristique et tendue"), 0 in another; a number is itself."""
    zone = text.str.extract(r"^\s*(\d)\.\s+\D", expand=False)
    return KINDS["whole"](text.where(zone.isna(), zone.isin(["1", "2"]).map({True: "1", False: "0"})), decimal)


def _whole(*, exact: bool) -> Callable[[pd.Series, str], Parsed]:
    """Whole numbers (Int64): a measure is rounded, halves to the even one; an exact one must be whole already."""

    def parsed(text: pd.Series, decimal: str) -> Parsed:
        number = _number(text, decimal)
        fits = number.values.abs() <= LARGEST_INTEGER
        whole = fits & (number.values == number.values.round()) if exact else fits
        wrong = number.wrong | (number.values.notna() & ~whole)
        values = number.values.mask(wrong).round().astype("Int64")
        return Parsed(values, wrong, "a whole number" if exact else number.expected, number.repairs)

    return parsed


KINDS: dict[str, Callable[[pd.Series, str], Parsed]] = {
    "text": _name,
    "long_text": _long_text,
    "commune": _code(codes.COMMUNE, 5, "an INSEE code of five characters (01004, 2A004)"),
    "communes": _code(codes.COMMUNES, 5, "INSEE codes of communes (01018), a list or joined by /"),
    "department": _code(codes.DEPARTMENT, 2, "a department's code (01, 2A, 971)"),
    "postal": _code(codes.POSTAL_CODES, 5, "postal codes of five digits, joined by / (01500/01501)"),
    "canton": _code(r"(?:\d{2}|2[AB]|97\d)\d{2}", 4, "a canton's code (0104, 2A01)"),
    "ordinal": _code(r"\d{1,5}", 0, "a number without sign or decimals"),
    "station": _code(r"\d{8}", 8, "a weather station's number of eight digits (01089001)"),
    "region": _code(r"\d{2}", 2, "a region's code (01, 84)"),
    "rome": _code(codes.ROME, 5, "a ROME code (A1101)"),
    "facility": _code(codes.FACILITY_TYPE, 4, "a facility type of the BPE (A101)"),
    "point": _point,
    "zone": _zone,
    "integer": _whole(exact=True),
    "whole": _whole(exact=False),
    "number": _number,
}
"""Kinds of field. `whole` is a measure that is rounded, `integer` must be whole."""

LISTS = ("communes", "postal")
"""Kinds that hold several codes, joined by `/`; in JSON they may be a list."""
