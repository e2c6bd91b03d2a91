"""Ways in which a raw file may be broken: each makes of a sound file's bytes those of a broken one."""

import bz2
import csv
import gzip
import io
import json
import random
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from resources.sources.catalogue import Layout, Source

FIELD = "field:"
"""How the name of a change begins after which a row must be rejected, or the file refused."""

Break = Callable[[bytes], bytes | None]
"""The bytes of the broken file; None: there is no file at all."""

PAGE = b"<!DOCTYPE html><html><head><title>Connexion</title></head><body>Identifiez-vous</body></html>"

WHOLE_FILE: dict[str, Break] = {
    "missing": lambda _content: None,
    "empty": lambda _content: b"",
    "blank lines only": lambda _content: b"\r\n \n\n",
    "a web page": lambda _content: PAGE,
    "noise": lambda content: random.Random(1).randbytes(min(len(content), 5000)),
    "zeros": lambda content: bytes(min(len(content), 5000)),
    "gzip under another name": gzip.compress,
}

VALUES = {
    "commune": ["1,23E+04", "123", "1234567", "97 123"],
    "communes": ["1,23E+04", "01004/123"],
    "department": ["1,0E+01", "Ain"],
    "postal": ["1,5E+03", "15"],
    "canton": ["1E1"],
    "ordinal": ["1E1", "-1"],
    "station": ["1,2E+07", "123"],
    "zone": ["tendue", "99999999999"],
    "region": ["1E1", "999"],
    "rome": ["1101", "Z1101", "a1101"],
    "facility": ["101", "Z999"],
    "point": ["nowhere", "46,1;5,2"],
    "integer": ["1.5", "1e3", "99999999999", "nan"],
    "whole": ["many", "1e3", "99999999999"],
    "number": ["1e3", "nan", "--1"],
    "text": ["x" * 300],
    "long_text": ["x" * 20_000],
}
"""By kind of field, texts that it cannot be."""

NUL = "a\x00b"


@dataclass(frozen=True)
class Rows:
    """A delimited file's rows, to be broken one way or another and written again as they were."""

    layout: Layout

    def break_in(self, content: bytes, change: Callable[[list[list[str]]], None]) -> bytes:
        """The file with its rows (the header first, where there is one) changed in place."""
        text = content.decode(self.layout.encoding)
        rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=self.layout.delimiter))
        change(rows)
        out = io.StringIO()
        csv.writer(out, delimiter=self.layout.delimiter, lineterminator="\n").writerows(rows)
        return out.getvalue().encode(self.layout.encoding, "replace")


def of_csv(source: Source, layout: Layout, header: list[str]) -> dict[str, Break]:
    """Broken forms of a delimited file: its bytes, its header, its rows, each typed field of a row."""
    rows, first = Rows(layout), 1 if layout.header else 0
    delimiter = layout.delimiter.encode()
    found: dict[str, Break] = {
        "cut in the middle of a line": lambda content: content[: len(content) * 2 // 3],
        "a byte order mark": lambda content: b"\xef\xbb\xbf" + content.decode(layout.encoding).encode(),
        "utf-16": lambda content: content.decode(layout.encoding).encode("utf-16"),
        "utf-16 without a mark": lambda content: content.decode(layout.encoding).encode("utf-16-le"),
        "another delimiter": lambda content: content.replace(delimiter, b"\t"),
        "old line ends": lambda content: content.replace(b"\r\n", b"\n").replace(b"\n", b"\r"),
        "a quote that never closes": lambda content: _on_line(content, 3, lambda line: b'"' + line),
        f"{FIELD} there are too few": lambda content: _on_line(
            content, 3, lambda line: line.split(delimiter)[0] + b"x"
        ),
        f"{FIELD} there are too many": lambda content: _on_line(content, 3, lambda line: line + delimiter * 3),
        "a byte that is not of its encoding": lambda content: _on_line(content, 3, lambda line: b"\xff\xfe" + line),
        "the first rows twice": lambda content: rows.break_in(content, lambda r: r.extend(r[first : first + 3])),
        "a blank row": lambda content: rows.break_in(content, lambda r: r.insert(2, [""] * len(r[0]))),
        "quoted line ends": lambda content: rows.break_in(content, lambda r: _set(r, first + 1, len(r[0]) - 1, "a\nb")),
    }
    if layout.header:
        found["the header alone"] = lambda content: content.splitlines(keepends=True)[0]
        found["no header"] = lambda content: b"".join(content.splitlines(keepends=True)[1:])
        for number, (column, spelling) in enumerate(layout.match(header).items()):
            at = header.index(spelling)
            values = VALUES[source.types.get(column, "text")]
            bad = [values[number % len(values)], *(["", NUL][number % 2 :][:1] if column in source.needed else [])]
            for value in bad:
                found[f"{FIELD} {spelling} {value[:12]!r}"] = lambda content, at=at, value=value: rows.break_in(  # type: ignore[misc]
                    content, lambda r: _set(r, first + 1, at, value)
                )
            if column in layout.columns:
                found[f"{spelling} renamed"] = lambda content, at=at: rows.break_in(  # type: ignore[misc]
                    content, lambda r: _set(r, 0, at, "Autre")
                )
        again = header.index(layout.match(header)[next(iter(layout.columns))])
        found["a column twice in the header"] = lambda content: rows.break_in(content, lambda r: _repeat(r, again))
    return found


def of_json(source: Source) -> dict[str, Break]:
    """Broken forms of a JSON file: its text, its structure, each field of a record."""
    found: dict[str, Break] = {
        "cut": lambda content: content[: len(content) // 2],
        "a number": lambda _content: b"42",
        "an empty list": lambda _content: b"[]",
        "an empty object": lambda _content: b"{}",
        "a list of texts": lambda _content: b'["a"]',
        "latin-1": lambda content: content.decode().replace("e", "é").encode("latin-1", "replace"),
        "endless levels": lambda _content: b"[" * 100_000,
        "not a number": lambda content: re.sub(rb":\s*-?\d[\d.]*", b": NaN", content),
    }
    for column, (spelling, *_) in source.layouts[0].all_columns.items():
        name = spelling.encode()
        kind = source.types.get(column, "text")
        if column in source.layouts[0].columns:
            found[f"{spelling} renamed"] = lambda content, name=name: content.replace(  # type: ignore[misc]
                b'"' + name + b'"', b'"autre"'
            )
        for value in [["a"]] if kind == "text" else [VALUES[kind][0]]:
            found[f"{FIELD} {spelling} {str(value)[:12]}"] = lambda content, name=name, value=value: re.sub(  # type: ignore[misc]
                rb'("' + name + rb'":\s*)(?:"(?:[^"\\]|\\.)*"|-?[\d.]+|null|\[[^\]]*\])',
                lambda match: match[1] + json.dumps(value).encode(),
                content,
                count=1,
            )
    return found


def of_xml() -> dict[str, Break]:
    """Broken forms of an XML file of the ROME archive."""
    bomb = b'<!DOCTYPE a [<!ENTITY a "aaa"><!ENTITY b "&a;&a;">]><ogr><item><code_rome>&b;</code_rome></item></ogr>'
    return {
        "cut": lambda content: content[: len(content) // 2],
        "no item": lambda _content: b"<ogr></ogr>",
        "an entity bomb": lambda _content: bomb,
        "a tag renamed": lambda content: content.replace(b"code_rome", b"code"),
        "a code that is none": lambda content: re.sub(rb"<code_rome>\w+", b"<code_rome>1,1E+03", content, count=1),
        "a label that is none": lambda content: re.sub(rb"<libelle>[^<]+", b"<libelle>", content, count=1),
    }


def of_packed(name: str) -> dict[str, Break]:
    """Broken forms of a compressed file, whatever is in it."""
    return {
        "cut": lambda content: content[: len(content) // 2],
        "a bit flipped": lambda content: _flipped(content, len(content) // 2),
        "a bomb": lambda _content: _packed(name, b"DEPCOM;TYPEQU\n" + bytes(80_000_000)),
        "an archive of nothing": lambda _content: _packed(name, b""),
    }


def unpacked(path: Path) -> bytes:
    """The bytes of a raw file, decompressed."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return archive.read(max(archive.infolist(), key=lambda info: info.file_size))
    return bz2.decompress(path.read_bytes()) if path.suffix == ".bz2" else path.read_bytes()


def packed(path: Path, change: Break) -> Break:
    """A change of what is in a compressed file."""

    def changed(_content: bytes) -> bytes | None:
        within = change(unpacked(path))
        return None if within is None else _packed(path.name, within)

    return changed


def _packed(name: str, content: bytes) -> bytes:
    if name.endswith(".bz2"):
        return bz2.compress(content, 1)
    if not name.endswith(".zip"):
        return content
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        if content:
            archive.writestr("bpe.csv", content)
    return out.getvalue()


def _on_line(content: bytes, number: int, change: Callable[[bytes], bytes]) -> bytes:
    lines = content.split(b"\n")
    lines[number - 1] = change(lines[number - 1].rstrip(b"\r"))
    return b"\n".join(lines)


def _set(rows: list[list[str]], row: int, column: int, value: str) -> None:
    rows[row][column] = value


def _repeat(rows: list[list[str]], column: int) -> None:
    for row in rows:
        row.append(row[column])


def _flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]
