"""Official files, checked before they are kept, in dated folders.

    <downloads>/2026-11-25/    the files (unchanged ones are linked from the folder before) and fetched.json
    <downloads>/current        link to the newest dated folder: the value for MOBIVILLE_RAW_DATA
    <downloads>/.partial/      interrupted downloads, which a later run resumes
    <downloads>/refused/       per source, the files that were fetched last and refused

A dated folder appears in one step, after every file in it was checked: a reader of `current` sees all of the old files
or all of the new ones.
"""

import fnmatch
import hashlib
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

from tqdm import tqdm

import raw_data
from resources.atomic_files import locked
from resources.clients.http import Http, RateLimiter
from resources.downloads.addresses import Addresses
from resources.downloads.inspection import rows_of
from resources.downloads.partial import Download, Downloader, open_zip
from resources.downloads.record import FetchRecord, now, read_records, write_records
from resources.errors import FetchError, RefusedError, ServiceError
from resources.settings import Settings
from resources.sources.catalogue import DownloadEntry, Source, catalogue
from resources.sources.files import sha256_of

CURRENT = "current"
PARTIAL = ".partial"
REFUSED = "refused"
STATION = "{station}"

LEAST_SHARE = 0.8
"""A file with less than this share of the rows of the file it replaces is refused."""

ABSENT_DAYS = 90
"""A station without a climate sheet is requested again after so many days."""

Try = Callable[[Settings, Collection[str], Path, Path], str]
"""Makes what reads some sources from a folder as it is before and as it is after a fetch; says what could not be made.
Raises RefusedError if a refresh would refuse the new files.
"""


@dataclass(frozen=True)
class Outcome:
    """The result for a source. state: new (fetched, or available if only checked), unchanged, refused (the download is
    not the file that the catalogue describes), failed (no download), waits (for a table that is not staged yet). Only
    `new` replaces files.
    """

    source: str
    state: str
    detail: str
    record: FetchRecord | None = None


@dataclass(frozen=True)
class _Ready:
    """New files of a source, and patterns of the names of the files that they replace."""

    folder: Path
    paths: list[Path]
    replaced: list[str]


class FetchRun:
    """A run of `mobiville fetch`: it downloads into `.partial`; `publish` moves the files to a new dated folder."""

    def __init__(self, settings: Settings, http: Http, try_sources: Try) -> None:
        self.root = settings.downloads
        self._settings = settings
        self._try_sources = try_sources
        self._addresses = Addresses(http, settings.mirror)
        self._limiter = RateLimiter(settings.pace)
        self._partial = self.root / PARTIAL
        self._downloader = Downloader(http, self._partial, settings.largest_file_mb)
        self._ready: dict[str, _Ready] = {}
        self.base = _base(settings)
        self.records = read_records(self.base)

    def locked(self) -> AbstractContextManager[None]:
        """Hold the folder of downloads. Raises FetchError if another run holds it, or if it is the bundled sample."""
        if self.root.resolve().is_relative_to(raw_data.FOLDER):
            raise FetchError(f"MOBIVILLE_DOWNLOADS is {self.root}, in the bundled sample's folder: set it to another")
        self._partial.mkdir(parents=True, exist_ok=True)
        return locked(self.root / ".lock", FetchError(f"another fetch is writing to {self.root}: wait for it"))

    def check(self, source_id: str, source: Source, vintage: str | None) -> Outcome:
        """Whether there is a new file, by the response's headers; nothing is downloaded."""

        def check() -> Outcome:
            entry = _entry(source, vintage)
            url, headers = self._addresses.first(
                entry, lambda url: self._downloader.headers(source_id, url, self._conditions(source_id, url))
            )
            if headers is None or self._is_known(source_id, headers):
                return Outcome(source_id, "unchanged", f"vintage {entry.vintage}, already fetched")
            size = f", {int(headers['Content-Length']) / 1e6:,.1f} MB" if "Content-Length" in headers else ""
            return Outcome(source_id, "new", f"vintage {entry.vintage}{size}, at {url}")

        return _outcome(source_id, source, check)

    def fetch(self, source_id: str, source: Source, vintage: str | None) -> Outcome:
        """Download a source's file, unpack it if it comes in an archive, and check it.

        Raises FetchError if the disk is full.
        """
        return _outcome(source_id, source, lambda: self._fetch(source_id, source, _entry(source, vintage)))

    def _fetch(self, source_id: str, source: Source, entry: DownloadEntry) -> Outcome:
        url, download = self._addresses.first(
            entry, lambda url: self._downloader.fetch_file(source_id, url, self._conditions(source_id, url))
        )
        known = self._known(source_id)
        if download is None or (known and known.sha256 == download.sha256):
            return Outcome(source_id, "unchanged", f"vintage {entry.vintage}, already fetched", known)
        folder = self._empty_folder(source_id)
        path = self._unpacked(download, source, entry, folder)
        ready = _Ready(folder, [path], source.files)
        try:
            rows = rows_of(source_id, folder)
            self._refuse_shrunken(source_id, rows)
        except RefusedError as error:
            raise self._kept_aside(source_id, ready, error) from error
        record = FetchRecord(
            url=url,
            final_url=download.final_url,
            vintage=entry.vintage,
            files={path.name: sha256_of(path)},
            sha256=download.sha256,
            size=download.path.stat().st_size,
            rows=rows,
            fetched_at=now(),
            headers=download.headers,
        )
        self.records[source_id] = record
        self._ready[source_id] = ready
        return Outcome(source_id, "new", f"{path.name}, vintage {entry.vintage}, {rows:,} rows", record)

    def fetch_sheets(self, source_id: str, source: Source, stations: Sequence[str]) -> Outcome:
        """Download the missing climate sheets of stations (numbers of eight digits), at the rate that is set.

        A station that has none is skipped, and requested again after ABSENT_DAYS.
        """
        entry, folder = source.downloads[0], self._empty_folder(source_id)
        record = self.records.get(source_id)
        known_absent = record.absent if record else {}
        absent = {station: when for station, when in known_absent.items() if _is_recent(when)}
        there = {path.name for pattern in source.files for path in (self.base.glob(pattern) if self.base else ())}
        names = {station: str(entry.save_as).replace(STATION, station) for station in stations}
        wanted = [s for s, name in names.items() if s not in absent and Path(name).name not in there]
        paths: list[Path] = []

        def fetch() -> Outcome:
            for station in tqdm(wanted, desc=source_id, unit=" sheets", disable=None):
                self._limiter.wait()
                url = self._addresses.mirrored(entry.urls[0].replace(STATION, station))
                sheet = self._downloader.fetch_small(source_id, url)
                if sheet is None:
                    absent[station] = now()
                    continue
                paths.append(folder / names[station])
                paths[-1].parent.mkdir(parents=True, exist_ok=True)
                paths[-1].write_bytes(sheet)
            return Outcome(source_id, "new" if paths else "unchanged", "")

        outcome = _outcome(source_id, source, fetch)
        if paths or absent != known_absent:
            self._add_sheets(source_id, entry, _Ready(folder, paths, []), absent)
        said = f"{len(paths)} new sheets, {len(absent)} stations have none"
        return replace(
            outcome,
            detail=f"{said}; then: {outcome.detail}" if outcome.detail else said,
            record=None if outcome.detail else self.records.get(source_id),
        )

    def _add_sheets(self, source_id: str, entry: DownloadEntry, ready: _Ready, absent: dict[str, str]) -> None:
        """Record sheets that were fetched, beside those that are there."""
        known = self.records.get(source_id)
        sums = {path.relative_to(ready.folder).as_posix(): sha256_of(path) for path in ready.paths}
        files = (known.files if known else {}) | sums
        digest = hashlib.sha256("".join(sorted(files.values())).encode()).hexdigest()
        size, url = sum(path.stat().st_size for path in ready.paths), entry.urls[0]
        self.records[source_id] = FetchRecord(url, url, entry.vintage, files, digest, size, None, now(), {}, absent)
        self._ready[source_id] = ready

    def _known(self, source_id: str) -> FetchRecord | None:
        """The record of a source whose files are still there."""
        record = self.records.get(source_id)
        return record if record and record.is_in(self.base) else None

    def _conditions(self, source_id: str, url: str) -> dict[str, str]:
        """Headers that request a file only if it differs from the one that is there."""
        known = self._known(source_id)
        if known is None or self._addresses.mirrored(known.url) != url:
            return {}
        names = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
        return {names[name]: known.headers[name] for name in names if name in known.headers}

    def _is_known(self, source_id: str, headers: dict[str, str]) -> bool:
        """Whether a response is about the file that is there, for services that ignore conditions."""
        known = self._known(source_id)
        return known is not None and known.headers.get("ETag", "") == headers.get("ETag")

    def _empty_folder(self, source_id: str) -> Path:
        folder = self._partial / source_id
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def _unpacked(self, download: Download, source: Source, entry: DownloadEntry, folder: Path) -> Path:
        """The source's file under its name: the download, or the newest matching member of the downloaded archive."""
        if entry.save_as:
            target = folder / entry.save_as
            if target.suffix == ".zip":
                with open_zip(download.path, self._settings.largest_file_mb):
                    pass
            target.hardlink_to(download.path)
            return target
        with open_zip(download.path, self._settings.largest_file_mb) as archive:
            matching = [info for info in archive.infolist() if _matches(Path(info.filename).name, source)]
            if not matching:
                raise RefusedError(f"the archive has no {' or '.join(source.files)}")
            member = max(matching, key=lambda info: Path(info.filename).name)
            target = folder / Path(member.filename).name
            with archive.open(member) as packed, target.open("wb") as file:
                shutil.copyfileobj(packed, file)
        return target

    def _refuse_shrunken(self, source_id: str, rows: int) -> None:
        """Refuse a file that has far fewer rows than the one that is there."""
        if self.base is None:
            return
        known = self._known(source_id)
        try:
            before = known.rows if known and known.rows else rows_of(source_id, self.base)
        except RefusedError:
            return  # there is no file, or it cannot be read
        if rows < LEAST_SHARE * before:
            raise RefusedError(
                f"it has {rows:,} rows, but the one in {self.base} has {before:,}; if that is right, move the old file "
                "away and fetch again"
            )

    def try_new(self, outcomes: Sequence[Outcome]) -> list[Outcome]:
        """The outcomes after what was fetched was tried: what is refused does not replace what is there."""
        fetched, self._ready = self._ready, {}
        downloads: dict[str, dict[str, _Ready]] = {}
        for name, ready in fetched.items():
            downloads.setdefault(self.records[name].url, {})[name] = ready
        verdicts = self._verdicts(list(downloads.values())) if fetched else {}

        def settled(outcome: Outcome) -> Outcome:
            verdict = verdicts.get(outcome.source, "")
            if isinstance(verdict, RefusedError):
                self.records.pop(outcome.source)
                self.records |= {n: record for n, record in read_records(self.base).items() if n == outcome.source}
                raise self._kept_aside(outcome.source, fetched[outcome.source], verdict)
            return replace(outcome, detail="; ".join(filter(None, [outcome.detail, verdict])))

        return [_outcome(o.source, catalogue()[o.source], partial(settled, o)) for o in outcomes]

    def _verdicts(self, downloads: Sequence[Mapping[str, _Ready]]) -> dict[str, str | RefusedError]:
        """Per source of new files why they are refused, or what is to be said of them: tried all at once; where that is
        refused, download by download, each beside those that were not refused.
        """
        together = {name: ready for download in downloads for name, ready in download.items()}
        before, after = self._assembled(".before", {}), self._assembled(".after", together)
        try:
            said = self._try_sources(self._settings, together, before, after)
        except RefusedError as error:
            if len(downloads) == 1:
                return dict.fromkeys(together, error)
            return {name: verdict for one in downloads for name, verdict in self._verdicts([one]).items()}
        self._ready |= together
        return dict.fromkeys(together, said)

    def _kept_aside(self, source_id: str, ready: _Ready, error: RefusedError) -> RefusedError:
        """The refusal of new files, which are kept, with where they are."""
        kept = self.root / REFUSED / source_id
        shutil.rmtree(kept, ignore_errors=True)
        kept.parent.mkdir(exist_ok=True)
        ready.folder.rename(kept)
        names = ", ".join(path.relative_to(ready.folder).as_posix() for path in ready.paths[:3])
        return RefusedError(f"{str(error).rstrip('.')}. What was there stays; {names} is kept in {kept}")

    def publish(self) -> Path | None:
        """Create a dated folder with the new files and links to the unchanged ones, and point `current` at it.

        Returns the folder; None if nothing is new.
        """
        dated = self._dated_folder() if self._ready else None
        self._downloader.discard()
        for folder in self._partial.iterdir():
            if folder.is_dir():
                shutil.rmtree(folder)
        return dated

    def _assembled(self, name: str, new: Mapping[str, _Ready]) -> Path:
        """A folder of the files that are there and those that were not refused, with new ones in place of the old."""
        folder = self._empty_folder(name)
        if self.base:
            _link_tree(self.base, folder, self.root)
        for ready in [*self._ready.values(), *new.values()]:
            for old in [path for pattern in ready.replaced for path in folder.glob(pattern)]:
                old.unlink(missing_ok=True)
            for path in ready.paths:
                target = folder / path.relative_to(ready.folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.unlink(missing_ok=True)
                target.hardlink_to(path)
        return folder

    def _dated_folder(self) -> Path:
        new = self._assembled(".new", {})
        write_records(new, self.records)
        dated = _free_name(self.root)
        new.rename(dated)
        pointer = self.root / ".current"
        pointer.unlink(missing_ok=True)
        pointer.symlink_to(dated.name)
        pointer.replace(self.root / CURRENT)
        return dated


def _outcome(source_id: str, source: Source, step: Callable[[], Outcome]) -> Outcome:
    """The outcome of a step, or of its error."""
    try:
        return step()
    except (ServiceError, RefusedError) as error:
        sure = "" if source.certainty == "A" else f" The address is not certain (certainty {source.certainty})."
        state = "refused" if isinstance(error, RefusedError) else "failed"
        return Outcome(source_id, state, f"{error}.{sure} See {source.landing_page}")


def _base(settings: Settings) -> Path | None:
    """The folder that the next one is based on: the newest, else that of the raw files unless it is the sample."""
    current = settings.downloads / CURRENT
    if current.is_dir():
        return current.resolve()
    folder = settings.raw_data.resolve()
    return folder if folder.is_dir() and not folder.is_relative_to(raw_data.FOLDER) else None


def _entry(source: Source, vintage: str | None) -> DownloadEntry:
    """The catalogue's entry of a vintage, by default the first. Raises RefusedError for an unknown vintage."""
    matching = [entry for entry in source.downloads if vintage in (None, entry.vintage)]
    if not matching:
        there = ", ".join(entry.vintage for entry in source.downloads)
        raise RefusedError(f"the catalogue has no vintage {vintage} of it; it has {there}")
    return matching[0]


def _matches(name: str, source: Source) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in source.files) and not any(
        fnmatch.fnmatch(name, pattern) for pattern in source.excluded_files
    )


def _link_tree(old: Path, new: Path, excluded: Path) -> None:
    """Link the files of a folder into another one, or copy them if it is on another disk; skip `excluded`."""
    excluded = excluded.resolve()
    inside = excluded if excluded.is_relative_to(old) and not old.is_relative_to(excluded) else None
    for path in sorted(old.rglob("*")):
        if inside and path.is_relative_to(inside):
            continue
        target = new / path.relative_to(old)
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        try:
            target.hardlink_to(path.resolve())
        except OSError:
            shutil.copy2(path, target)


def _free_name(root: Path) -> Path:
    """The folder named after today; with a number, if today already has one."""
    today = date.today().isoformat()
    names = (today, *(f"{today}-{number}" for number in range(2, 1_000)))
    return next(root / name for name in names if not (root / name).exists())


def _is_recent(when: str) -> bool:
    return datetime.now(UTC) - datetime.fromisoformat(when) < timedelta(days=ABSENT_DAYS)
