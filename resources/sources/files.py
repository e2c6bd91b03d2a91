"""Which files the sources are read from: found through the catalogue, hashed. Nothing of them is read here."""

import contextlib
import fnmatch
import hashlib
import json
import re
import time
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import raw_data
from resources.errors import SourceError
from resources.settings import Settings
from resources.sources.catalogue import Source, catalogue, century
from resources.sources.delimited import recognised
from resources.sources.sniffing import NO_INPUT
from warehouse.release import SourceFile

SETTLED_NS = 2_000_000_000
"""Nanoseconds: a file that changed less than this before it was read may have changed again within a tick of the clock,
and would look the same.
"""
UNKNOWN = "unknown"
"""The vintage of a file that tells none."""

Seen = tuple[str, int, int, int]
"""A file as it was seen: path, size, times of the last change of its contents and of anything (nanoseconds)."""

_hashed: dict[Seen, tuple[str, int]] = {}
"""The sha256 of each file that this process asked for, and when it was read (nanoseconds)."""
_remembered: dict[Seen, str] = {}


class RawFiles:
    """The folders of raw files."""

    folder: str
    dumps: str
    cache: str

    def __init__(self, folder: str, dumps: str, cache: str = "") -> None:
        self.folder = folder
        self.dumps = dumps
        self.cache = cache

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The folders that the settings name."""
        return cls(folder=str(settings.raw_data), dumps=str(settings.dumps_folder), cache=str(settings.cache))

    def candidates(self, source_id: str) -> list[Path]:
        """Every file that may be the source's, whichever is read."""
        source = catalogue()[source_id]
        root = self._root(source)
        found = dict.fromkeys(path for pattern in source.files for path in sorted(root.glob(pattern)))
        return [
            path
            for path in found
            if not NO_INPUT.search(path.name)
            and not any(fnmatch.fnmatch(path.name, excluded) for excluded in source.excluded_files)
        ]

    def paths(self, source_id: str) -> list[Path]:
        """The files of a source: that of the newest vintage, or all of them where the source is many; [] if none.

        Raises SourceError when a name has a date that cannot be, or it cannot be told which file is the newest.
        """
        source, found = catalogue()[source_id], self.candidates(source_id)
        if source.many:
            return found
        named = {path: vintage(source, path.name) for path in found}
        if len(found) < 2:
            return found
        told = {path: name or vintage_of_layout(source, path) for path, name in named.items()}
        newest = max(map(_order, told.values()))
        alike = [path for path, of_file in told.items() if of_file is None or _order(of_file) == newest]
        if len(set(map(sha256_of, alike))) > 1:
            said = " and ".join(f"{path.name} (vintage {told[path] or 'unknown'})" for path in alike)
            raise SourceError(
                f"{source_id}: expected one newest file, found {said}: which one is meant cannot be told. Keep that "
                "one, or put the year into its name as raw_data/sources.yaml writes it"
            )
        return alike[:1]

    def days(self, source_id: str) -> dict[str, list[Path]]:
        """The files of a source that has one per day, by that day (2021-12-21), the first first.

        Raises SourceError when a name has no date, or one that cannot be.
        """
        source = catalogue()[source_id]
        found: dict[str, list[Path]] = {}
        for path in self.candidates(source_id):
            if not (day := vintage(source, path.name)):
                raise SourceError(
                    f"{path.name}: expected a day in its name (20211221), found none. Rename it with the day that it "
                    "is of, or move it out of the folder"
                )
            found.setdefault(date.fromisoformat(day).isoformat(), []).append(path)
        return dict(sorted(found.items()))

    def _root(self, source: Source) -> Path:
        """The folder of a source; of answers of outside services, one that is not there where none is set."""
        return Path({"raw_data": self.folder, "dumps": self.dumps, "cache": self.cache or "no cache"}[source.folder])

    def path(self, source_id: str) -> Path:
        """The file of a source. Raises SourceError when it is not there."""
        paths = self.paths(source_id)
        if not paths:
            source = catalogue()[source_id]
            raise SourceError(
                f"{source_id}: no file {' or '.join(source.files)} in {self._root(source)}. It is {source.title} "
                f"({source.publisher}), from {source.landing_page}; put it there, or set "
                f"MOBIVILLE_{source.folder.upper()} to the folder that has it"
            )
        return is_regular(paths[0])

    def has(self, source_id: str) -> bool:
        """Whether the source is there."""
        return bool(self.candidates(source_id))

    def files(self, source_id: str) -> list[SourceFile]:
        """What is known of the files of a source: name, vintage, sha256."""
        source = catalogue()[source_id]
        paths = self.paths(source_id)
        if source.folder == "dumps" and source.many and paths:
            return [SourceFile(source_id, f"{len(paths)} files {source.files[0]}", UNKNOWN, _listing(paths))]
        if source.many and paths:
            digest = hashlib.sha256("".join(f"{p.name} {sha256_of(p)}\n" for p in paths).encode()).hexdigest()
            return [SourceFile(source_id, f"{len(paths)} files {source.files[0]}", UNKNOWN, digest)]
        return [SourceFile(source_id, p.name, vintage(source, p.name) or UNKNOWN, sha256_of(p)) for p in paths]

    def version(self, source_id: str) -> str:
        """The data version of a source: the sha256 of its file, `absent`, or `refused` (see `paths`)."""
        try:
            files = self.files(source_id)
        except SourceError:
            return "refused"
        return files[0].sha256 if files else "absent"

    @property
    def is_sample(self) -> bool:
        """Whether it is the bundled sample, which is small and old."""
        return Path(self.folder).resolve() == raw_data.SAMPLE.resolve()

    def versions(self) -> dict[str, str]:
        """The data version of every source of the catalogue."""
        return {source_id: self.version(source_id) for source_id in catalogue()}


def is_regular(path: Path) -> Path:
    """The path. Raises SourceError when it is that of a folder, a pipe or a device: to open one may last for ever."""
    if not path.is_file():
        raise SourceError(f"{path.name}: is no file but a folder, a pipe or a device. Put the file in its place")
    return path


def _listing(paths: list[Path]) -> str:
    """The sha256 of names, sizes and times: to read a year of dumps each time would take minutes."""
    seen = [(path.name, stat.st_size, stat.st_mtime_ns) for path in paths for stat in [path.stat()]]
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


def sha256_of(path: Path) -> str:
    """The sha256 of a file, hashed once while its size and times stay; `no file` where it is not."""
    if not path.is_file():
        return "no file"
    stat, now = path.stat(), time.time_ns()
    seen = (str(path), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    if seen not in _hashed:
        _hashed[seen] = (_remembered.get(seen) or _read_sha256(path), now)
    return _hashed[seen][0]


def _read_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hashed() -> list[list[str | int]]:
    """What `remember` takes: path, size, times and sha256 of the files that this process asked for, but for those that
    had changed a moment before they were read.
    """
    return [[*seen, sha256] for seen, (sha256, at) in _hashed.items() if max(seen[2:]) < at - SETTLED_NS]


def remember(known: Iterable[Iterable[Any]]) -> None:
    """Take the sha256 of files from a process before, see `hashed`: to read the BPE again takes half a second."""
    for path, size, changed, touched, sha256 in known:
        _remembered[path, size, changed, touched] = sha256


def vintage(source: Source, name: str) -> str | None:
    """The vintage that the file's name holds. Raises SourceError when it is a day or year that is not, or not yet."""
    match = source.vintage_in_name and re.search(source.vintage_in_name, name, re.IGNORECASE)
    if not match:
        return None
    found = century(match[1])
    day = found if len(found) == len("20211231") else f"{found}0101"
    if len(found) in (len("2021"), len("20211231")):
        with contextlib.suppress(ValueError):
            if date.fromisoformat(day) <= datetime.now(UTC).date() + timedelta(days=1):
                return found
        raise SourceError(
            f"{name}: its name has the date {found}, expected one that exists and is past. Rename it with the date "
            "that it is of, or move it out of the folder"
        )
    return found


def vintage_of_layout(source: Source, path: Path) -> str | None:
    """The vintage that the columns of a delimited file tell; None where they do not."""
    if source.kind != "csv":
        return None
    try:
        return recognised(path, source).vintage()
    except SourceError:
        return None


def _order(of_file: str | None) -> int:
    return int(re.sub(r"\D", "", of_file or "") or 0)
