"""Large files in bounded pieces: the required columns of a delimited or Parquet file, as text."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from resources.errors import SourceError
from resources.sources.audit import Reject, RowAudit
from resources.sources.catalogue import Source
from resources.sources.decompression import readable_as
from resources.sources.delimited import CsvFile, NotLineByLineError, matched, recognised

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
        for column, pattern in _only(source, batch.schema.names).items():
            whole, fits = batch.num_rows, pc.match_substring_regex(batch.column(column), f"^(?:{pattern})$")
            batch = batch.filter(pc.fill_null(fits, fill_value=True))
            reason = f"{column} is not {pattern}: the row is another level's or a total"
            audit.ruled_out[reason] = audit.ruled_out.get(reason, 0) + whole - batch.num_rows
        yield pa.table(batch)
    audit.ruled_out = {reason: number for reason, number in audit.ruled_out.items() if number}
    if not audit.read:
        raise SourceError(f"{path.name}: has a header and no row. Fetch it again")
    audit.check_share()


def exact_frames(source: Source, path: Path) -> Iterator[pd.DataFrame]:
    """The same rows, read exactly, indexed by line (of Parquet: by row)."""
    for frame in _parquet_frames(source, path) if path.suffix == ".parquet" else _exact(recognised(path, source)):
        for column, pattern in _only(source, list(frame.columns)).items():
            frame = frame[frame[column].isna() | frame[column].str.fullmatch(pattern)]
        yield frame


def _only(source: Source, columns: list[str]) -> dict[str, str]:
    """The rule by which rows count, of the layout that has these columns."""
    return next(layout.only for layout in source.layouts if set(layout.columns) == set(columns))


def _delimited(file: CsvFile, audit: RowAudit) -> Iterator[pa.RecordBatch]:
    """The required columns of a delimited file; from where its rows are not lines, as the exact reader has them."""
    try:
        yield from file.batches(list(file.layout.columns))
    except NotLineByLineError:
        for frame in _exact(file, audit, audit.read):
            yield pa.RecordBatch.from_pandas(frame, pa.schema([(c, pa.string()) for c in frame]), preserve_index=False)


def _exact(file: CsvFile, audit: RowAudit | None = None, skip: int = 0) -> Iterator[pd.DataFrame]:
    """The required columns of a delimited file, indexed by line, in pieces, after the first rows, which were read.

    Rows that are none are rejected in `audit`, where there is one.
    """
    at = {column: file.header.index(file.names[column]) for column in file.layout.columns}
    rows: list[list[str | None]] = []
    lines: list[int] = []
    for row in islice(file.rows(), skip, None):
        if row.error:
            if audit is not None:
                audit.reject_row(row.line, row.text, Reject(row.error))
            continue
        rows.append([row.fields[position] or None for position in at.values()])
        lines.append(row.line)
        if len(rows) == ROWS_PER_BATCH:
            yield pd.DataFrame(rows, lines, list(at), dtype="str")
            rows, lines = [], []
    if rows:
        yield pd.DataFrame(rows, lines, list(at), dtype="str")


def _parquet_frames(source: Source, path: Path) -> Iterator[pd.DataFrame]:
    """The required columns of a Parquet file, indexed by row, in pieces."""
    first = 1
    for batch in _parquet(source, path):
        yield batch.to_pandas().astype("str").set_axis(pd.RangeIndex(first, first + len(batch)))
        first += len(batch)


def _parquet(source: Source, path: Path) -> Iterator[pa.RecordBatch]:
    """The required columns of a Parquet file as text, in pieces."""
    with readable_as("Parquet", path), pq.ParquetFile(path) as file:
        header = file.schema_arrow.names
        layout = min(source.layouts, key=lambda layout: len(layout.missing(header)))
        found = matched(path, layout, header)
        names = {column: found[column] for column in layout.columns}
        for batch in file.iter_batches(ROWS_PER_BATCH, columns=list(names.values())):
            columns = [batch.column(spelling).cast(pa.string()) for spelling in names.values()]
            yield pa.RecordBatch.from_arrays(columns, names=list(names))
