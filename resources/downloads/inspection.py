"""Checking a raw file before it is kept: it is read to its end, as a refresh reads it."""

from pathlib import Path

from resources.errors import RefusedError, SourceError
from resources.raw_data import RawData
from resources.sources.catalogue import catalogue

TABLES = (".xml", ".csv")
"""Suffixes of tabular files (the ROME archive has either); any other file is JSON."""


def rows_of(source_id: str, folder: Path) -> int:
    """The number of rows of a source's file in a folder.

    Raises RefusedError if it is missing, or does not have the format and columns that the catalogue describes.
    """
    raw = RawData(folder=str(folder), dumps=str(folder))
    try:
        if catalogue()[source_id].kind == "csv":
            return sum(batch.num_rows for batch in raw.batches(source_id).rows)
        return len(raw.table(source_id).rows if raw.path(source_id).suffix in TABLES else raw.document(source_id))
    except SourceError as error:
        raise RefusedError(str(error)) from error
