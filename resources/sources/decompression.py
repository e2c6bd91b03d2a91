"""The bytes of a raw file: decompressed, within bounds, and looked at before they are taken for what they should be."""

import bz2
import codecs
import gzip
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np

from resources.errors import SourceError
from resources.sources.sniffing import NO_INPUT, web_page

MOST_BYTES = 8 << 30
"""A file of more bytes, decompressed, is refused; the BPE, the largest, has 0.3 GB."""
MOST_TIMES_LARGER = 200
"""A file that unpacks to so many times its size is refused (the offers dump, in bz2, unpacks to 8 times)."""
SMALL_BYTES = 64 << 20
"""Less than this unpacked is no danger, whatever the ratio."""
LINE_END = ord("\n")
HEAD_BYTES = 4 << 20
"""So much of a file tells its layout and its encoding."""
_LETTERS = "àâäçéèêëîïíñóôöœùúûüÿÀÂÄÇÉÈÊËÎÏÔÖŒÙÛÜŸ°²³«»’–—…€ª\u00a0"
_FRENCH = set(_LETTERS.encode("cp1252").decode("ascii", "surrogateescape"))

_PACKERS: dict[str, Callable[[Path, str], Any]] = {".bz2": bz2.open, ".gz": gzip.open}
_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_PACKED = {b"PK\x03\x04": "a zip archive", b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"PAR1": "Parquet"}

_NOT_READABLE = (
    *(ValueError, LookupError, ArithmeticError, RecursionError, MemoryError, OSError, EOFError, RuntimeError),
    *(SyntaxError, NotImplementedError, TypeError, struct.error, lzma.LZMAError, zlib.error, zipfile.BadZipFile),
)
"""Whatever a parser raises of bytes that are not what they should be."""


@contextmanager
def readable_as(what: str, path: Path) -> Iterator[None]:
    """Whatever a parser raises within becomes a SourceError that names the file, and the place that the parser gave."""
    try:
        yield
    except _NOT_READABLE as error:
        said = str(error) or type(error).__name__
        raise SourceError(f"{path.name}: expected {what}: {said}. Correct it there, or fetch the file again") from error


class BoundedReader(io.RawIOBase):
    """A stream that counts its line ends as they pass, and ends with SourceError beyond what a raw file may be."""

    def __init__(self, path: Path, file: IO[bytes], longest_line: int) -> None:
        super().__init__()
        self.path, self.file, self.size, self.longest_line = path, file, path.stat().st_size, longest_line
        self.bytes = self.lines = self.bytes_of_line = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read as many bytes as are there, up to the buffer's size."""
        size: int = self.file.readinto(buffer)  # type: ignore[attr-defined]
        line_ends = np.frombuffer(buffer, "u1", size) == LINE_END
        lines = int(np.count_nonzero(line_ends))
        self.bytes += size
        self.lines += lines
        self.bytes_of_line = int(line_ends[::-1].argmax()) if lines else self.bytes_of_line + size
        if self.bytes_of_line > self.longest_line:
            raise SourceError(
                f"{self.path.name}, line {self.lines + 1}: has more than {self.longest_line:,} bytes, which no row "
                "has. Fetch it again"
            )
        if self.bytes > MOST_BYTES or self.bytes > max(SMALL_BYTES, MOST_TIMES_LARGER * self.size):
            raise SourceError(
                f"{self.path.name}: unpacks to more than {self.bytes:,} bytes from {self.size:,}: expected at most "
                f"{MOST_TIMES_LARGER} times its size and {MOST_BYTES:,} bytes. It is no file of its publisher's"
            )
        return size


@contextmanager
def open_decompressed(path: Path, member: str = "", longest_line: int = MOST_BYTES) -> Iterator[BoundedReader]:
    """The bytes of a file, decompressed; of a zip, those of a member, the largest where none is named.

    Raises SourceError, here or while it is read, when they cannot be read whole, or a line has more bytes than may be.
    """
    with readable_as("a whole file", path):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive, archive.open(member or members(path)[0]) as file:
                yield BoundedReader(path, file, longest_line)
        else:
            with _PACKERS.get(path.suffix, Path.open)(path, "rb") as file:
                yield BoundedReader(path, file, longest_line)


def members(path: Path) -> list[str]:
    """The names of the files in a zip, the largest first; of another file one empty name."""
    if path.suffix != ".zip":
        return [""]
    with readable_as("a whole zip archive", path), zipfile.ZipFile(path) as archive:
        files = [info for info in archive.infolist() if not info.is_dir() and not NO_INPUT.search(info.filename)]
    if not files:
        raise SourceError(f"{path.name}: is an archive without a file in it. Fetch it again")
    return [info.filename for info in sorted(files, key=lambda info: -info.file_size)]


def sniff_header(path: Path, member: str = "") -> bytes:
    """The first bytes of a file.

    Raises SourceError when there are none, or they say that it is a web page or packed, whatever its name says.
    """
    with open_decompressed(path, member) as file:
        first = file.read(HEAD_BYTES) or b""
    if not first.strip():
        raise SourceError(f"{path.name}: is empty. Fetch it again")
    if (title := web_page(first)) is not None:
        raise SourceError(f"{path.name}: is a web page{title}, not the file. Fetch it again; does it need a login?")
    for magic, what in _PACKED.items():
        if first.startswith(magic):
            raise SourceError(f"{path.name}: is {what}, which its name does not say. Give it the ending that it has")
    return first


def encoding_of(first: bytes, declared: str) -> str:
    """The encoding that a byte order mark tells, else UTF-8 where all bytes are, else Windows-1252 (ISO-8859-1 with a
    few more letters) where there is no letter of UTF-8 and whatever is not ASCII is French; else the declared one, of
    which some bytes are damaged.
    """
    if has_bom(first):
        return next(encoding for mark, encoding in _MARKS.items() if first.startswith(mark))
    if first.isascii():
        return declared
    whole = first.rpartition(b"\n")[0] or first
    with suppress(UnicodeDecodeError):
        whole.decode("utf-8")
        return declared if whole.isascii() else "utf-8"
    text = whole.decode("utf-8", "surrogateescape")
    special = {character for character in set(text) if character > "\x7f"}
    lone = {character for character in special if "\udc80" <= character <= "\udcff"}  # a byte that is no UTF-8
    letters = special - lone
    return "utf-8" if letters and not lone else "cp1252" if lone and lone <= _FRENCH and not letters else declared


def has_bom(first: bytes) -> bool:
    """Whether the file begins with a byte order mark."""
    return first.startswith(tuple(_MARKS))


def decoded(path: Path, declared: str) -> str:
    """The text of a small file. Raises SourceError that names the line of a byte that the encoding does not have."""
    first = sniff_header(path)
    encoding = encoding_of(first, declared)
    with open_decompressed(path) as file:
        content = file.readall() or b""
    try:
        return content.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SourceError(
            f"{path.name}, line {line}: expected {encoding}, found the byte 0x{content[error.start]:02X}. Fetch it "
            f"again, or save it as {encoding}"
        ) from error
