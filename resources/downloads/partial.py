"""One official file: it arrives aside, goes on where it was interrupted, and is whole or an error."""

import hashlib
import json
import re
import shutil
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import requests
from tqdm import tqdm

from resources.clients.http import PIECE_BYTES, Http
from resources.errors import FetchError, RefusedError, TransientError
from resources.sources.decompression import MOST_TIMES_LARGER
from resources.sources.sniffing import web_page

MOST_MEMBERS = 1_000
"""An archive with more members is not opened."""


@dataclass(frozen=True)
class Arrival:
    """A download that is whole."""

    path: Path
    sha256: str
    headers: dict[str, str]
    final_url: str


class Downloads:
    """The downloads of a run. `folder` holds what has arrived of each file; `largest_mb`: no file may be larger."""

    def __init__(self, http: Http, folder: Path, largest_mb: int) -> None:
        self._http = http
        self._folder = folder
        self._most = largest_mb * 1_000_000
        self._arrived: dict[str, Arrival] = {}

    def headers(self, source_id: str, url: str, conditions: dict[str, str]) -> dict[str, str] | None:
        """The headers of the file at an address, None where it is what the conditions say; its body is not read."""

        def once() -> dict[str, str] | None:
            with self._http.sent("GET", url, source_id, headers=conditions) as response:
                _refuse_status(response)
                return None if response.status_code == 304 else dict(response.headers)

        return self._http.tried(once)

    def small(self, source_id: str, url: str) -> bytes | None:
        """A small file, in memory; None where there is none."""

        def once() -> bytes | None:
            started = time.monotonic()
            with self._http.sent("GET", url, source_id) as response:
                if response.status_code == 404:
                    return None
                _refuse_status(response)
                content = self._http.body(response, source_id, started)
                _refuse_page(content[:512], response)
                return content

        return self._http.tried(once)

    def file(self, source_id: str, url: str, conditions: dict[str, str]) -> Arrival | None:
        """The file at an address, downloaded once per run; None where it is what the conditions say.

        Raises ServiceError when it does not come, RefusedError when what comes is no such file, FetchError when there
        is no room. What came so far stays, for the next run.
        """
        if url not in self._arrived:
            arrival = self._http.tried(lambda: self._download(source_id, url, conditions))
            if arrival is None:
                return None
            self._arrived[url] = arrival
        return self._arrived[url]

    def forget(self) -> None:
        """Let go of the files that came whole; those that did not, stay for the next run."""
        for arrival in self._arrived.values():
            _Beginning(arrival.path).forget()
        self._arrived.clear()

    def _download(self, source_id: str, url: str, conditions: dict[str, str]) -> Arrival | None:
        """One try: go on where the last one ended, if the file is still the same (Range, If-Range)."""
        part = self._folder / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}.part"
        began = _Beginning(part)
        asked = {"Accept-Encoding": "identity", **(began.conditions or conditions)}
        with self._http.sent("GET", url, source_id, headers=asked) as response:
            if response.status_code == 304:
                return None
            if response.status_code == 416:  # nothing is left to send, or what is here is not the start of the file
                if began.is_whole(response):
                    return began.arrival()
                began.forget()
                raise TransientError(f"{source_id}: what had arrived is no part of the file any more")
            _refuse_status(response)
            goes_on = response.status_code == 206 and began.goes_on(response)
            total = began.total(response, goes_on)
            self._refuse_large(source_id, total)
            with part.open("ab" if goes_on else "wb") as file:
                if not goes_on:  # after the old part is gone: whoever kills this leaves no part of another version
                    began.note(response)
                self._write(file, response, source_id, total)
        if total is not None and part.stat().st_size != total:
            raise TransientError(f"{source_id}: {part.stat().st_size:,} of {total:,} bytes came")
        return began.arrival()

    def _write(self, file: IO[bytes], response: requests.Response, source_id: str, total: int | None) -> None:
        start, most = file.tell(), self._most
        bar = tqdm(total=total, initial=start, desc=source_id, unit="B", unit_scale=True, disable=None)
        with bar:
            for piece in _pieces(response, most - start):
                if not file.tell():
                    _refuse_page(piece[:512], response)
                try:
                    file.write(piece)
                except OSError as error:
                    raise FetchError(f"{file.name}: {error.strerror}: make room, what came so far is kept") from error
                bar.update(len(piece))

    def _refuse_large(self, source_id: str, total: int | None) -> None:
        if total is None:
            return
        if total > self._most:
            raise RefusedError(f"{total / 1e6:,.0f} MB, more than MOBIVILLE_LARGEST_FILE_MB: not fetched")
        free = shutil.disk_usage(self._folder).free
        if total > free:
            raise FetchError(f"{source_id} has {total / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free: make room")


class _Beginning:
    """What has arrived of a file, and the note beside it that tells which version of the file it is of."""

    def __init__(self, part: Path) -> None:
        self._part = part
        self._note = part.with_suffix(".json")
        try:
            self._known: dict[str, Any] = json.loads(self._note.read_text(encoding="utf-8"))
            self._size = part.stat().st_size
        except (OSError, ValueError):
            self._known, self._size = {}, 0

    @property
    def conditions(self) -> dict[str, str]:
        """Headers that ask for the rest, if the file is still the same; none where that cannot be told."""
        tag = self._known.get("headers", {}).get("ETag", "")
        validator = tag if tag and not tag.startswith("W/") else self._known.get("headers", {}).get("Last-Modified")
        return {"Range": f"bytes={self._size}-", "If-Range": validator} if self._size and validator else {}

    def goes_on(self, response: requests.Response) -> bool:
        """Whether a partial answer starts where this ends."""
        match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
        if match and int(match[1]) == self._size:
            return True
        self.forget()
        raise TransientError("the service sent another part than was asked for")

    def is_whole(self, response: requests.Response) -> bool:
        """Whether all has arrived, by what a refusal of the rest says of the size."""
        return response.headers.get("Content-Range") == f"bytes */{self._size}" and self._size > 0

    def total(self, response: requests.Response, goes_on: bool) -> int | None:
        """The size of the whole file, if the answer says it."""
        length = response.headers.get("Content-Length")
        if length is None or "Content-Encoding" in response.headers:
            return None
        return int(length) + (self._size if goes_on else 0)

    def note(self, response: requests.Response) -> None:
        """Write down which version of the file is arriving."""
        headers = {name: value for name, value in response.headers.items() if name.lower() != "set-cookie"}
        self._known = {"final_url": response.url, "headers": headers}
        aside = self._note.with_suffix(".new")
        aside.write_text(json.dumps(self._known), encoding="utf-8")
        aside.replace(self._note)

    def forget(self) -> None:
        """Start over at the next try."""
        self._part.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def arrival(self) -> Arrival:
        """The whole file."""
        return Arrival(self._part, sha256_of(self._part), self._known["headers"], self._known["final_url"])


def _refuse_status(response: requests.Response) -> None:
    status = response.status_code
    if status in (401, 403):
        raise RefusedError(f"{response.url} wants a login (status {status})")
    if status in (404, 410):
        raise RefusedError(f"nothing is at {response.url} (status {status})")
    if status >= 400 and status != 416:
        raise RefusedError(f"{response.url} answered {status} {response.reason}")


def _refuse_page(start: bytes, response: requests.Response) -> None:
    """Refuse a page where a file was expected: a notice, a form, a login that the request was sent on to."""
    if (title := web_page(start)) is None:
        return
    moved = f", to which {urlsplit(response.history[0].url).netloc} sent it on" if response.history else ""
    raise RefusedError(f"a page{title} came instead of a file, from {response.url}{moved}")


def _pieces(response: requests.Response, most: int) -> Iterator[bytes]:
    """The body, until it is larger than it may be."""
    came = 0
    for piece in response.iter_content(PIECE_BYTES):
        came += len(piece)
        if came > most:
            raise RefusedError(f"more than {most / 1e6:,.0f} MB came: not read on, see MOBIVILLE_LARGEST_FILE_MB")
        yield piece


@contextmanager
def opened_zip(path: Path, largest_mb: int) -> Iterator[zipfile.ZipFile]:
    """An archive that may be unpacked: whole, and no larger inside than it may be. Raises RefusedError."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            size = sum(info.file_size for info in members)
            packed = max(1, path.stat().st_size)
            if len(members) > MOST_MEMBERS or size > min(MOST_TIMES_LARGER * packed, largest_mb * 1_000_000):
                raise RefusedError(f"an archive of {len(members):,} members and {size / 1e6:,.0f} MB: not opened")
            if any(info.flag_bits & 1 for info in members):
                raise RefusedError("an archive with a password: not opened")
            damaged = archive.testzip()
            if damaged:
                raise RefusedError(f"a damaged archive: {damaged}")
            yield archive
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise RefusedError(f"no zip archive, or a damaged one ({error})") from error


def sha256_of(path: Path) -> str:
    """The sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
