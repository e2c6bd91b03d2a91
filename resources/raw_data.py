"""The raw files: found through the catalogue, hashed, read as text under the names the code uses. Never edited."""

import csv
import difflib
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree

import dagster as dg
import defusedxml.ElementTree
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from pydantic import PrivateAttr

from resources.catalogue import Layout, Source, catalogue
from resources.raw_files import RawFiles, SourceError
from warehouse.release import SourceFile

COMPRESSED = (".bz2", ".gz")
BLOCK_BYTES = 8 << 20


class RawData(dg.ConfigurableResource, RawFiles):  # type: ignore[type-arg]
    """The raw files, read."""

    folder: str
    dumps: str
    cache: str = ""
    _rows: dict[str, int] = PrivateAttr(default_factory=dict)

    def read_files(self, source_id: str) -> list[SourceFile]:
        """The files of a source, with the number of rows read from them so far."""
        return [replace(file, rows_read=self._rows.get(source_id)) for file in self.files(source_id)]

    def table(self, source_id: str) -> pd.DataFrame:
        """A csv source as text, columns under the catalogue's names, NA where blank, indexed by the file's line.

        Optional columns that the file has not are NA. `attrs` holds the source, the file and the decimal mark.
        """
        source, path = catalogue()[source_id], self.path(source_id)
        if path.suffix == ".xml":
            return self._frame(source_id, path, _xml_items(path), "item")
        layout, names = _layout_of(source, path)
        batches = pa.concat_tables([pa.table(batch) for batch in _stream(path, layout, names)] or [_empty(names)])
        frame: pd.DataFrame = batches.to_pandas()
        frame = frame.reindex(columns=list(layout.all_columns)).astype("str")
        frame.index = pd.RangeIndex(1 + layout.header, 1 + layout.header + len(frame), name="line")
        frame.attrs = {"source": source_id, "file": path.name, "decimal": layout.decimal}
        self._rows[source_id] = len(frame)
        return frame

    def batches(self, source_id: str) -> Iterator[pa.Table]:
        """A csv or Parquet source in bounded pieces: its required columns only, as text."""
        source, path = catalogue()[source_id], self.path(source_id)
        self._rows[source_id] = 0
        for batch in _stream_required(source, path):
            self._rows[source_id] += batch.num_rows
            yield batch

    def texts(self, source_id: str) -> dict[str, str]:
        """The files of a text source, decoded, by file name; {} if there are none."""
        encoding = catalogue()[source_id].layouts[0].encoding
        return {path.name: _decoded(path, encoding) for path in self.paths(source_id)}

    def records(self, source_id: str, *keys: str) -> pd.DataFrame:
        """A JSON list of objects as a frame of the catalogue's columns; `keys`: see `json_records`."""
        path = self.path(source_id)
        return self._frame(source_id, path, json_records(self.document(source_id), path.name, *keys), "record")

    def _frame(self, source_id: str, path: Path, records: list[dict[str, Any]], row: str) -> pd.DataFrame:
        """Records as a frame of the catalogue's columns, indexed by their place in the file, the first being 1."""
        layout = catalogue()[source_id].layouts[0]
        header = list(dict.fromkeys(key for record in records for key in record))
        _check_header(source_id, path, [layout], header)
        names = {spelling: column for column, spelling in layout.match(header).items()}
        frame = pd.DataFrame.from_records(records, columns=header).rename(columns=names)
        frame = frame.reindex(columns=list(layout.all_columns))
        frame.index = pd.RangeIndex(1, 1 + len(frame), name=row)
        frame.attrs = {"source": source_id, "file": path.name, "decimal": "."}
        self._rows[source_id] = len(frame)
        return frame

    def document(self, source_id: str) -> Any:
        """A JSON source."""
        path = self.path(source_id)
        try:
            return json.loads(_decoded(path, catalogue()[source_id].layouts[0].encoding))
        except json.JSONDecodeError as error:
            raise SourceError(
                f"{path.name}: expected JSON, line {error.lineno}: {error.msg}. Fetch it again"
            ) from error


def json_records(content: Any, file: str, *keys: str) -> list[dict[str, Any]]:
    """The list of objects under the first key (none: the content itself); of each, the object under the second."""
    for key in keys[:1]:
        content = content.get(key) if isinstance(content, dict) else None
    if isinstance(content, list) and keys[1:]:
        content = [record.get(keys[1]) if isinstance(record, dict) else None for record in content]
    if not isinstance(content, list) or not all(isinstance(record, dict) for record in content):
        raise SourceError(f"{file}: expected a list of objects under {' / '.join(keys) or 'the top'}")
    return content


def _decoded(path: Path, encoding: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        raise SourceError(f"{path.name}: expected {encoding}: {error}. Fetch it again") from error


def _xml_items(path: Path) -> list[dict[str, Any]]:
    """The items of an XML file of the ROME archive, each a dict of its elements."""
    try:
        root = defusedxml.ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise SourceError(f"{path.name}: expected XML: {error}. Fetch it again") from error
    return [{element.tag: element.text for element in item} for item in root or ()]


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, decompressed; of a zip, those of its largest member (the rest describe it)."""
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                member = max(archive.infolist(), key=lambda info: info.file_size)
                with archive.open(member) as file:
                    yield file
        elif path.suffix in COMPRESSED:
            with pa.input_stream(str(path), compression="detect") as file:
                yield file
        else:
            with path.open("rb") as file:
                yield file
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise SourceError(
            f"{path.name}: cannot be read, it is damaged or not whole: {error}. Fetch it again"
        ) from error


def _first_line(path: Path, encoding: str) -> str:
    with _opened(path) as file:
        line = io.BytesIO(file.read(1 << 16)).readline()
    return line.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="replace").rstrip("\r\n")


def _layout_of(source: Source, path: Path) -> tuple[Layout, dict[str, str]]:
    """The layout that a csv file has, and its columns: canonical name to the header's spelling."""
    headers = []
    for layout in source.layouts:
        header = next(csv.reader([_first_line(path, layout.encoding)], delimiter=layout.delimiter), [])
        headers.append(header)
        if not layout.header and len(header) == len(layout.columns):
            return layout, {name: name for name in layout.columns}
        if layout.header and not layout.missing(header):
            return layout, layout.match(header)
    _check_header(path.name, path, source.layouts, *headers)
    raise AssertionError("a header that lacks nothing has a layout")


def _check_header(source_id: str, path: Path, layouts: list[Layout], *headers: list[str]) -> None:
    """Raise SourceError when no layout has all its required columns; say which is missing from the nearest one."""
    lacks = [
        (layout.missing(header), header)
        for layout, header in zip(layouts, headers, strict=True)
        if layout.header and layout.missing(header)
    ]
    if not lacks:
        return
    missing, header = min(lacks, key=lambda lack: len(lack[0]))
    near = {name: difflib.get_close_matches(name, header, 1) for name in missing}
    hints = ", ".join(f"{name} (nearest: {close[0]})" if close else name for name, close in near.items())
    raise SourceError(
        f"{path.name}: its header lacks {hints}; it has {', '.join(header)[:300] or 'nothing'}. Fetch the file "
        "again, or add the new spelling to raw_data/sources.yaml"
    )


def _empty(names: dict[str, str]) -> pa.Table:
    return pa.table({name: pa.array([], pa.string()) for name in names})


def _stream(path: Path, layout: Layout, names: dict[str, str]) -> Iterator[pa.RecordBatch]:
    """The named columns of a csv file as text, in blocks, under their canonical names."""
    with _opened(path) as file:
        try:
            reader = pacsv.open_csv(
                file,
                pacsv.ReadOptions(
                    encoding=layout.encoding,
                    block_size=BLOCK_BYTES,
                    column_names=None if layout.header else list(layout.columns),
                ),
                pacsv.ParseOptions(delimiter=layout.delimiter, newlines_in_values=True),
                pacsv.ConvertOptions(
                    column_types=dict.fromkeys(names.values(), pa.string()),
                    include_columns=list(names.values()),
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            )
            for batch in reader:
                yield batch.rename_columns(list(names))
        except pa.ArrowInvalid as error:
            raise SourceError(f"{path.name}: is not the csv it should be: {error}. Fetch it again") from error


def _stream_required(source: Source, path: Path) -> Iterator[pa.Table]:
    if path.suffix != ".parquet":
        layout, names = _layout_of(source, path)
        required = {name: spelling for name, spelling in names.items() if name in layout.columns}
        for batch in _stream(path, layout, required):
            yield pa.table(batch)
        return
    layout = source.layouts[0]
    with pq.ParquetFile(path) as file:
        header = file.schema_arrow.names
        _check_header(path.name, path, [layout], header)
        names = {column: spelling for column, spelling in layout.match(header).items() if column in layout.columns}
        for batch in file.iter_batches(1 << 18, columns=list(names.values())):
            columns = [batch.column(spelling).cast(pa.string()) for spelling in names.values()]
            yield pa.table(columns, names=list(names))


def numbers(text: pd.Series) -> pd.Series:
    """Text to numbers (float64), NA where blank; the decimal mark is that of the text's source.

    Raises SourceError naming the file, the line and the value for a text that is no number.
    """
    if pd.api.types.is_numeric_dtype(text.dtype):
        return text.astype("float64")
    decimal = text.attrs.get("decimal", ".")
    values = pd.to_numeric(text.str.replace(decimal, ".", regex=False), errors="coerce").astype("float64")
    wrong = values.isna() & text.notna()
    if wrong.any():
        where, value = next(iter(text[wrong].items()))
        raise SourceError(
            f"{text.attrs.get('file', 'the table')}, {text.index.name or 'row'} {where}, {text.name}: expected a "
            f"number, found {value!r}. Correct it at its publisher, or fetch the file again"
        )
    return values


def whole_numbers(text: pd.Series) -> pd.Series:
    """As `numbers`, rounded to whole ones (Int64), halves to the even one."""
    return numbers(text).round().astype("Int64")
