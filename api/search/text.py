"""How texts compare: without case, accents and typographic differences, on MariaDB and on SQLite alike."""

import re
from bisect import bisect_left
from typing import TypeVar

from warehouse.text import without_accents

T = TypeVar("T")

_SPELT_OUT = str.maketrans({"œ": "oe", "æ": "ae", "’": "'", "‘": "'", "ʼ": "'"})

_WORD = re.compile(r"\w[\w+#]*")
"""Letters and digits; a `+` or `#` that follows belongs to the word: C++, C#."""


def beginning_with(text: str, names: list[tuple[str, T]]) -> list[tuple[str, T]]:
    """Of sorted pairs of a hyphened, folded name and what has it, those whose name begins with the folded text."""
    start = hyphened(text)
    first, last = (bisect_left(names, (end,)) for end in (start, start + "\U0010ffff"))
    return names[first:last]


def fold(text: str) -> str:
    """The text as it is compared: lower case, without accents, ligatures spelt out."""
    if not text.isascii():
        text = without_accents(text.casefold().translate(_SPELT_OUT))
    return text.lower()


def hyphened(name: str) -> str:
    """A folded name as its beginning is compared: a space is as good as a hyphen."""
    return name.replace(" ", "-")


def words(text: str) -> list[str]:
    """The words of a text, folded: `L'Aide-boulangère C++` has l, aide, boulangere and c++."""
    return _WORD.findall(fold(text).replace("_", " "))
