"""The sha256 of files, kept from one refresh to the next."""

import hashlib
import json
import os
import time
from pathlib import Path

import pytest

from resources.sources import files
from resources.sources.files import hashed, remember, sha256_of

YEAR_NS = 365 * 86400 * 10**9


@pytest.fixture(autouse=True)
def new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_hashed", {})
    monkeypatch.setattr(files, "_remembered", {})


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that was written long ago, as seen from now."""
    path = tmp_path / "file.csv"
    path.write_bytes(b"one")
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + YEAR_NS)
    return path


def restarted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what was hashed as a refresh does, and be another process."""
    kept = json.loads(json.dumps(hashed()))
    monkeypatch.setattr(files, "_hashed", {})
    remember(kept)


def test_a_file_as_it_was_is_not_read_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = sha256_of(path)
    restarted(monkeypatch)
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("read again"))
    assert sha256_of(path) == first


def test_another_file_of_the_same_size_and_time_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, stat = sha256_of(path), path.stat()
    restarted(monkeypatch)
    path.write_bytes(b"two")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_mtime_ns == stat.st_mtime_ns
    assert sha256_of(path) != first


def test_a_file_that_had_changed_a_moment_before_it_was_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(b"one")
    sha256_of(path)
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now + YEAR_NS)
    assert hashed() == [], "however late that is asked"


def test_what_is_not_asked_for_any_more_is_forgotten(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sha256_of(path)
    restarted(monkeypatch)
    assert hashed() == []
    sha256_of(path)
    assert [entry[0] for entry in hashed()] == [str(path)]
