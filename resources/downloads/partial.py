"""The download of one official file: it resumes where it was interrupted, and is complete or an error."""

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

from resources.atomic_files import atomic_write
from resources.clients.http import CHUNK_BYTES, Http
from resources.errors import FetchError, RefusedError, TransientError
from resources.sources.decompression import MOST_TIMES_LARGER
from resources.sources.files import sha256_of
from resources.sources.sniffing import web_page

MOST_MEMBERS = 1_000
"""An archive with more members is not opened."""


@dataclass(frozen=True)
class Download:
    """A completed download."""

    path: Path
    sha256: str
    headers: dict[str, str]
    final_url: str


class Downloader:
    """The downloads of a run, into `folder`. `largest_mb`: the largest file that is accepted."""

    def __init__(self, http: Http, folder: Path, largest_mb: int) -> None:
        self._http = http
        self._folder = folder
        self._most_bytes = largest_mb * 1_000_000
        self._complete: dict[str, Download] = {}

    def headers(self, source_id: str, url: str, conditions: dict[str, str]) -> dict[str, str] | None:
        """The headers of the file at an address, without its body; None if the service says that it is not modified."""

        def attempt() -> dict[str, str] | None:
            with self._http.stream("GET", url, source_id, headers=conditions) as response:
                _refuse_status(response)
                return None if response.status_code == 304 else dict(response.headers)

        return self._http.with_retries(attempt)

    def fetch_small(self, source_id: str, url: str) -> bytes | None:
        """The contents of a small file; None if there is none (404)."""

        def attempt() -> bytes | None:
            started = time.monotonic()
            with self._http.stream("GET", url, source_id) as response:
                if response.status_code == 404:
                    return None
                _refuse_status(response)
                content = self._http.body(response, source_id, started)
                _refuse_html(content[:512], response)
                return content

        return self._http.with_retries(attempt)

    def fetch_file(self, source_id: str, url: str, conditions: dict[str, str]) -> Download | None:
        """The file at an address, downloaded once per run; None if the service says that it is not modified.

        Raises ServiceError if the download fails, RefusedError if it is not the file, FetchError if the disk is full.
        An incomplete download stays, and the next run resumes it.
        """
        if url not in self._complete:
            download = self._http.with_retries(lambda: self._download(source_id, url, conditions))
            if download is None:
                return None
            self._complete[url] = download
        return self._complete[url]

    def discard(self) -> None:
        """Delete the completed downloads; incomplete ones stay for the next run."""
        for download in self._complete.values():
            _PartialFile(download.path).delete()
        self._complete.clear()

    def _download(self, source_id: str, url: str, conditions: dict[str, str]) -> Download | None:
        """One try: resume the previous one, if the file is still the same (Range, If-Range)."""
        part = self._folder / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}.part"
        partial = _PartialFile(part)
        asked = {"Accept-Encoding": "identity", **(partial.conditions or conditions)}
        with self._http.stream("GET", url, source_id, headers=asked) as response:
            if response.status_code == 304:
                return None
            if response.status_code == 416:  # the file is complete, or it has changed and is shorter now
                if partial.is_complete(response):
                    return partial.completed()
                partial.delete()
                raise TransientError(f"{source_id}: the file has changed since the download was interrupted")
            _refuse_status(response)
            resumes = response.status_code == 206 and partial.resumes_with(response)
            total = partial.total(response, resumes)
            self._refuse_large(source_id, total)
            with part.open("ab" if resumes else "wb") as file:
                if not resumes:  # after the file was emptied: a kill never leaves a part beside another version's note
                    partial.note(response)
                self._write(file, response, source_id, total)
        if total is not None and part.stat().st_size != total:
            raise TransientError(f"{source_id}: {part.stat().st_size:,} of {total:,} bytes arrived")
        return partial.completed()

    def _write(self, file: IO[bytes], response: requests.Response, source_id: str, total: int | None) -> None:
        start = file.tell()
        bar = tqdm(total=total, initial=start, desc=source_id, unit="B", unit_scale=True, disable=None)
        with bar:
            for chunk in _chunks(response, self._most_bytes - start):
                if not file.tell():
                    _refuse_html(chunk[:512], response)
                try:
                    file.write(chunk)
                except OSError as error:
                    raise FetchError(
                        f"{file.name}: {error.strerror}: free some disk space; the next run resumes the download"
                    ) from error
                bar.update(len(chunk))

    def _refuse_large(self, source_id: str, total: int | None) -> None:
        if total is None:
            return
        if total > self._most_bytes:
            raise RefusedError(f"{total / 1e6:,.0f} MB, more than MOBIVILLE_LARGEST_FILE_MB allows: not downloaded")
        free = shutil.disk_usage(self._folder).free
        if total > free:
            raise FetchError(
                f"{source_id} has {total / 1e6:,.0f} MB, but only {free / 1e6:,.0f} MB are free: free some disk space"
            )


class _PartialFile:
    """An incomplete download, and the note beside it (JSON) that says which version of the file it belongs to."""

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
        """Headers that request the rest if the file is still the same; {} if the service gives no way to tell."""
        tag = self._known.get("headers", {}).get("ETag", "")
        validator = tag if tag and not tag.startswith("W/") else self._known.get("headers", {}).get("Last-Modified")
        return {"Range": f"bytes={self._size}-", "If-Range": validator} if self._size and validator else {}

    def resumes_with(self, response: requests.Response) -> bool:
        """True if a partial response starts where this ends. Raises TransientError otherwise."""
        match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
        if match and int(match[1]) == self._size:
            return True
        self.delete()
        raise TransientError("the service sent another range than was requested")

    def is_complete(self, response: requests.Response) -> bool:
        """Whether this is the complete file, by the size that the 416 response gives."""
        return response.headers.get("Content-Range") == f"bytes */{self._size}" and self._size > 0

    def total(self, response: requests.Response, resumes: bool) -> int | None:
        """The size of the complete file in bytes, if the response gives it."""
        length = response.headers.get("Content-Length")
        if length is None or "Content-Encoding" in response.headers:
            return None
        return int(length) + (self._size if resumes else 0)

    def note(self, response: requests.Response) -> None:
        """Write down which version of the file is being downloaded."""
        headers = {name: value for name, value in response.headers.items() if name.lower() != "set-cookie"}
        self._known = {"final_url": response.url, "headers": headers}
        with atomic_write(self._note) as file:
            file.write(json.dumps(self._known).encode())

    def delete(self) -> None:
        """Delete the download and its note: the next try starts from the beginning."""
        self._part.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def completed(self) -> Download:
        """The completed download."""
        return Download(self._part, sha256_of(self._part), self._known["headers"], self._known["final_url"])


def _refuse_status(response: requests.Response) -> None:
    status = response.status_code
    if status in (401, 403):
        raise RefusedError(f"{response.url} requires a login (status {status})")
    if status in (404, 410):
        raise RefusedError(f"{response.url} does not exist (status {status})")
    if status >= 400 and status != 416:
        raise RefusedError(f"{response.url} answered {status} {response.reason}")


def _refuse_html(start: bytes, response: requests.Response) -> None:
    """Refuse an HTML page instead of a file: a notice, a form, a login page that the request was redirected to."""
    if (title := web_page(start)) is None:
        return
    moved = f", to which {urlsplit(response.history[0].url).netloc} redirects" if response.history else ""
    raise RefusedError(f"{response.url} is an HTML page{title} instead of a file{moved}")


def _chunks(response: requests.Response, most: int) -> Iterator[bytes]:
    """The body in chunks. Raises RefusedError once it is larger than `most` bytes."""
    size = 0
    for chunk in response.iter_content(CHUNK_BYTES):
        size += len(chunk)
        if size > most:
            raise RefusedError(
                f"more than {most / 1e6:,.0f} MB arrived, more than MOBIVILLE_LARGEST_FILE_MB allows: stopped"
            )
        yield chunk


@contextmanager
def open_zip(path: Path, largest_mb: int) -> Iterator[zipfile.ZipFile]:
    """Open a zip archive that is intact and unpacks to an accepted size. Raises RefusedError."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            size = sum(info.file_size for info in members)
            packed = max(1, path.stat().st_size)
            if len(members) > MOST_MEMBERS or size > min(MOST_TIMES_LARGER * packed, largest_mb * 1_000_000):
                raise RefusedError(f"an archive of {len(members):,} members, {size / 1e6:,.0f} MB unpacked: not opened")
            if any(info.flag_bits & 1 for info in members):
                raise RefusedError("an archive with a password cannot be opened")
            damaged = archive.testzip()
            if damaged:
                raise RefusedError(f"the archive's member {damaged} is damaged")
            yield archive
    except (zipfile.BadZipFile, NotImplementedError, EOFError) as error:
        raise RefusedError(f"not a zip archive, or a damaged one ({error})") from error
