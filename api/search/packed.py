"""Large tables of codes and whole numbers, read and kept as arrays.

A driver written in Python needs seconds for a million rows. The database joins them here, some thousand to a text,
which is taken apart in a tenth of that time.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Column, ColumnElement, Connection, String, cast, func, select

Array = NDArray[Any]
ROWS_PER_TEXT = 4_096
"""Of some 25 bytes: a tenth of what MariaDB joins by default (group_concat_max_len, 1 MiB)."""
CODE_BITS = 26
"""Enough for five digits and capital letters in base 36."""


def packed(connection: Connection, *chosen: Column[Any], where: ColumnElement[bool] | None = None) -> list[list[str]]:
    """The values of columns of one table as texts, in no order, without deleted rows; NULL is the empty text.

    A value must have no space and no comma: codes and whole numbers have none. `where`: of some thousand rows only; of
    all where it is not given, for which the table must have an id.
    """
    table = chosen[0].table
    texts = [func.coalesce(cast(column, String), "") for column in chosen]
    row: Any = texts[0]
    for text in texts[1:]:
        row = row.concat(" ").concat(text)
    query = select(func.group_concat(row))
    if "deleted_at" in table.c:
        query = query.where(table.c.deleted_at.is_(None))
    values: list[list[str]] = [[] for _ in chosen]
    known: dict[str, str] = {}  # a code stands on many rows, and is kept once
    for part in _ranges(connection, table) if where is None else [where]:
        joined = connection.execute(query.where(part)).scalar()
        fields = joined.replace(",", " ").split(" ") if joined else []
        for number, (column, found) in enumerate(zip(chosen, values, strict=True)):
            texts_of = fields[number :: len(chosen)]
            found += texts_of if column.primary_key else map(known.setdefault, texts_of, texts_of)
    return values


def _ranges(connection: Connection, table: Any) -> Iterator[ColumnElement[bool]]:
    """Ranges of the key: a GROUP BY would sort the table on disk."""
    last = connection.execute(select(func.max(table.c.id))).scalar() or 0
    for first in range(0, last + 1, ROWS_PER_TEXT):
        yield table.c.id.between(first, first + ROWS_PER_TEXT - 1)


def code(text: str) -> int:
    """An INSEE or ROME code as a number; -1 for what cannot be one."""
    return int(text, 36) if len(text) == 5 and text.isascii() and text.isalnum() else -1


def codes(texts: Iterable[str]) -> Array:
    """Codes as numbers."""
    return np.fromiter(map(code, texts), np.int64)


def whole_numbers(texts: Sequence[str], absent: int = 0) -> Array:
    """Whole numbers, `absent` for the empty text."""
    return np.fromiter((int(text or absent) for text in texts), np.int32, len(texts))
