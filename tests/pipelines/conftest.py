"""Running the `mobiville` command as a user does, in a process and a folder of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]


def run_in(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """`mobiville ARGUMENTS` in `folder`, with MOBIVILLE_* settings given by name."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MOBIVILLE_", "DAGSTER_"))}
    environment |= {f"MOBIVILLE_{name.upper()}": value for name, value in settings.items()}
    command = [str(Path(sys.executable).parent / "mobiville"), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def mobiville(tmp_path: Path) -> Command:
    """`mobiville` in an empty folder."""
    return lambda *arguments, **settings: run_in(tmp_path, *arguments, **settings)
