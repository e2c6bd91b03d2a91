"""The raw files: found through the catalogue, hashed, read as typed rows under the names the code uses. Never edited.

Every row that is read is accounted for: an import says how many rows it used and merged, and which it rejects.
"""

import json
import math
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import dagster as dg
import defusedxml
import defusedxml.ElementTree
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import PrivateAttr

from resources.clients.jsonl_cache import Entry, read_store
from resources.errors import SourceError
from resources.sources.audit import Account, Reject
from resources.sources.catalogue import Layout, Source, catalogue
from resources.sources.decompression import decoded, head
from resources.sources.delimited import CsvFile, NotLineByLineError, check_header, recognised
from resources.sources.field_types import parse
from resources.sources.files import RawFiles, vintage
from warehouse.release import SourceFile

ROWS_PER_BATCH = 1 << 18
MOST_KEPT = 50_000
"""Rejected rows of a file that is to be refused: more than these are not looked for."""
SHOWN_CHARACTERS = 80


class RawData(dg.ConfigurableResource, RawFiles):  # type: ignore[type-arg]
    """The raw files, read."""

    folder: str
    dumps: str
    cache: str = ""
    _accounts: dict[str, Account] = PrivateAttr(default_factory=dict)

    def account(self, source_id: str) -> Account:
        """What became of the rows of a source when it was last read."""
        return self._accounts[source_id]

    def accounts(self, source_ids: Iterable[str]) -> list[Account]:
        """The accounts of those of the sources that were read."""
        return [self._accounts[source_id] for source_id in source_ids if source_id in self._accounts]

    def forget(self) -> None:
        """Begin anew: nothing was read yet."""
        self._accounts.clear()

    def read_files(self, source_id: str) -> list[SourceFile]:
        """The files of a source, with what became of the rows read from them so far."""
        account = self._accounts.get(source_id)
        if account is None:
            return self.files(source_id)
        return [
            replace(
                file,
                vintage=account.vintage or file.vintage,
                rows_read=account.read,
                rows_used=account.used,
                rows_merged=account.merged,
                rows_rejected=len(account.rejected),
            )
            for file in self.files(source_id)
        ]

    def table(self, source_id: str) -> pd.DataFrame:
        """A csv source, typed, columns under the catalogue's names, NA where blank, indexed by the file's line.

        Optional columns that the file has not are NA. Rows that cannot be used are rejected.

        Raises SourceError when the file is not what it should be, or more rows than may be cannot be used.
        """
        source, path = catalogue()[source_id], self.path(source_id)
        if path.suffix == ".xml":
            return self._records(source_id, path, _xml_items(path))
        file = recognised(path, source)
        frame, faulty = file.frame()
        account = self._open(source_id, path.name, "line", len(frame) + len(faulty))
        by_line = isinstance(frame.index, pd.RangeIndex)
        account.text_of = lambda places: file.texts(places, line_by_line=by_line)
        account.repairs |= file.repairs
        for row in faulty:
            account.reject([row.line], Reject(row.fault or ""))
        return self._typed(source, file.layout, frame, account, file.names)

    def batches(self, source_id: str) -> Iterator[pa.Table]:
        """A csv or Parquet source in bounded pieces: its required columns only, as text, not looked at.

        Raises SourceError, naming the line, when the file is not what it should be.
        """
        source, path = catalogue()[source_id], self.path(source_id)
        account = self._open(source_id, path.name, "line", 0)
        if path.suffix == ".parquet":
            account.place = "row"
            pieces = _parquet(source, path)
        else:
            file = recognised(path, source)
            account.repairs |= file.repairs
            pieces = _delimited(file, account)
        for piece in pieces:
            account.read += piece.num_rows
            yield pa.table(piece)
        if not account.read:
            raise SourceError(f"{path.name}: has a header and no row. Fetch it again")

    def reject_wrong(self, source_id: str) -> None:
        """Look again at the rows that `batches` gave, and reject those whose fields are not what they should be.

        It stops where the file is to be refused whatever else is in it.
        """
        source, path, account = catalogue()[source_id], self.path(source_id), self._accounts[source_id]
        text: dict[Hashable, str] = {}
        account.text_of = lambda _places: text
        for frame in _parquet_frames(source, path) if path.suffix == ".parquet" else _exact(recognised(path, source)):
            of_piece = Account(source_id, account.file, account.place)
            _parsed(source, frame, of_piece, ".", {str(column): str(column) for column in frame})
            account.rejected |= of_piece.rejected
            bad = frame[frame.index.isin(list(of_piece.rejected))]
            text.update(zip(bad.index, map(";".join, bad.fillna("").to_numpy().tolist()), strict=True))
            if account.faults > MOST_KEPT and account.faults > source.max_rejected * account.read:
                return

    def all_used(self, source_id: str, place: str, number: int) -> None:
        """Say of a source that is one document that all of its parts were used."""
        self._open(source_id, self.path(source_id).name, place, number).used = number

    def texts(self, source_id: str) -> dict[str, str]:
        """The files of a text source, decoded, by file name; {} if there are none. One that is no text is rejected."""
        paths = self.paths(source_id)
        account = self._open(source_id, catalogue()[source_id].files[0], "file", len(paths))
        found = {}
        for path in paths:
            try:
                found[path.name] = decoded(path, catalogue()[source_id].layouts[0].encoding)
            except SourceError as error:
                account.reject([path.name], Reject(str(error)))
        account.check_share()
        return found

    def entries(self, source_id: str) -> dict[str, Entry]:
        """What an outside service answered, by code; {} where it was never asked."""
        found = {code: entry for path in self.paths(source_id) for code, entry in read_store(path).items()}
        if found:
            self._open(source_id, self.path(source_id).name, "code", len(found))
        return found

    def records(self, source_id: str, *keys: str) -> pd.DataFrame:
        """A JSON list of objects as `table` gives a csv, indexed by the record; `keys`: see `json_records`."""
        path = self.path(source_id)
        return self._records(source_id, path, json_records(self.document(source_id), path.name, *keys))

    def _records(self, source_id: str, path: Path, records: list[dict[str, Any]]) -> pd.DataFrame:
        source = catalogue()[source_id]
        layout = source.layouts[0]
        header = list(dict.fromkeys(key for record in records for key in record))
        if records:
            check_header(path, [layout], header)
        account = self._open(source_id, path.name, "record", len(records))
        account.text_of = lambda places: {
            at: json.dumps(records[at - 1], ensure_ascii=False, default=str) for at in places if isinstance(at, int)
        }
        names = layout.match(header)
        columns = {column: [_as_text(record.get(key)) for record in records] for column, key in names.items()}
        nested = [at for at in range(1, len(records) + 1) if any(values[at - 1] is ... for values in columns.values())]
        account.reject(nested, Reject("expected a text or a number in each field, found a list or an object"))
        frame = pd.DataFrame(columns, index=pd.RangeIndex(1, 1 + len(records), name="record"))
        return self._typed(source, layout, frame.drop(index=nested).astype("str"), account, names)

    def document(self, source_id: str) -> Any:
        """A JSON source."""
        path = self.path(source_id)
        try:
            return json.loads(decoded(path, catalogue()[source_id].layouts[0].encoding))
        except json.JSONDecodeError as error:
            raise SourceError(
                f"{path.name}: expected JSON, line {error.lineno}: {error.msg}. Fetch it again"
            ) from error
        except RecursionError as error:
            raise SourceError(f"{path.name}: expected JSON of a few levels, found endless ones") from error

    def _open(self, source_id: str, file: str, place: str, read: int) -> Account:
        told = vintage(catalogue()[source_id], file)
        self._accounts[source_id] = Account(source_id, file, place, read, vintage=told)
        return self._accounts[source_id]

    def _typed(
        self, source: Source, layout: Layout, text: pd.DataFrame, account: Account, names: dict[str, str]
    ) -> pd.DataFrame:
        """Texts as what the catalogue says they are; rows where that fails, or that lack what is needed, rejected."""
        if not account.read:
            raise SourceError(f"{account.file}: has a header and no row. Fetch it again")
        frame = _parsed(source, text, account, layout.decimal, names)
        frame = _without_repeats(frame[~frame.index.isin(list(account.rejected))], source.key, account)
        account.check_share()
        if source.vintage_column in frame and len(frame):
            account.vintage = str(frame[source.vintage_column].max())
        account.absent = [spellings[0] for name, spellings in layout.optional_columns.items() if name not in names]
        return frame.reindex(columns=list(layout.all_columns))


def _parsed(source: Source, text: pd.DataFrame, account: Account, decimal: str, names: dict[str, str]) -> pd.DataFrame:
    """Texts as what the catalogue says they are; rows that fail in it, or lack a needed value, are rejected."""
    text = text.mask(text.isin(source.blank)) if source.blank else text
    columns = {}
    for name, spelling in names.items():
        kind = source.types.get(name, "text")
        blank = text[name] == ""  # in JSON a text may be empty and there
        parsed = parse(text[name] if kind.endswith("text") else text[name].mask(blank), kind, decimal)
        columns[name] = parsed.values
        for repair, number in parsed.repairs.items():
            account.repairs[f"values of {spelling} {repair}"] = number
        for place, found in text[name][parsed.wrong].items():
            reject = Reject(f"{spelling}: expected {parsed.expected}", column=spelling, found=found[:SHOWN_CHARACTERS])
            account.reject([place], reject)
        if name in source.needed:
            reject = Reject(f"{spelling}: expected a value, found none", column=spelling)
            account.reject(text.index[text[name].isna() | blank], reject)
    return pd.DataFrame(columns, index=text.index)


def _without_repeats(frame: pd.DataFrame, key: list[str], account: Account) -> pd.DataFrame:
    """Rows whose key stands once: of equal rows one is used, of different ones with the same key the first."""
    if not key:
        return frame
    same = frame.duplicated()
    account.merged = int(same.sum())
    frame = frame[~same]
    again = frame.duplicated(key)
    account.reject(frame.index[again], Reject(f"{' and '.join(key)}: expected once, found again with other values"))
    return frame[~again]


def _as_text(value: Any) -> Any:
    """A JSON value as a text; None for null; the ellipsis for what is no single value."""
    if isinstance(value, dict | list):
        return ...
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value if isinstance(value, str) else str(value)


def _delimited(file: CsvFile, account: Account) -> Iterator[pa.RecordBatch]:
    """The required columns of a delimited file; where its rows are not lines, the exact reader tells why."""
    try:
        yield from file.batches(list(file.layout.columns))
    except NotLineByLineError:
        rows = 0
        for row in file.rows():
            rows += 1
            if row.fault:
                raise SourceError(
                    f"{file.path.name}, line {row.line}: {row.fault}: {row.text[:SHOWN_CHARACTERS]!r}. Correct the "
                    "line, or fetch the file again"
                ) from None
        if rows != account.read:
            raise SourceError(f"{file.path.name}: {account.read:,} rows by one reader, {rows:,} by another") from None


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


def json_records(content: Any, file: str, *keys: str) -> list[dict[str, Any]]:
    """The list of objects under the first key (none: the content itself); of each, the object under the second."""
    for key in keys[:1]:
        content = content.get(key) if isinstance(content, dict) else None
    if isinstance(content, list) and keys[1:]:
        content = [record.get(keys[1]) if isinstance(record, dict) else None for record in content]
    if not isinstance(content, list) or not all(isinstance(record, dict) for record in content):
        raise SourceError(f"{file}: expected a list of objects under {' / '.join(keys) or 'the top'}. Fetch it again")
    return content


def _xml_items(path: Path) -> list[dict[str, Any]]:
    """The items of an XML file of the ROME archive, each a dict of its elements."""
    head(path)
    try:
        with path.open("rb") as file:
            root = defusedxml.ElementTree.parse(file).getroot()
    except (ElementTree.ParseError, defusedxml.DefusedXmlException, ValueError, OSError) as error:
        raise SourceError(f"{path.name}: expected XML: {error}. Fetch it again") from error
    return [{element.tag: element.text for element in item} for item in root or ()]
