"""Looking at a raw file before it is kept: it is read to its end, as a refresh would read it."""

from pathlib import Path

from resources.errors import RefusedError, SourceError
from resources.raw_data import RawData
from resources.sources.catalogue import catalogue

TABLES = (".xml", ".csv")
"""Files of the ROME archive, which may be either; what is neither is JSON."""


def rows_of(source_id: str, folder: Path) -> int:
    """The rows of a source's file in a folder. Raises RefusedError when it is not there, or not what the catalogue
    says of its form and columns.
    """
    raw = RawData(folder=str(folder), dumps=str(folder))
    try:
        if catalogue()[source_id].kind == "csv":
            return sum(piece.num_rows for piece in raw.batches(source_id).rows)
        return len(raw.table(source_id).rows if raw.path(source_id).suffix in TABLES else raw.document(source_id))
    except SourceError as error:
        raise RefusedError(str(error)) from error
