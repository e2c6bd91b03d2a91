"""Delimited files: which layout a file has, and its rows as text.

Two readers of the same rows: a fast one (Arrow) for files in which every row is a line, as the publishers write them,
and an exact one (the csv module) for the others, which names the line of whatever is not as it should be.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Container, Hashable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv as pacsv

from resources.errors import SourceError
from resources.sources.catalogue import Layout, Source, century, column_key
from resources.sources.decompression import HEAD_BYTES, encoding_of, has_bom, members, open_decompressed, sniff_header
from resources.sources.field_types import parse
from warehouse.errors import MobivilleError

if TYPE_CHECKING:  # half a second, which a refresh with nothing new does without
    import pandas as pd

BLOCK_BYTES = 2 << 20
"""Of a file at a time: Arrow reads 32 of them ahead."""
LONGEST_LINE = 16 << 20
"""Bytes."""
DELIMITERS = {";": "semicolons", ",": "commas", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True)
class Row:
    """A row of the file: the line it begins on (the first being 1), its text, its fields, what is wrong with it."""

    line: int
    text: str
    fields: list[str]
    error: str | None


class NotLineByLineError(MobivilleError):
    """The fast reader does not take the file: rows are not lines, or not all of the same width."""


@dataclass(frozen=True)
class CsvFile:
    """A delimited file: its layout, the columns it has (canonical name: the header's spelling), what was repaired."""

    path: Path
    layout: Layout
    names: dict[str, str]
    header: list[str]
    delimiter: str
    encoding: str
    repairs: dict[str, int]
    member: str = ""

    def vintage(self) -> str | None:
        """The vintage that its columns tell: by one's name, or because only one vintage has them."""
        spellings = [spelling[1:] for many in self.layout.all_columns.values() for spelling in many if "~" in spelling]
        years = {m[1] for name in self.names.values() for s in spellings if (m := re.fullmatch(s, name.strip(), re.I))}
        return max(map(century, years), default=self.layout.vintage)

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """The given columns as text, NULL where blank, under their canonical names, in blocks.

        Raises NotLineByLineError where the exact reader is needed, at the end at the latest.
        """
        names = {column: self.names[column] for column in columns}
        rows = 0
        with open_decompressed(self.path, self.member, LONGEST_LINE) as file:
            try:
                for batch in self._reader(file, names):
                    rows += batch.num_rows
                    yield batch.rename_columns(list(names))
            except pa.ArrowInvalid as error:
                raise NotLineByLineError(str(error)) from error
            if file.lines not in (rows + self.layout.header, rows + self.layout.header - 1):
                raise NotLineByLineError(f"{rows} rows on {file.lines} lines")

    def _reader(self, file: io.RawIOBase, names: dict[str, str]) -> Iterator[pa.RecordBatch]:
        reader = pacsv.open_csv(
            pa.PythonFile(file, "r"),
            pacsv.ReadOptions(
                encoding=self.encoding,
                block_size=BLOCK_BYTES,
                column_names=None if self.layout.header else list(self.layout.columns),
            ),
            pacsv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True),
            pacsv.ConvertOptions(
                column_types=dict.fromkeys(names.values(), pa.string()),
                include_columns=list(names.values()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
        yield from reader

    def frame(self) -> tuple[pd.DataFrame, list[Row]]:
        """Its columns as text, indexed by the line on which each row begins; and the rows that are none."""
        import pandas as pd

        try:
            batches = [pa.table(batch) for batch in self.batches(list(self.names))]
        except NotLineByLineError:
            return self._exact_frame()
        frame: pd.DataFrame = pa.concat_tables(batches).to_pandas() if batches else pd.DataFrame(columns=[*self.names])
        frame.index = pd.RangeIndex(1 + self.layout.header, 1 + self.layout.header + len(frame), name="line")
        return frame.astype("str"), []

    def _exact_frame(self) -> tuple[pd.DataFrame, list[Row]]:
        import pandas as pd

        position = {column: self.header.index(spelling) for column, spelling in self.names.items()}
        good: list[Row] = []
        wrong: list[Row] = []
        for row in self.rows():
            (wrong if row.error else good).append(row)
        columns = {name: [row.fields[at] or None for row in good] for name, at in position.items()}
        return pd.DataFrame(columns, index=pd.Index([row.line for row in good], name="line"), dtype="str"), wrong

    def texts(self, wanted: Container[Hashable], *, line_by_line: bool) -> dict[Hashable, str]:
        """The text of the rows that begin on the wanted lines; faster where every row is known to be a line."""
        if not line_by_line or self.encoding == "utf-16":
            return {row.line: row.text for row in self.rows() if row.line in wanted}
        with open_decompressed(self.path, self.member, LONGEST_LINE) as file:
            lines = enumerate(io.BufferedReader(file, BLOCK_BYTES), 1)
            found = {number: line for number, line in lines if number in wanted}
        return {number: line.decode(self.encoding, "backslashreplace").rstrip("\r\n") for number, line in found.items()}

    def rows(self) -> Iterator[Row]:
        """Every row but the header, read exactly; blank lines are none.

        Raises SourceError that names the line when a quote opens and does not close.
        """
        with open_decompressed(self.path, self.member, LONGEST_LINE) as file:
            lines = _Lines(io.TextIOWrapper(io.BufferedReader(file), self.encoding, "surrogateescape", newline=""))
            reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
            try:
                for row in self._read(reader, lines):
                    if row.line > 1 or not self.layout.header:
                        yield row
            except UnicodeDecodeError as error:
                raise SourceError(f"{self.path.name}: expected {self.encoding}: {error}. Fetch it again") from error

    def _read(self, reader: Iterator[list[str]], lines: _Lines) -> Iterator[Row]:
        while True:
            start, wrong, fields = lines.number + 1, None, []
            lines.taken.clear()
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                if len(lines.taken) > 1 or "unexpected end" in str(error):
                    raise SourceError(
                        f"{self.path.name}, line {start}: a quote opens that does not close where the field ends "
                        f"({error}): {lines.taken[0][:80]!r}. Correct the line, or fetch the file again"
                    ) from None
                wrong = f"expected fields apart by {DELIMITERS[self.delimiter]}: {error}"
            if fields or wrong:
                text = "".join(lines.taken).rstrip("\r\n")
                yield Row(start, _printable(text), fields, wrong or self._error(fields))

    def _error(self, fields: list[str]) -> str | None:
        if len(fields) != len(self.header):
            return f"expected {len(self.header)} columns, found {len(fields)}"
        used = (fields[self.header.index(spelling)] for spelling in self.names.values())
        if any("\udc80" <= character <= "\udcff" for value in used for character in value):
            return f"expected {self.encoding}, found a byte that is not"
        return None


class _Lines:
    """The lines of a text, counted, and kept until the row they belong to is done."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.text, self.number = text, 0
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        for line in self.text:
            self.number += 1
            self.taken.append(line)
            yield line.removeprefix("\ufeff") if self.number == 1 else line


def _printable(text: str) -> str:
    """Bytes that could not be decoded, written out."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def recognised(path: Path, source: Source) -> CsvFile:
    """A file with the layout that its header tells; of an archive, its member that has one.

    Raises SourceError when it has none of the source's, or several members may be data: a part would be passed over.
    """
    found, errors = [], []
    for member in (names := members(path)):
        try:
            found.append(_recognised(path, source, member))
        except SourceError as error:
            errors.append(error)
    if not found:
        raise errors[0]
    data, fits = found[0], {file.member for file in found}
    alike = [name for name in names if name != data.member and (name in fits or _is_part(name, data))]
    if alike:
        raise SourceError(
            f"{path.name}: expected one file of data in the archive, found {', '.join([data.member, *alike])}. Put the "
            "one that is meant, or all their rows in one file, in its place"
        )
    return data


def _is_part(member: str, data: CsvFile) -> bool:
    """Whether a member of an archive has as many columns as the data, be it without their header."""
    with open_decompressed(data.path, member) as file:
        return len(_first_row(file.read(HEAD_BYTES) or b"", data.encoding, data.delimiter)) == len(data.header)


def _recognised(path: Path, source: Source, member: str) -> CsvFile:
    first = sniff_header(path, member)
    tried: list[tuple[Layout, list[str]]] = []
    for layout, delimiter in chain(
        ((layout, layout.delimiter) for layout in source.layouts),
        ((layout, d) for layout in source.layouts if layout.header for d in DELIMITERS if d != layout.delimiter),
    ):
        encoding = encoding_of(first, layout.encoding)
        header = _first_row(first, encoding, delimiter)
        if not layout.header:
            if _is_row_of(header, layout, source):
                names = {name: name for name in layout.columns}
                repairs = _repairs(first, encoding, layout)
                return CsvFile(path, layout, names, list(layout.columns), delimiter, encoding, repairs, member)
            continue
        tried.append((layout, header))
        if not layout.missing(header):
            names = matched(path, layout, header)
            repairs = _repairs(first, encoding, layout)
            if delimiter != layout.delimiter:
                repairs[f"columns are apart by {DELIMITERS[delimiter]}, not {DELIMITERS[layout.delimiter]}"] = 1
            return CsvFile(path, layout, names, header, delimiter, encoding, repairs, member)
    check_header(path, [layout for layout, _ in tried], *(header for _, header in tried))
    raise SourceError(
        f"{path.name}: expected {len(source.layouts[0].columns)} columns apart by "
        f"{DELIMITERS[source.layouts[0].delimiter]}, found {str(_first_row(first, 'utf-8', ';'))[:300]}. Fetch it again"
    )


def _repairs(first: bytes, encoding: str, layout: Layout) -> dict[str, int]:
    if has_bom(first):
        return {"BOM removed": 1}
    same = encoding == layout.encoding or {encoding, layout.encoding} == {"cp1252", "iso-8859-1"}
    return {} if same else {f"read as {encoding}, not {layout.encoding}": 1}


def _first_row(first: bytes, encoding: str, delimiter: str) -> list[str]:
    text = first[: 1 << 16].decode(encoding, errors="replace").removeprefix("\ufeff")
    return next(csv.reader(text.splitlines()[:1], delimiter=delimiter), [])


def _is_row_of(fields: list[str], layout: Layout, source: Source) -> bool:
    """Whether what stands first is a row of a layout without header: as many fields, each of its column's type."""
    import pandas as pd

    return len(fields) == len(layout.columns) and not any(
        parse(pd.Series([field], dtype="str"), source.types[column]).wrong.any()
        for field, column in zip(fields, layout.columns, strict=True)
        if field and field not in source.blank and column in source.types
    )


def matched(path: Path, layout: Layout, header: list[str]) -> dict[str, str]:
    """Canonical name to the header's spelling. Raises SourceError when a required column is missing, or a column stands
    twice, be it in other case or with other spaces.
    """
    check_header(path, [layout], header)
    names = layout.match(header)
    for spelling in names.values():
        same = [name for name in header if column_key(name) == column_key(spelling)]
        if len(same) > 1:
            raise SourceError(
                f"{path.name}, line 1: expected one column {same[0].strip()}, found {' and '.join(map(repr, same))}. "
                "Remove or rename all but the right one, or fetch the file again"
            )
    return names


def check_header(path: Path, layouts: list[Layout], *headers: list[str]) -> None:
    """Raise SourceError when no layout has all its required columns; say which is missing from the nearest one."""
    lacks = [(layout.missing(header), header) for layout, header in zip(layouts, headers, strict=True)]
    missing, header = min(lacks, key=lambda lack: len(lack[0]), default=([], []))
    if not missing:
        return
    near = {name: difflib.get_close_matches(name, header, 1) for name in missing}
    hints = ", ".join(f"{name} (nearest: {close[0]})" if close else name for name, close in near.items())
    garbled = " Is it saved in another encoding?" if any("\ufffd" in name for name in header) else ""
    raise SourceError(
        f"{path.name}, line 1: its header lacks {hints}; it has {', '.join(header)[:300] or 'nothing'}.{garbled} Fetch "
        f"the file again, or add the spelling to raw_data/sources.yaml"
    )
