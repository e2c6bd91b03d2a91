"""Texts compared and sorted."""

import unicodedata
from functools import cache


def without_accents(text: str) -> str:
    """The text without accents and other marks; `œ` and `æ` stay."""
    if text.isascii():  # of most names it is, and this takes a fiftieth of the time
        return text
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def as_compared(text: str) -> str:
    """A key as the tables' collation (utf8mb4_general_ci) compares it, and so on SQLite too: the case and accents of a
    letter, and spaces at the end, make no difference; `ß` is an s, `œ` a letter of its own.
    """
    text = text.rstrip(" ")
    return text.upper() if text.isascii() else "".join(map(_weight, text))


@cache
def _weight(character: str) -> str:
    """What a character counts as: an accent that is a character of its own counts, all beyond U+FFFF count the same."""
    if character > "\uffff":
        return "\ufffd"
    letter = "s" if character == "ß" else unicodedata.normalize("NFD", character)[0]
    capital = letter.upper()
    return unicodedata.normalize("NFD", capital)[0] if len(capital) == 1 else letter
