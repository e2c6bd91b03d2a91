"""A backup's bytes: compressed while they are written, unpacked while they are read, with progress."""

import bz2
import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from warehouse.errors import WarehouseError

Progress = Callable[[str], None]

LONGEST_LINE = 1 << 26
"""Bytes: mariadb-dump writes a row a line, or as many rows as go into 1 MB."""
BLOCK = 1 << 20
"""Bytes that are read, compressed and written at a time."""
SAY_EVERY = 16 << 20
"""Bytes between two words of progress."""


class CompressedFile:
    """A file that is compressed while it is written; `sha256` is that of the file."""

    def __init__(self, out: BinaryIO, progress: Progress) -> None:
        self._out = out
        self._bz2 = bz2.BZ2Compressor()
        self._meter = Meter("backed up", progress)
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self._meter.add(len(data))
        self._put(self._bz2.compress(data))

    def finish(self) -> None:
        self._put(self._bz2.flush())
        self._out.flush()

    def _put(self, data: bytes) -> None:
        self.sha256.update(data)
        self._out.write(data)


class Meter:
    """Says how many bytes are done, each time that SAY_EVERY more are."""

    def __init__(self, what: str, progress: Progress) -> None:
        self._what, self._progress, self._done = what, progress, 0

    def add(self, size: int) -> None:
        before, self._done = self._done, self._done + size
        if before // SAY_EVERY != self._done // SAY_EVERY:
            self._progress(f"{self._what} {self._done:,} bytes")


def unpacked(file: Path, progress: Progress, *, lines: bool = False) -> Iterator[bytes]:
    """The content of a backup, a block or a line at a time. Raises WarehouseError when the file is cut or broken."""
    meter = Meter("read", progress)
    try:
        with bz2.open(file) as data:
            for piece in iter(partial(data.readline, LONGEST_LINE) if lines else partial(data.read, BLOCK), b""):
                meter.add(len(piece))
                yield piece
    except (EOFError, OSError) as error:
        raise WarehouseError(f"{file} is cut or broken: {error}. It is refused; take another backup.") from None
