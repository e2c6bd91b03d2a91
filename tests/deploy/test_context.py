"""What Docker is sent to build the image, and what git takes: never a secret. Docker's own client judges the first."""

import subprocess
import tomllib
from pathlib import Path

import pytest
from docker.utils.build import exclude_paths

from tests.conftest import ROOT

SECRETS = [".env", ".env.production", "deploy/.env", "deploy/dagster/.env", "api/.env.old", "web/page/.env"]
OTHERS = ["var/warehouse.db", "files/current/bpe.csv", ".git/credentials", ".venv/bin/pip", "tls/key.pem", "dump.sql"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (".dockerignore", ".gitignore"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    for name in [*SECRETS, *OTHERS]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("MOBIVILLE_DB_PASSWORD=planted")
    return tmp_path


def _context(folder: Path) -> set[str]:
    patterns = (ROOT / ".dockerignore").read_text().splitlines()
    return set(exclude_paths(str(folder), [line for line in patterns if line and not line.startswith("#")]))


def test_no_secret_and_nothing_else_that_lies_about_is_in_the_image(folder: Path) -> None:
    sent = {name for name in _context(folder) if (folder / name).is_file()}
    assert not sent & {*SECRETS, *OTHERS}


def test_the_image_has_every_package_and_what_it_is_installed_from() -> None:
    context = _context(ROOT)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    for package in packages:
        tracked = {
            str(path.relative_to(ROOT))
            for path in (ROOT / package).rglob("*")
            if path.is_file() and not {"__pycache__", "node_modules"} & set(path.parts)
        }
        assert tracked
        assert tracked <= context
    needed = {"pyproject.toml", "README.md", "LICENSE", "alembic.ini", "deploy/dagster/dagster.yaml"}
    assert needed | {"requirements.txt", "requirements-dev.txt"} <= context


def test_git_takes_no_secret(folder: Path) -> None:
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    answer = subprocess.run(
        ["git", "-C", str(folder), "check-ignore", *SECRETS, "tls/key.pem"], capture_output=True, text=True
    )
    assert set(answer.stdout.split()) == {*SECRETS, "tls/key.pem"}
