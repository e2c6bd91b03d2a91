"""Official files, looked at before they are kept, in dated folders.

    <downloads>/2026-11-25/    the files, those that did not change linked from the folder before, and fetched.json
    <downloads>/current        the newest dated folder: what MOBIVILLE_RAW_DATA points at
    <downloads>/.partial/      what has arrived of a file so far; a later run goes on from there

A dated folder appears in one step, after every file in it was looked at: whoever reads `current` sees all of the old
files, or all of the new ones.
"""

import fcntl
import fnmatch
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from tqdm import tqdm

import raw_data
from resources.clients.http import Http, Pace
from resources.downloads.partial import Arrival, Downloads, opened_zip, sha256_of
from resources.errors import FetchError, RefusedError, ServiceError
from resources.settings import Settings
from resources.sources.catalogue import Download, Source

T = TypeVar("T")

RECORD = "fetched.json"
CURRENT = "current"
PARTIAL = ".partial"
DATASETS = "https://www.data.gouv.fr/api/1/datasets/"
STATION = "{station}"

LEAST_SHARE = 0.8
"""A file with fewer than this share of the rows of the one before has lost some: it is refused."""

ABSENT_DAYS = 90
"""A station without a climate sheet is asked for again after so many days."""

Inspect = Callable[[str, Path], int]
"""Reads a source's file in a folder to its end, and returns its rows. Raises RefusedError."""


@dataclass(frozen=True)
class Kept:
    """What is recorded of a source beside its files."""

    url: str
    final_url: str
    vintage: str
    files: dict[str, str]
    """Name to sha256."""
    sha256: str
    """Of what was downloaded: the file, or the archive it came in; of a source of many files, of their sums."""
    size: int
    rows: int | None
    fetched_at: str
    headers: dict[str, str]
    absent: dict[str, str] = field(default_factory=dict)
    """Of a source of many files: what the service does not have, and when it said so."""


@dataclass(frozen=True)
class Outcome:
    """What became of a source. state: new (fetched; or, when only checked, there to be fetched), unchanged, refused
    (what came is not the file), failed (nothing came). The files that were there stay in the last three.
    """

    source: str
    state: str
    detail: str
    kept: Kept | None = None


@dataclass(frozen=True)
class _Ready:
    """Files that are to be put in the place of those that a source has."""

    folder: Path
    paths: list[Path]
    replaced: list[str]
    """Patterns of the names of what they take the place of."""


class Fetching:
    """A run of `mobiville fetch`: what it fetches arrives aside; `publish` puts it into a new dated folder."""

    def __init__(self, settings: Settings, http: Http, inspect: Inspect) -> None:
        self.root = settings.downloads
        self._settings = settings
        self._http = http
        self._inspect = inspect
        self._pace = Pace(settings.pace)
        self._partial = self.root / PARTIAL
        self._downloads = Downloads(http, self._partial, settings.largest_file_mb)
        self._ready: dict[str, _Ready] = {}
        self.base = _base(settings)
        self.record = _read_record(self.base)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder of downloads. Raises FetchError while another run holds it, or it is the bundled sample."""
        if self.root.resolve().is_relative_to(raw_data.FOLDER):
            raise FetchError(f"MOBIVILLE_DOWNLOADS is {self.root}, in the bundled sample's folder: set it to another")
        self._partial.mkdir(parents=True, exist_ok=True)
        with (self.root / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise FetchError(f"another fetch is writing to {self.root}: let it end") from None
            yield

    def check(self, source_id: str, source: Source, vintage: str | None) -> Outcome:
        """Whether there is something new, told by the answer's headers; nothing is downloaded."""
        try:
            download = _chosen(source, vintage)
            url, headers = self._first(
                download, lambda url: self._downloads.headers(source_id, url, self._conditions(source_id, url))
            )
        except ServiceError as error:
            return Outcome(source_id, "failed", _explained(error, source))
        except RefusedError as error:
            return Outcome(source_id, "refused", _explained(error, source))
        if headers is None or self._is_known(source_id, headers):
            return Outcome(source_id, "unchanged", f"vintage {download.vintage}, as it was fetched")
        size = f", {int(headers['Content-Length']) / 1e6:,.1f} MB" if "Content-Length" in headers else ""
        return Outcome(source_id, "new", f"vintage {download.vintage}{size}, at {url}")

    def fetch(self, source_id: str, source: Source, vintage: str | None) -> Outcome:
        """Fetch a source: its file arrives aside, is unpacked where it comes in an archive, and looked at.

        Raises FetchError when there is no room.
        """
        try:
            download = _chosen(source, vintage)
            url, arrival = self._first(
                download, lambda url: self._downloads.file(source_id, url, self._conditions(source_id, url))
            )
            known = self.record.get(source_id)
            if arrival is None or (known and known.sha256 == arrival.sha256 and self._has(known)):
                return Outcome(source_id, "unchanged", f"vintage {download.vintage}, as it was fetched", known)
            folder = self._fresh_folder(source_id)
            path = self._unpacked(arrival, source, download, folder)
            rows = self._inspect(source_id, folder)
            self._refuse_shrunken(source_id, rows)
        except ServiceError as error:
            return Outcome(source_id, "failed", _explained(error, source))
        except RefusedError as error:
            return Outcome(source_id, "refused", _explained(error, source))
        kept = Kept(
            url=url,
            final_url=arrival.final_url,
            vintage=download.vintage,
            files={path.name: sha256_of(path)},
            sha256=arrival.sha256,
            size=arrival.path.stat().st_size,
            rows=rows,
            fetched_at=_now(),
            headers=arrival.headers,
        )
        self.record[source_id] = kept
        self._ready[source_id] = _Ready(folder, [path], source.files)
        return Outcome(source_id, "new", f"{path.name}, vintage {download.vintage}, {rows:,} rows", kept)

    def fetch_sheets(self, source_id: str, source: Source, stations: Sequence[str]) -> Outcome:
        """Fetch the climate sheets of stations (numbers of eight digits) that are not there, at the pace that is set.

        A station that has none is skipped, and asked again after some months.
        """
        download = source.downloads[0]
        name = str(download.save_as)
        known = self.record.get(source_id)
        absent = {station: when for station, when in (known.absent if known else {}).items() if _is_recent(when)}
        there = {path.name for pattern in source.files for path in (self.base.glob(pattern) if self.base else ())}
        folder = self._fresh_folder(source_id)
        paths: list[Path] = []
        fault: ServiceError | RefusedError | None = None
        wanted = [s for s in stations if s not in absent and Path(name.replace(STATION, s)).name not in there]
        for station in tqdm(wanted, desc=source_id, unit=" sheets", disable=None):
            self._pace.wait()
            try:
                url = self._mirrored(download.urls[0].replace(STATION, station))
                sheet = self._downloads.small(source_id, url)
            except (ServiceError, RefusedError) as error:
                fault = error
                break
            if sheet is None:
                absent[station] = _now()
                continue
            paths.append(folder / name.replace(STATION, station))
            paths[-1].parent.mkdir(parents=True, exist_ok=True)
            paths[-1].write_bytes(sheet)
        if paths or absent != (known.absent if known else {}):
            sums = {path.relative_to(folder).as_posix(): sha256_of(path) for path in paths}
            files = (known.files if known else {}) | sums
            digest = hashlib.sha256("".join(sorted(files.values())).encode()).hexdigest()
            size = sum(path.stat().st_size for path in paths)
            url = download.urls[0]
            self.record[source_id] = Kept(url, url, download.vintage, files, digest, size, None, _now(), {}, absent)
            self._ready[source_id] = _Ready(folder, paths, [])
        said = f"{len(paths)} new sheets, {len(absent)} stations have none"
        if fault is None:
            return Outcome(source_id, "new" if paths else "unchanged", said, self.record.get(source_id))
        state = "refused" if isinstance(fault, RefusedError) else "failed"
        return Outcome(source_id, state, f"{said}; then: {_explained(fault, source)}")

    # addresses

    def _first(self, download: Download, ask: Callable[[str], T]) -> tuple[str, T]:
        """What `ask` gives for the first address that answers: the one that data.gouv.fr lists, if the download names a
        data set, then those of the catalogue.
        """
        faults: list[ServiceError | RefusedError] = []
        for known in ([None] if download.dataset else []) + download.urls:
            try:
                url = known or self._listed(download)
                return url, ask(self._mirrored(url))
            except (ServiceError, RefusedError) as error:
                faults.append(error)
        kind = RefusedError if any(isinstance(fault, RefusedError) for fault in faults) else ServiceError
        raise kind("; ".join(map(str, faults)))

    def _listed(self, download: Download) -> str:
        """The address of the newest resource of the data set whose title or address has the pattern."""
        url = self._mirrored(f"{DATASETS}{quote(str(download.dataset), safe='')}/")
        status, found = self._http.json("GET", url, "data.gouv.fr")
        listed = (found.get("resources") or []) if isinstance(found, dict) else []
        pattern = str(download.resource)
        with_address = [r for r in listed if isinstance(r, dict) and r.get("url")]
        fitting = [r for r in with_address if re.search(pattern, f"{r.get('title', '')} {r['url']}")]
        if not fitting:
            raise ServiceError(f"data.gouv.fr has no {pattern} in {download.dataset} (status {status})", status=status)
        return str(max(fitting, key=lambda r: str(r.get("last_modified", "")))["url"])

    def _mirrored(self, url: str) -> str:
        if not self._settings.mirror:
            return url
        return f"{self._settings.mirror.rstrip('/')}/{url.removeprefix('https://')}"

    def _conditions(self, source_id: str, url: str) -> dict[str, str]:
        """Headers that ask for a file only if it is another than the one that is there."""
        known = self.record.get(source_id)
        if known is None or self._mirrored(known.url) != url or not self._has(known):
            return {}
        names = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
        return {names[name]: known.headers[name] for name in names if name in known.headers}

    def _is_known(self, source_id: str, headers: dict[str, str]) -> bool:
        """Whether an answer is about the file that is there, for services that do not look at conditions."""
        known = self.record.get(source_id)
        return known is not None and self._has(known) and known.headers.get("ETag", "") == headers.get("ETag")

    def _has(self, known: Kept) -> bool:
        return self.base is not None and all((self.base / name).is_file() for name in known.files)

    # from what came to what the warehouse reads

    def _fresh_folder(self, source_id: str) -> Path:
        folder = self._partial / source_id
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def _unpacked(self, arrival: Arrival, source: Source, download: Download, folder: Path) -> Path:
        """The source's file under its name: what came, or the newest fitting member of the archive that came."""
        if download.save_as:
            target = folder / download.save_as
            if target.suffix == ".zip":
                with opened_zip(arrival.path, self._settings.largest_file_mb):
                    pass
            target.hardlink_to(arrival.path)
            return target
        with opened_zip(arrival.path, self._settings.largest_file_mb) as archive:
            fitting = [info for info in archive.infolist() if _fits(Path(info.filename).name, source)]
            if not fitting:
                raise RefusedError(f"its archive has no {' or '.join(source.files)}")
            member = max(fitting, key=lambda info: Path(info.filename).name)
            target = folder / Path(member.filename).name
            with archive.open(member) as packed, target.open("wb") as file:
                shutil.copyfileobj(packed, file)
        return target

    def _refuse_shrunken(self, source_id: str, rows: int) -> None:
        """Refuse a file that has lost rows since the one that is there."""
        if self.base is None:
            return
        known = self.record.get(source_id)
        try:
            before = known.rows if known and known.rows and self._has(known) else self._inspect(source_id, self.base)
        except RefusedError:
            return  # nothing is there, or nothing that can be read
        if rows < LEAST_SHARE * before:
            raise RefusedError(
                f"it has {rows:,} rows, where the one in {self.base} has {before:,}; if that is right, move that one "
                "away and fetch again"
            )

    def publish(self) -> Path | None:
        """Put what is ready into a new dated folder, with links to all that did not change, and let `current` point at
        it. Return it; None where nothing is new.
        """
        dated = self._dated_folder() if self._ready else None
        self._downloads.forget()
        for folder in self._partial.iterdir():
            if folder.is_dir():
                shutil.rmtree(folder)
        return dated

    def _dated_folder(self) -> Path:
        new = self.root / ".new"
        shutil.rmtree(new, ignore_errors=True)  # of a run that was killed
        new.mkdir()
        if self.base:
            _link_tree(self.base, new, self.root)
        for ready in self._ready.values():
            for old in [path for pattern in ready.replaced for path in new.glob(pattern)]:
                old.unlink(missing_ok=True)
            for path in ready.paths:
                target = new / path.relative_to(ready.folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                path.replace(target)
        record = {name: asdict(kept) for name, kept in sorted(self.record.items())}
        (new / RECORD).unlink(missing_ok=True)  # a link: written anew, not through
        (new / RECORD).write_text(json.dumps(record, indent=2, ensure_ascii=False), encoding="utf-8")
        dated = _free_name(self.root)
        new.rename(dated)
        pointer = self.root / ".current"
        pointer.unlink(missing_ok=True)
        pointer.symlink_to(dated.name)
        pointer.replace(self.root / CURRENT)
        return dated


def _base(settings: Settings) -> Path | None:
    """The folder that the next one starts from: the newest, else that of the raw files, unless it is the sample."""
    current = settings.downloads / CURRENT
    if current.is_dir():
        return current.resolve()
    folder = settings.raw_data.resolve()
    return folder if folder.is_dir() and not folder.is_relative_to(raw_data.FOLDER) else None


def _chosen(source: Source, vintage: str | None) -> Download:
    fitting = [download for download in source.downloads if vintage in (None, download.vintage)]
    if not fitting:
        there = ", ".join(download.vintage for download in source.downloads)
        raise RefusedError(f"there is no vintage {vintage} of it; there are {there}")
    return fitting[0]


def _explained(error: Exception, source: Source) -> str:
    sure = "" if source.certainty == "A" else f" The address is not certain ({source.certainty})."
    return f"{error}.{sure} See {source.landing_page}"


def _fits(name: str, source: Source) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in source.files) and not any(
        fnmatch.fnmatch(name, pattern) for pattern in source.excluded_files
    )


def _link_tree(old: Path, new: Path, but: Path) -> None:
    """The same files in another folder, as links, as copies where the disk is another; without those in `but`, if they
    are among them.
    """
    inside = but.resolve() if but.resolve().is_relative_to(old) and not old.is_relative_to(but.resolve()) else None
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
    """The folder of today; of a later fetch of the same day, with a number."""
    today = date.today().isoformat()
    names = (today, *(f"{today}-{number}" for number in range(2, 1_000)))
    return next(root / name for name in names if not (root / name).exists())


def _read_record(base: Path | None) -> dict[str, Kept]:
    try:
        text = (base / RECORD).read_text(encoding="utf-8") if base else "{}"
        return {name: Kept(**kept) for name, kept in json.loads(text).items()}
    except (OSError, ValueError, TypeError):
        return {}


def _is_recent(when: str) -> bool:
    return datetime.now(UTC) - datetime.fromisoformat(when) < timedelta(days=ABSENT_DAYS)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
