"""One geography: the commune codes of a file of any year as those of today, through the Code officiel géographique."""

from collections.abc import Iterable
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from resources.sources.audit import RowAudit

GEOGRAPHY = "cog"
"""The source of today's communes, and the import that makes the map of it."""

OF_FILE = "_of_file"
"""Ending of the column that holds the code as the file has it, beside today's."""
TEXT = pa.large_string()
"""What a column of texts is in Arrow."""


def with_todays_codes(
    frame: pd.DataFrame, columns: Iterable[str], codes: pd.DataFrame, audit: RowAudit
) -> pd.DataFrame:
    """The frame with today's commune codes in `columns`, and the file's own beside them (`insee_com_of_file`).

    `codes`: code, current_code; of no rows where there is no COG: then codes stay as they are. So does a code that the
    COG does not know. `audit` is told the former codes, and the unknown ones.
    """
    frame = frame.assign(**{f"{column}{OF_FILE}": frame[column] for column in columns})
    if codes.empty:
        return frame
    known, now = (pa.array(codes[column], TEXT) for column in ("code", "current_code"))
    for column in columns:
        of_file = pa.array(frame[column], TEXT, from_pandas=True)
        current = now.take(pc.index_in(of_file, known, skip_nulls=True))
        audit.former_codes |= _distinct(of_file.filter(pc.not_equal(current, of_file)))
        audit.unknown_codes |= _distinct(of_file.filter(current.is_null()))
        frame[column] = pd.Series(pc.coalesce(current, of_file), frame.index, dtype="str")
    return frame


def _distinct(codes: pa.Array) -> set[str]:
    return set(codes.unique().drop_null().to_pylist())


def among(codes: pd.Series, known: Iterable[Any]) -> pd.Series:
    """Which of the codes are known, NA where it is among them: of thousands in a twentieth of the time of `isin` over
    texts of Arrow.
    """
    looked_up = pa.array(codes, from_pandas=True)
    if looked_up.null_count == len(looked_up):  # of no code Arrow does not know the type
        return codes.isna() & any(map(pd.isna, known))
    listed = known if isinstance(known, pd.Series) else list(known)
    found = pc.is_in(looked_up, pa.array(listed, looked_up.type, from_pandas=True))
    return pd.Series(found.to_numpy(zero_copy_only=False), codes.index)
