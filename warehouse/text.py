"""Texts compared and sorted."""

import unicodedata


def without_accents(text: str) -> str:
    """The text without accents and other marks; `œ` and `æ` stay."""
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
