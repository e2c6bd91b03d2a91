"""Random changes of a raw file, the same each time: of its bytes, its encoding, its fields, rows, columns, its archive.

A change is told by its name, which holds its number and what it does; the number and the source are its seed.
"""

import bz2
import csv
import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from resources.sources.catalogue import Layout
from tests.pipelines.corruptions import Break, Rows, packed, unpacked

ROWS = "rows:"
"""How the name of a change begins after which the file is still one of rows, whose number is known."""

Mutation = Callable[[bytes, Random], bytes]
OfRows = Callable[[list[list[str]], Random], None]

HOSTILE = [
    *("", " ", "\u00a0", "-", "0", "-1", "1e309", "NaN", "inf", "99999999999999999999", "1,234", "1.234,5", "0x1F"),
    *("\u0663\u0664", "null", "NULL", "\\N", "None", "true", "#REF!", "#N/A", "=1+1", "'; DROP TABLE cities; --"),
    *("<b>x</b>", "{}", "%s", "a\nb", "a\r\nb", 'a"b', '"', "a\tb", "a;b", "a,b", "é" * 256, "x" * 70_000, "\x00"),
    *("\x1c", "\u2028", "\ufeff1", "\ud7ff", "😀", "e\u0301te\u0301", "01/01/2024", "2024-13-45", "1 234"),
    *("1\u202f234", "12.0", "+33", "A1101", "01004"),
]
"""Texts that a field is given, whatever it holds."""
ODD = [
    "\u00a0",
    "\u2028",
    "\u0085",
    "\x1c",
    "\x0b",
    "\x0c",
    "\x00",
    "\ufeff",
    "\u200f",
    "\u0301",
    "😀",
    "\x1a",
    '"',
    "\r",
]
"""Characters that are put in anywhere."""


def _stretch(content: bytes, random: Random, longest: int = 400) -> tuple[int, int]:
    start = random.randrange(max(len(content), 1))
    return start, min(len(content), start + random.randint(1, longest))


def _flip(content: bytes, random: Random) -> bytes:
    flipped = bytearray(content)
    for _ in range(random.randint(1, 20)):
        flipped[random.randrange(len(flipped))] ^= 1 << random.randrange(8)
    return bytes(flipped)


def _cut_out(content: bytes, random: Random) -> bytes:
    start, end = _stretch(content, random)
    return content[:start] + content[end:]


def _repeat(content: bytes, random: Random) -> bytes:
    start, end = _stretch(content, random)
    return content[:end] + content[start:]


def _zero(content: bytes, random: Random) -> bytes:
    start, end = _stretch(content, random)
    return content[:start] + bytes(end - start) + content[end:]


def _noise(content: bytes, random: Random) -> bytes:
    start, end = _stretch(content, random)
    return content[:start] + random.randbytes(end - start) + content[start:]


def _cut_short(content: bytes, random: Random) -> bytes:
    return content[: random.randrange(len(content))]


BYTES: dict[str, Mutation] = {
    "bits flipped": _flip,
    "a stretch cut out": _cut_out,
    "a stretch twice": _repeat,
    "a stretch zeroed": _zero,
    "noise put in": _noise,
    "cut short": _cut_short,
}


def _other_encoding(content: bytes, random: Random) -> bytes:
    start, end = _stretch(content, random, 4000)
    encoding = random.choice(["cp1252", "utf-16-le", "utf-32", "cp850", "mac-roman"])
    return content[:start] + content[start:end].decode("utf-8", "replace").encode(encoding, "replace") + content[end:]


def _odd_characters(content: bytes, random: Random) -> bytes:
    text = list(content.decode("utf-8", "replace"))
    for _ in range(random.randint(1, 5)):
        text.insert(random.randrange(len(text)), random.choice(ODD))
    return "".join(text).encode()


def _mixed_line_ends(content: bytes, random: Random) -> bytes:
    return b"".join(line + random.choice([b"\n", b"\r\n", b"\r"]) for line in content.splitlines())


TEXT: dict[str, Mutation] = {
    "a stretch in another encoding": _other_encoding,
    "odd characters put in": _odd_characters,
    "mixed line ends": _mixed_line_ends,
    "encoded twice": lambda content, _random: content.decode("latin-1").encode(),
}


def _row(rows: list[list[str]], random: Random) -> int:
    return random.randrange(1, len(rows))


def _change_fields(number: int) -> OfRows:
    def change(rows: list[list[str]], random: Random) -> None:
        for _ in range(number):
            row = rows[_row(rows, random)]
            row[random.randrange(len(row))] = random.choice(HOSTILE)

    return change


def _swap_fields(rows: list[list[str]], random: Random) -> None:
    row = rows[_row(rows, random)]
    a, b = random.randrange(len(row)), random.randrange(len(row))
    row[a], row[b] = row[b], row[a]


def _swap_columns(rows: list[list[str]], random: Random) -> None:
    a, b = random.randrange(len(rows[0])), random.randrange(len(rows[0]))
    for row in rows[1:]:
        row[a], row[b] = row[b], row[a]


def _drop_column(rows: list[list[str]], random: Random) -> None:
    at = random.randrange(len(rows[0]))
    for row in rows:
        del row[at]


def _add_column(rows: list[list[str]], random: Random) -> None:
    at = random.randrange(len(rows[0]) + 1)
    for row in rows:
        row.insert(at, random.choice(HOSTILE[:12]))


def _name_column(rows: list[list[str]], random: Random) -> None:
    rows[0][random.randrange(len(rows[0]))] = random.choice(["", " ", rows[0][0], rows[0][-1], "x"])


def _drop_rows(rows: list[list[str]], random: Random) -> None:
    for _ in range(min(random.randint(1, 3), len(rows) - 2)):
        del rows[_row(rows, random)]


def _repeat_row(rows: list[list[str]], random: Random) -> None:
    again = list(rows[_row(rows, random)])
    again[random.randrange(len(again))] = random.choice(HOSTILE)
    rows.insert(_row(rows, random), again)


def _shuffle(rows: list[list[str]], random: Random) -> None:
    below = rows[1:]
    random.shuffle(below)
    rows[1:] = below


def _ragged(rows: list[list[str]], random: Random) -> None:
    row = rows[_row(rows, random)]
    if random.random() < 0.5:
        row.append(random.choice(HOSTILE))
    else:
        del row[random.randrange(len(row)) :]


OF_ROWS: dict[str, OfRows] = {
    "a field changed": _change_fields(1),
    "ten fields changed": _change_fields(10),
    "fields of two columns changed places": _swap_fields,
    "two columns changed places": _swap_columns,
    "a column gone": _drop_column,
    "a column more": _add_column,
    "a column with another name": _name_column,
    "rows gone": _drop_rows,
    "a row again, with another value": _repeat_row,
    "rows in another order": _shuffle,
    "a row of another length": _ragged,
}


def _node(content: Any, random: Random) -> tuple[Any, Any]:
    """A list or an object of a JSON document, and the index or key of one of its values."""
    while True:
        at = random.choice(list(content) if isinstance(content, dict) else range(len(content)))
        if not isinstance(content[at], list | dict) or not content[at] or random.random() < 0.1:
            return content, at
        content = content[at]


def _of_json(change: Callable[[Any, Any, Random], None], times: int) -> Mutation:
    def changed(content: bytes, random: Random) -> bytes:
        document = json.loads(content)
        for _ in range(times):
            if document:
                change(*_node(document, random), random)
        return json.dumps(document).encode()

    return changed


def _set(within: Any, at: Any, random: Random) -> None:
    within[at] = random.choice([*HOSTILE, None, True, [], {}, [[]], {"a": None}, -1, 1e300, 10**30, 0.5, float("nan")])


def _again(within: Any, at: Any, random: Random) -> None:
    if isinstance(within, list):
        within.insert(random.randrange(len(within) + 1), within[at])
    else:
        within[random.choice(list(within))] = within[at]


def _gone(within: Any, at: Any, _random: Random) -> None:
    del within[at]


JSON: dict[str, Mutation] = {
    "a value changed": _of_json(_set, 1),
    "ten values changed": _of_json(_set, 10),
    "a value gone": _of_json(_gone, 1),
    "values gone": _of_json(_gone, 10),
    "values again": _of_json(_again, 5),
}


def _of_xml(pattern: str, replacement: Callable[[str, Random], str]) -> Mutation:
    def changed(content: bytes, random: Random) -> bytes:
        text = content.decode()
        match = random.choice(list(re.finditer(pattern, text, re.DOTALL)))
        return (text[: match.start()] + replacement(match[0], random) + text[match.end() :]).encode()

    return changed


XML: dict[str, Mutation] = {
    "a text changed": _of_xml(r"(?<=>)[^<>\s][^<>]*(?=<)", lambda _t, random: random.choice(HOSTILE)),
    "an element gone": _of_xml(r"<(\w+)>[^<>]*</\1>", lambda _t, _random: ""),
    "an item again": _of_xml(r"<(item\w*)>.*?</\1>", lambda text, _random: text * 2),
    "a tag gone": _of_xml(r"</?\w+>", lambda _t, _random: ""),
}


def _of_archive(name: str) -> dict[str, Mutation]:
    """Changes of a compressed file, whatever is in it."""
    if name.endswith(".bz2"):
        return {
            "two streams": lambda content, _r: content + bz2.compress(b"", 1),
            "another compression": lambda content, _r: gzip.compress(bz2.decompress(content)),
            "bytes behind the end": lambda content, random: content + random.randbytes(50),
            "compressed twice": lambda content, _r: bz2.compress(content, 1),
        }
    return {
        "another member": lambda content, random: _with_member(content, f"{random.randrange(99)}.csv", b"a;b\n1;2\n"),
        "the same member again": lambda content, _r: _with_member(content, "", b""),
        "a member outside": lambda content, _r: _with_member(content, "../../outside.csv", b"a;b\n1;2\n"),
        "an archive within": lambda content, _r: _zip({"bpe.zip": content}),
        "bytes behind the end": lambda content, random: content + random.randbytes(50),
    }


def _with_member(content: bytes, name: str, member: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    first = next(iter(members))
    return _zip(members | ({name: member} if name else {f"again/{first}": members[first]}))


def _zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def of(source_id: str, path: Path, layout: Layout | None, number: int) -> dict[str, Break]:
    """So many changes of the sample's file of a source. `layout`: that of its rows; None of what is no table."""
    is_packed = path.suffix in (".zip", ".bz2")
    inner = BYTES | TEXT
    if layout:
        inner |= {f"{ROWS} {name}": _in_rows(layout, change) for name, change in OF_ROWS.items()}
    inner |= {".json": JSON, ".xml": XML}.get(path.suffix, {})
    ways: dict[str, Callable[[str], Break]] = {name: _seeded(change, path, is_packed) for name, change in inner.items()}
    if is_packed:
        outer = BYTES | _of_archive(path.name)
        ways |= {f"archive: {name}": _seeded(change, path, is_packed=False) for name, change in outer.items()}
    names = sorted(ways, key=lambda name: Random(f"{source_id} {name}").random())
    found = {}
    for at in range(number):
        way = names[at % len(names)]
        found[f"{way} ({at})"] = ways[way](f"{source_id} {at}")
    return found


def _seeded(change: Mutation, path: Path, is_packed: bool) -> Callable[[str], Break]:
    def seeded(seed: str) -> Break:
        def mutate(content: bytes) -> bytes:
            return change(content, Random(seed))

        return packed(path, mutate) if is_packed else mutate

    return seeded


def _in_rows(layout: Layout, change: OfRows) -> Mutation:
    return lambda content, random: Rows(layout).break_in(content, lambda rows: change(rows, random))


def rows_in(path: Path, layout: Layout) -> int:
    """How many rows a delimited file has, empty lines and the header left out, by Python's own reader."""
    text = unpacked(path).decode(layout.encoding).removeprefix("\ufeff")
    csv.field_size_limit(10**7)
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=layout.delimiter) if row]
    return len(rows) - (1 if layout.header else 0)
