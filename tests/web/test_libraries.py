"""What is committed of the libraries is what the lock says, and nothing else."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

WEB = ROOT / "web"


def test_the_bundle_is_made_from_the_lock(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if not npm:
        message = "npm is not installed: the page works without, but its libraries cannot be bundled anew"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    for name in ("package.json", "package-lock.json", ".npmrc", "libraries.mjs"):
        shutil.copy(WEB / name, tmp_path)
    (tmp_path / "page").mkdir()
    for arguments in (["ci", "--ignore-scripts", "--no-audit", "--no-fund"], ["run", "build"]):
        subprocess.run([npm, *arguments], cwd=tmp_path, check=True, capture_output=True)
    for name in ("libraries.js", "libraries.licences.txt"):
        made, kept = (folder / "page" / name for folder in (tmp_path, WEB))
        assert made.read_bytes() == kept.read_bytes(), f"{name} is not what the lock makes: make page"


def test_the_lock_names_no_host() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))
    used = {"accessible-autocomplete", "d3-geo", "d3-selection", "d3-zoom", "lit-html", "topojson-client"}
    assert lock["packages"][""]["dependencies"].keys() == used
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
