"""The files to download, as a refresh and `mobiville export` write them."""

import json
from pathlib import Path
from typing import Any

import frictionless

from tests.pipelines.conftest import Command, changed, last_release
from warehouse import tables
from warehouse.datapackage import packages


def everything(folder: Path) -> dict[Path, tuple[int, int]]:
    return {path: (path.lstat().st_ino, path.lstat().st_mtime_ns) for path in folder.rglob("*")}


def test_a_refresh_writes_what_it_publishes_and_nothing_when_nothing_is_new(
    mobiville: Command, sample: Path, tmp_path: Path
) -> None:
    files, folder = str(sample), tmp_path / "var" / "exports"
    first = mobiville("refresh", raw_data=files)
    assert first.returncode == 0, first.stderr
    assert "  writing cities\n" in first.stdout
    before = everything(folder)
    assert mobiville("refresh", raw_data=files).stdout.endswith("\nnothing new: release 1 stays as it is\n")
    assert everything(folder) == before
    changed(sample)
    second = mobiville("refresh", raw_data=files).stdout
    assert [line for line in second.splitlines() if line.startswith("  writing")] == ["  writing helps"]
    assert (folder / "latest").readlink() == Path("2")
    assert '"X ' in (folder / "latest" / "helps.csv").read_text(encoding="utf-8")
    assert mobiville("rollback").returncode == 0
    assert (folder / "latest").readlink() == Path("3")
    assert '"X ' not in (folder / "latest" / "helps.csv").read_text(encoding="utf-8")
    assert list(packages(folder)) == [3, 2]


def test_the_package_is_valid_and_holds_every_table(mobiville: Command, tmp_path: Path) -> None:
    assert mobiville("refresh").returncode == 0
    folder = tmp_path / "var" / "exports" / "latest"
    described = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    assert described["title"] == "Mobiville : données d’essai, inventées"
    assert {file["table"] for file in described["resources"]} == set(tables.metadata.tables)
    assert all({"publisher", "licence"} <= of.keys() for file in described["resources"] for of in file["sources"])
    assert frictionless.Package.validate_descriptor(str(folder / "datapackage.json")).valid
    package: Any = frictionless.Package(str(folder / "datapackage.json"))
    package.resources = [file for file in package.resources if file.format == "csv"]  # Parquet is read elsewhere
    report = package.validate()
    assert report.flatten(["title", "rowNumber", "fieldName", "type", "note"]) == []
    assert sum(task.stats["rows"] for task in report.tasks) == sum(
        file["rows"] for file in described["resources"] if file["format"] == "csv"
    )


def test_files_that_cannot_be_written_are_exit_code_3_and_the_next_refresh_writes_them(
    mobiville: Command, tmp_path: Path
) -> None:
    folder = tmp_path / "var" / "exports"
    folder.parent.mkdir()
    folder.touch()
    failed = mobiville("refresh")
    assert failed.returncode == 3
    assert "Release 1 is published, but something after it failed." in failed.stderr
    assert "Error in downloads: the files of release 1 could not be written to var/exports: " in failed.stderr
    assert "Traceback" not in failed.stderr
    assert last_release(mobiville) == 1
    folder.unlink()
    again = mobiville("refresh", "--sample", "--allow-shrink", "helps")  # nothing is to be published
    assert again.returncode == 0, again.stderr
    assert "loading" not in again.stdout
    assert (folder / "latest" / "cities.parquet").exists()


def test_one_writes_them_where_one_wants(mobiville: Command, tmp_path: Path) -> None:
    early = mobiville("export")
    assert early.returncode == 1
    assert early.stderr == "Error: no release is served yet: there is nothing to export\n"
    assert mobiville("refresh", "--only", "helps").returncode == 0
    said = mobiville("export", "--to", "mine")
    assert said.stdout == "writing helps\nmine/1\n"
    made = json.loads(mobiville("export", "--to", "mine", "--json").stdout)
    assert (made["release"], made["folder"]) == (1, "mine/1")
    assert [file["path"] for file in made["files"]] == ["helps.csv", "helps.parquet"]
    for file in made["files"]:
        assert file["bytes"] == (tmp_path / "mine" / "1" / file["path"]).stat().st_size
