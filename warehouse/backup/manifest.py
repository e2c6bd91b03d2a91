"""What a backup is, in the file beside it, and the names it has: dated, of its weekday, of its quarter."""

import hashlib
import json
import os
import re
import shutil
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from warehouse import tables
from warehouse.backup.stream import BLOCK, Meter, Progress
from warehouse.database import is_sqlite
from warehouse.errors import WarehouseError
from warehouse.migrate import VERSION_TABLE

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_DATED = re.compile(r"mobiville-\d{8}-\d{6}-r\d+\.(sql|db)\.bz2")


@dataclass(frozen=True)
class TableContents:
    """A table in a backup: its rows, number, and the sha256 of their contents."""

    rows: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a backup is: the file is refused when its sha256 differs, what it gives when the tables differ."""

    database: str  # mariadb or sqlite
    release: int
    published_at: str  # UTC
    made_at: str  # UTC
    revision: str | None  # of warehouse/migrations
    sha256: str  # of the file
    tables: dict[str, TableContents]


def file_names(at: datetime, release: int, kind: str) -> tuple[str, str, str]:
    """The names of a backup: dated, of its weekday, of its quarter."""
    names = f"{at:%Y%m%d-%H%M%S}-r{release}", WEEKDAYS[at.weekday()], f"{at.year}-Q{(at.month + 2) // 3}"
    dated, weekday, quarter = (f"mobiville-{name}.{kind}.bz2" for name in names)
    return dated, weekday, quarter


def write_manifest(file: Path, manifest: Manifest) -> None:
    """Write the manifest of a backup beside it."""
    _manifest_of(file).write_text(json.dumps(asdict(manifest), indent=2), encoding="utf-8")


def _manifest_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.json")


def give_name(file: Path, other: Path) -> None:
    """Give a backup and its manifest another name too, in the place of what has that name."""
    # Killed in between, the name has no manifest and is refused for that, never taken for something else.
    _manifest_of(other).unlink(missing_ok=True)
    for source, target in ((file, other), (_manifest_of(file), _manifest_of(other))):
        partial = target.with_name(f".{target.name}.partial")
        try:
            os.link(source, partial)
        except OSError:  # a file system without links
            shutil.copyfile(source, partial)
        partial.replace(target)


def drop_old(folder: Path, keep: int) -> None:
    """Drop the dated backups but the last `keep`, and manifests without a file."""
    dated = sorted(path for path in folder.iterdir() if _DATED.fullmatch(path.name))
    for path in dated[:-keep]:
        path.unlink()
    for manifest in folder.glob("mobiville-*.bz2.json"):
        if not manifest.with_suffix("").exists():
            manifest.unlink()


def checked(engine: Engine, file: Path, progress: Progress) -> Manifest:
    """The manifest of a backup that is what its manifest says, and fits the warehouse; WarehouseError for any other."""
    try:
        fields = json.loads(_manifest_of(file).read_text(encoding="utf-8"))
        fields["tables"] = {name: TableContents(**table) for name, table in fields["tables"].items()}
        manifest = Manifest(**fields)
        found = hashlib.sha256()
        meter = Meter("checked", progress)
        with file.open("rb") as data:
            while block := data.read(BLOCK):
                found.update(block)
                meter.add(len(block))
    except FileNotFoundError as error:
        raise WarehouseError(f"{error.filename} is not there: a backup is two files, FILE and FILE.json") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise WarehouseError(f"{_manifest_of(file)} is not the manifest of a backup") from None
    known = {*tables.metadata.tables, *tables.record.tables, VERSION_TABLE}
    if unknown := sorted(set(manifest.tables) - known):
        raise WarehouseError(f"{file}: {', '.join(unknown)} is no table of a warehouse. It is refused.")
    if found.hexdigest() != manifest.sha256:
        raise WarehouseError(
            f"{file} is not the file that was backed up: expected sha256 {manifest.sha256}, found {found.hexdigest()}. "
            "It is refused; the warehouse is as it was."
        )
    if (manifest.database == "sqlite") != is_sqlite(engine):
        raise WarehouseError(f"{file} is a backup of {manifest.database}, the warehouse is {engine.dialect.name}")
    return manifest
