"""What the tests of outside services have in common: a service, and settings that point every client at it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.settings import Settings
from tests.services import Service, addresses, service

QUICK = {"http_timeout": 0.4, "http_deadline": 1.5, "http_tries": 3, "contact": "data@example.org"}


@pytest.fixture
def outside() -> Iterator[Service]:
    """A service that answers 404 to all that is not scripted."""
    with service() as running:
        yield running


@pytest.fixture
def settings(outside: Service, tmp_path: Path) -> Settings:
    """Settings under which every client asks the service, and nobody else."""
    return settings_for(outside, tmp_path)


def settings_for(outside: Service, folder: Path) -> Settings:
    folders = {"raw_data": folder / "raw", "downloads": folder / "downloads", "cache": folder / "cache"}
    return Settings.model_validate(addresses(outside) | QUICK | folders)
