"""Files that are whole or not there, in a folder or in an object store."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from upath import UPath


@contextmanager
def whole_file(path: UPath) -> Iterator[IO[bytes]]:
    """A file to write that takes its name, or its predecessor's place, when it is whole, and never if writing fails.

    In a folder it is written aside and renamed. To an object store, where nothing can be, it is sent at the end.
    """
    if path.protocol not in ("", "file"):
        buffer = io.BytesIO()
        yield buffer
        path.write_bytes(buffer.getvalue())
        return
    local = Path(path.path)
    local.parent.mkdir(parents=True, exist_ok=True)
    aside = local.with_name(f"{local.name}.{os.getpid()}")
    try:
        with aside.open("wb") as file:
            yield file
        aside.replace(local)
    finally:
        aside.unlink(missing_ok=True)
