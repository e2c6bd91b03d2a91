"""A backup's bytes: compressed while they are written, unpacked while they are read, with progress."""

import bz2
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

Progress = Callable[[str], None]

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


def blocks(file: Path, progress: Progress) -> Iterator[bytes]:
    meter = Meter("restored", progress)
    with bz2.open(file) as data:
        while block := data.read(BLOCK):
            meter.add(len(block))
            yield block
