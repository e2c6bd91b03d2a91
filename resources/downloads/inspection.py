"""Checking a raw file alone before it is kept: it is read to its end, and each value typed."""

from pathlib import Path

from resources.errors import RefusedError, SourceError
from resources.raw_data import RawData
from resources.sources.catalogue import catalogue

TABLES = (".xml", ".csv")
"""Suffixes of tabular files (the ROME archive has either); any other file is JSON."""
LARGE = "bpe"
"""The source that is read in bounded pieces, as its import does."""


def rows_of(source_id: str, folder: Path) -> int:
    """The number of rows of a source's file in a folder.

    Raises RefusedError if it is missing, does not have the format and columns that the catalogue describes, or more of
    its rows cannot be used than may be.
    """
    raw = RawData(folder=str(folder), dumps=str(folder))
    try:
        if source_id == LARGE:
            pieces, audit = raw.batches(source_id)
            rows: int = sum(piece.num_rows for piece in pieces)
            raw.reject_wrong(audit)
            audit.check_share()
            return rows
        if catalogue()[source_id].kind == "csv" or raw.path(source_id).suffix in TABLES:
            return raw.table(source_id).audit.read
        document: list[object] = raw.document(source_id)
        return len(document)
    except SourceError as error:
        raise RefusedError(str(error)) from error
