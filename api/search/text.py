"""How texts compare: without case, accents and typographic differences, on MariaDB and on SQLite alike."""

import re
import unicodedata

_SPELT_OUT = str.maketrans({"œ": "oe", "æ": "ae", "’": "'", "‘": "'", "ʼ": "'"})

_WORD = re.compile(r"\w[\w+#]*")
"""Letters and digits; a `+` or `#` that follows belongs to the word: C++, C#."""


def fold(text: str) -> str:
    """The text as it is compared: lower case, without accents, ligatures spelt out."""
    if not text.isascii():
        apart = unicodedata.normalize("NFKD", text.casefold().translate(_SPELT_OUT))
        text = "".join(character for character in apart if not unicodedata.combining(character))
    return text.lower()


def words(text: str) -> list[str]:
    """The words of a text, folded: `L'Aide-boulangère C++` has l, aide, boulangere and c++."""
    return _WORD.findall(fold(text).replace("_", " "))
