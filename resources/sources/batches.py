"""Large files in bounded pieces: the required columns of a delimited or Parquet file, as text."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from resources.errors import SourceError
from resources.sources.audit import RowAudit
from resources.sources.catalogue import Source
from resources.sources.delimited import CsvFile, NotLineByLineError, check_header, recognised
from resources.sources.typed_rows import SHOWN_CHARACTERS

ROWS_PER_BATCH = 1 << 18


def pieces(source: Source, path: Path, audit: RowAudit) -> Iterator[pa.Table]:
    """The pieces, not looked at; their rows are counted in `audit` as they pass.

    Raises SourceError, naming the line, when the file is not what it should be.
    """
    if path.suffix == ".parquet":
        audit.location, batches = "row", _parquet(source, path)
    else:
        file = recognised(path, source)
        audit.repairs |= file.repairs
        batches = _delimited(file, audit)
    for batch in batches:
        audit.read += batch.num_rows
        yield pa.table(batch)
    if not audit.read:
        raise SourceError(f"{path.name}: has a header and no row. Fetch it again")


def exact_frames(source: Source, path: Path) -> Iterator[pd.DataFrame]:
    """The same rows, read exactly, indexed by line (of Parquet: by row)."""
    return _parquet_frames(source, path) if path.suffix == ".parquet" else _exact(recognised(path, source))


def _delimited(file: CsvFile, audit: RowAudit) -> Iterator[pa.RecordBatch]:
    """The required columns of a delimited file; where its rows are not lines, the exact reader tells why."""
    try:
        yield from file.batches(list(file.layout.columns))
    except NotLineByLineError:
        rows = 0
        for row in file.rows():
            rows += 1
            if row.error:
                raise SourceError(
                    f"{file.path.name}, line {row.line}: {row.error}: {row.text[:SHOWN_CHARACTERS]!r}. Correct the "
                    "line, or fetch the file again"
                ) from None
        if rows != audit.read:
            raise SourceError(f"{file.path.name}: {audit.read:,} rows by one reader, {rows:,} by another") from None


def _exact(file: CsvFile) -> Iterator[pd.DataFrame]:
    """The required columns of a delimited file, indexed by line, in pieces."""
    at = {column: file.header.index(file.names[column]) for column in file.layout.columns}
    rows: list[list[str | None]] = []
    lines: list[int] = []
    for row in file.rows():
        rows.append([row.fields[position] or None for position in at.values()])
        lines.append(row.line)
        if len(rows) == ROWS_PER_BATCH:
            yield pd.DataFrame(rows, lines, list(at), dtype="str")
            rows, lines = [], []
    yield pd.DataFrame(rows, lines, list(at), dtype="str")


def _parquet_frames(source: Source, path: Path) -> Iterator[pd.DataFrame]:
    """The required columns of a Parquet file, indexed by row, in pieces."""
    first = 1
    for batch in _parquet(source, path):
        yield batch.to_pandas().astype("str").set_axis(pd.RangeIndex(first, first + len(batch)))
        first += len(batch)


def _parquet(source: Source, path: Path) -> Iterator[pa.RecordBatch]:
    """The required columns of a Parquet file as text, in pieces."""
    layout = source.layouts[0]
    try:
        with pq.ParquetFile(path) as file:
            header = file.schema_arrow.names
            check_header(path, [layout], header)
            names = {column: spelling for column, spelling in layout.match(header).items() if column in layout.columns}
            for batch in file.iter_batches(ROWS_PER_BATCH, columns=list(names.values())):
                columns = [batch.column(spelling).cast(pa.string()) for spelling in names.values()]
                yield pa.RecordBatch.from_arrays(columns, names=list(names))
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{path.name}: cannot be read as Parquet: {error}. Fetch it again") from error
