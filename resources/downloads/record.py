"""What was fetched of each source: `fetched.json` in a dated folder, beside the files."""

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from resources.atomic_files import atomic_write

RECORD_FILE = "fetched.json"


@dataclass(frozen=True)
class FetchRecord:
    """What is recorded of a source."""

    url: str
    final_url: str
    vintage: str
    files: dict[str, str]
    """sha256 by file name."""
    sha256: str
    """Of the download (the file, or the archive that holds it); of a source of many files, of their sums."""
    size: int
    rows: int | None
    fetched_at: str
    headers: dict[str, str]
    absent: dict[str, str] = field(default_factory=dict)
    """Of a source of many files: those that the service does not have, and when it said so."""

    def is_in(self, folder: Path | None) -> bool:
        """Whether every file of the source is in the folder."""
        return folder is not None and all((folder / name).is_file() for name in self.files)


def read_records(folder: Path | None) -> dict[str, FetchRecord]:
    """The records of a folder, by source; {} if there are none, or they cannot be read."""
    try:
        text = (folder / RECORD_FILE).read_text(encoding="utf-8") if folder else "{}"
        return {name: FetchRecord(**fields) for name, fields in json.loads(text).items()}
    except (OSError, ValueError, TypeError):
        return {}


def write_records(folder: Path, records: dict[str, FetchRecord]) -> None:
    """Write the records of a folder; a file that is linked from another folder is replaced, never written through."""
    text = json.dumps({name: asdict(record) for name, record in sorted(records.items())}, indent=2, ensure_ascii=False)
    with atomic_write(folder / RECORD_FILE) as file:
        file.write(text.encode())


def now() -> str:
    """The time, UTC, as records give it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
