"""`docs/adding-a-source.md`, followed to the letter on a copy of the tree, from nothing to a served table."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "adding-a-source.md"
PACKAGES = ("assets", "pipelines", "raw_data", "resources", "schedules", "warehouse")
STEP = re.compile(
    r"^(?P<what>Create|Add at the end of|Add to) `(?P<file>[^`]+)`(?:, above `(?P<above>[^`]+)`)?:\n\n"
    r"```\w+\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


def follow(tree: Path, *, without: str = "") -> list[str]:
    """Do what the page says in `tree`, but for the file `without`; the files it names."""
    files = []
    for step in STEP.finditer(PAGE.read_text(encoding="utf-8")):
        path, text = tree / step["file"], step["text"]
        files.append(step["file"])
        if step["file"] == without:
            continue
        if step["what"] == "Create":
            assert not path.exists()
            path.write_text(text, encoding="utf-8")
            continue
        old = path.read_text(encoding="utf-8")
        assert step["above"] is None or old.count(f"\n{step['above']}\n") == 1
        new = old.replace(f"\n{step['above']}\n", f"\n{text}{step['above']}\n") if step["above"] else old + text
        path.write_text(new, encoding="utf-8")
    return files


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what a refresh is made of."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def python(tree: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run code in the copy: `-c` puts its folder before all others."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MOBIVILLE_", "DAGSTER_"))}
    command = [sys.executable, "-W", "ignore", "-c", code, *arguments]
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)


def mobiville(tree: Path, *arguments: str) -> str:
    ran = python(tree, "from pipelines.cli import main; main()", *arguments)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


IN_THE_GRAPH = """
import dagster as dg
from pipelines.definitions import defs
from warehouse.database import connect
from warehouse.migrate import differences
graph = defs.resolve_asset_graph()
key = dg.AssetKey(["staged", "stations"])
parents = {parent.to_user_string() for parent in graph.get(key).parent_keys}
assert parents == {"raw/stations", "staged/cities", "staged/cog"}
assert graph.get(dg.AssetKey(["warehouse", "stations"])).parent_keys == {key}
assert differences(connect("sqlite:///var/warehouse.db")) == [], differences(connect("sqlite:///var/warehouse.db"))
"""


def test_the_page_leads_from_nothing_to_a_served_table(tree: Path) -> None:
    assert len(follow(tree)) == 5
    mobiville(tree, "migrate")
    looked = python(tree, IN_THE_GRAPH)
    assert looked.returncode == 0, looked.stderr
    mobiville(tree, "refresh")
    with sqlite3.connect(tree / "var" / "warehouse.db") as warehouse:
        served = warehouse.execute("SELECT id, uic, name, insee_com FROM stations ORDER BY id").fetchall()
        assert warehouse.execute("SELECT COUNT(*) FROM cities").fetchone()[0] > 0
    assert served == [
        (1, 87474007, "Brest", "29019"),
        (2, 87751008, "Marseille Saint-Charles", "13201"),
        (3, 87756056, "Nice", "06088"),
    ]
    status = json.loads(mobiville(tree, "status", "--json"))
    (stations,) = [table for table in status["tables"] if table["table"] == "stations"]
    assert (stations["rows"], stations["max_age_days"]) == (3, 400)
    files = [source["file_name"] for source in stations["sources"]]
    assert files == ["communes-cog-2026.json", "gares-de-voyageurs.csv"]  # its communes are in today's geography
    assert "\nnothing new" in mobiville(tree, "refresh")


@pytest.mark.parametrize(
    ("forgotten", "said"),
    [
        ("raw_data/sources.yaml", "assets.stations.stations reads stations, which raw_data/sources.yaml does not have"),
        ("assets/stations.py", "no import fills the table stations with stations: add the function stations"),
        ("warehouse/tables.py", "module 'warehouse.tables' has no attribute 'stations'"),
    ],
)
def test_a_step_that_is_forgotten_is_said(tree: Path, forgotten: str, said: str) -> None:
    assert forgotten in follow(tree, without=forgotten)
    loaded = python(tree, "import pipelines.definitions")
    assert loaded.returncode != 0
    assert said in loaded.stderr
