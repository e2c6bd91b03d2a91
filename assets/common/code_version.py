"""The version of the rules: what staged tables are made with, beside their files."""

import hashlib
from functools import cache
from pathlib import Path

import raw_data

PACKAGES = ("assets", "resources", "warehouse")


@cache
def rules_version() -> str:
    """The sha256 of the code that makes the tables, and of the catalogue.

    It changes with any of them: a rule that was forgotten to be counted would serve old rows for new.
    """
    root = raw_data.FOLDER.parent
    files = [path for package in PACKAGES for path in sorted((root / package).rglob("*.py"))]
    digest = hashlib.sha256()
    for path in (*files, raw_data.CATALOGUE):
        digest.update(_named(path, root) + path.read_bytes())
    return digest.hexdigest()


def _named(path: Path, root: Path) -> bytes:
    return f"{path.relative_to(root).as_posix()}\n".encode()
