"""Files that are complete or absent, in a folder or in an object store; and locks."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout
from upath import UPath

from warehouse.errors import full_disk_named


@contextmanager
def atomic_write(path: UPath | Path) -> Iterator[IO[bytes]]:
    """Open a file for writing that gets its name, or replaces the old file, when the block ends without an error.

    In a folder, a temporary file is renamed. An object store cannot rename: the contents are sent at the end.
    """
    path = UPath(path)
    if path.protocol not in ("", "file"):
        buffer = io.BytesIO()
        yield buffer
        path.write_bytes(buffer.getvalue())
        return
    local = Path(path.path)
    local.parent.mkdir(parents=True, exist_ok=True)
    temporary = local.with_name(f"{local.name}.{os.getpid()}")
    try:
        with full_disk_named(local.parent), temporary.open("wb") as file:
            yield file
        temporary.replace(local)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def locked(path: Path, busy: Exception) -> Iterator[None]:
    """Hold a lock file, which ends with this process however it ends. Raises `busy` while another run holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise busy from None
    try:
        yield
    finally:
        lock.release()
