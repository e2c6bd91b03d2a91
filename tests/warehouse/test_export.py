"""The served release as files: whole, described, and of one release; what did not change is not written again."""

import hashlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, Table

from tests.warehouse.factories import contents, done, jobs, regions
from warehouse import tables
from warehouse.contents import read_contents
from warehouse.datapackage import Catalogue, latest, packages
from warehouse.errors import WarehouseError
from warehouse.export import export
from warehouse.lock import check_lock
from warehouse.release import rollback

DUMP = {
    "title": "Offres",
    "publisher": "France Travail",
    "licence": "Licence Ouverte 2.0",
    "landing_page": "https://example.org/",
}
CATALOGUE = Catalogue({"offers_dump": DUMP, "cog": DUMP}, lambda digests: False)


def exported(engine: Engine, folder: Path, keep: int = 1) -> Path:
    return export(engine, folder, CATALOGUE, keep=keep)


def package_of(folder: Path) -> dict[str, Any]:
    package: dict[str, Any] = json.loads((folder / "datapackage.json").read_text())
    return package


def csv_of(folder: Path, name: str) -> list[str]:
    return (folder / f"{name}.csv").read_text(encoding="utf-8").splitlines()


def test_every_table_is_there_twice_with_its_description_and_its_sum(warehouse: Engine, tmp_path: Path) -> None:
    done(warehouse, jobs(tmp_path, 7), regions(tmp_path, 28))
    folder = exported(warehouse, tmp_path / "exports")
    assert folder == tmp_path / "exports" / "1"
    lines = [f'"0000{n}";"A1101";7' for n in range(3)]
    assert csv_of(folder, "cities_jobs") == ['"insee_code";"rome_id";"number"', *lines]
    assert pq.read_table(folder / "cities_jobs.parquet").to_pylist() == [
        {"insee_code": f"0000{n}", "rome_id": "A1101", "number": 7} for n in range(3)
    ]
    package = package_of(folder)
    assert (package["version"], package["licenses"]) == ("1", [{"title": "Licence Ouverte 2.0", "name": "etalab-2.0"}])
    files = {file["path"]: file for file in package["resources"]}
    assert set(files) == {f"{name}.{kind}" for name in ("cities_jobs", "new_regions") for kind in ("csv", "parquet")}
    for name, file in files.items():
        content = (folder / name).read_bytes()
        assert (file["bytes"], file["hash"]) == (len(content), f"sha256:{hashlib.sha256(content).hexdigest()}")
    described = files["cities_jobs.csv"]
    assert (described["encoding"], described["rows"], described["schema"]["primaryKey"]) == (
        "utf-8",
        3,
        ["insee_code", "rome_id"],
    )
    assert described["sources"] == [
        {"title": "Offres", "path": "https://example.org/", "publisher": "France Travail"}
        | {"licence": "Licence Ouverte 2.0", "version": "20211221"}
    ]
    assert described["schema"]["fields"][2] == {
        "name": "number",
        "type": "integer",
        "description": "offers: the sum over the dump's rows, number",
        "unit": "number",
        "example": 7,
        "constraints": {"required": True, "minimum": 1, "maximum": 1_000_000},
        "sources": ["offers_dump.number"],
        "nulls": 0,
    }
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, check=True, capture_output=True)
    assert len((folder / "SHA256SUMS").read_text().splitlines()) == len(files) + 1


def test_values_of_every_kind_are_read_as_they_were(warehouse: Engine, tmp_path: Path) -> None:
    odd = ["'", "\\", '"', "a\nb\tc\r;", "é😀", None]
    aids = contents(tmp_path, tables.helps, [{"title": v, "slug": str(n), "count_vue": n} for n, v in enumerate(odd)])
    week = {"week": date(2021, 12, 20), "code_region": 1, "rome_id": "A1101", "number": 3, "days": 1}
    rows = pq.read_table(aids.parts[0])
    history = contents(tmp_path, tables.offers_history, [week])
    done(warehouse, aids, history, contents(tmp_path, tables.equipments, []))
    folder = exported(warehouse, tmp_path / "exports")
    assert pq.read_table(folder / "helps.parquet").equals(rows)
    options = pacsv.ConvertOptions(column_types=rows.schema, strings_can_be_null=True)
    parse = pacsv.ParseOptions(delimiter=";", newlines_in_values=True)
    read = pacsv.read_csv(folder / "helps.csv", parse_options=parse, convert_options=options)
    assert read.to_pylist() == rows.to_pylist()
    assert csv_of(folder, "offers_history")[1] == '2021-12-20;1;"A1101";3;1'
    assert csv_of(folder, "equipments") == ['"depcom";"typequ";"total"']
    fields = next(f for f in package_of(folder)["resources"] if f["path"] == "helps.csv")["schema"]["fields"]
    title = next(field for field in fields if field["name"] == "title")
    assert (title["nulls"], title["example"]) == (1, "'")


def test_what_did_not_change_is_linked_and_nothing_new_writes_nothing(warehouse: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    done(warehouse, jobs(tmp_path, 7), regions(tmp_path, 28))
    first = exported(warehouse, folder)
    before = {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}
    assert exported(warehouse, folder) == first
    assert {path: path.lstat().st_mtime_ns for path in folder.rglob("*")} == before
    done(warehouse, jobs(tmp_path, 8), regions(tmp_path, 28))
    second = exported(warehouse, folder)
    assert (folder / "latest").resolve() == second
    for kind in ("csv", "parquet"):
        assert (second / f"new_regions.{kind}").samefile(first / f"new_regions.{kind}")
        assert not (second / f"cities_jobs.{kind}").samefile(first / f"cities_jobs.{kind}")
    inode = (first / "cities_jobs.csv").stat().st_ino
    rollback(warehouse, None, keep=1)
    third = exported(warehouse, folder)
    assert (third / "cities_jobs.csv").stat().st_ino == inode
    assert (folder / "latest").resolve() == third
    assert list(packages(folder)) == [3, 2]


def test_what_several_releases_have_is_linked_too(warehouse: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    for number in (1, 2, 3):
        done(warehouse, jobs(tmp_path, number), regions(tmp_path, 28))
        written: list[str] = []
        export(warehouse, folder, CATALOGUE, keep=1, progress=written.append)
    assert written == ["writing cities_jobs"]
    assert (folder / "3" / "new_regions.csv").samefile(folder / "2" / "new_regions.csv")


def test_releases_that_are_no_longer_kept_go_and_nothing_else(warehouse: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    (folder / "2024").mkdir(parents=True)
    (folder / "2024" / "mine").touch()
    for number in (1, 2, 3):
        done(warehouse, jobs(tmp_path, number))
        exported(warehouse, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["2", "2024", "3", "latest"]
    assert list(packages(folder)) == [3, 2]


def test_what_a_killed_export_left_is_made_anew(warehouse: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    done(warehouse, jobs(tmp_path, 1))
    (folder / ".1.partial").mkdir(parents=True)
    (folder / ".1.partial" / "cities_jobs.csv").write_text("half")
    (folder / ".latest").symlink_to("gone")
    assert csv_of(exported(warehouse, folder), "cities_jobs")[1].endswith("1")
    assert sorted(path.name for path in folder.iterdir()) == ["1", "latest"]


def test_a_package_in_pieces_is_written_again(warehouse: Engine, tmp_path: Path) -> None:
    done(warehouse, jobs(tmp_path, 1))
    file = exported(warehouse, tmp_path / "exports") / "datapackage.json"
    whole = file.read_text()
    file.write_text(whole[:100])
    assert latest(tmp_path / "exports") is None
    exported(warehouse, tmp_path / "exports")
    assert file.read_text() == whole


def test_a_folder_of_another_warehouse_is_replaced(warehouse: Engine, tmp_path: Path) -> None:
    done(warehouse, jobs(tmp_path, 1))
    folder = exported(warehouse, tmp_path / "exports")
    package = package_of(folder)
    changed = package | {"created": "2020-01-01T00:00:00Z", "resources": []}
    (folder / "datapackage.json").write_text(json.dumps(changed))
    exported(warehouse, tmp_path / "exports")
    assert package_of(folder) == package


def test_files_are_of_one_release(warehouse: Engine, tmp_path: Path) -> None:
    """Nobody publishes while they are written."""
    done(warehouse, jobs(tmp_path, 1))
    held = []

    def progress(_words: str) -> None:
        check_lock(warehouse)
        held.append(True)

    export(warehouse, tmp_path / "exports", CATALOGUE, keep=1, progress=progress)
    assert held


@pytest.mark.parametrize("harm", ["DELETE FROM cities_jobs WHERE id = 2", ""])
def test_what_cannot_be_exported_is_said_and_the_latest_stays(warehouse: Engine, tmp_path: Path, harm: str) -> None:
    folder = tmp_path / "exports"
    with pytest.raises(WarehouseError, match="no release is served yet: there is nothing to export"):
        exported(warehouse, folder)
    done(warehouse, jobs(tmp_path, 1))
    exported(warehouse, folder)
    done(warehouse, jobs(tmp_path, 2))
    if harm:
        with warehouse.begin() as connection:
            connection.exec_driver_sql(harm)
        with pytest.raises(WarehouseError, match="cities_jobs has 2 rows, the record says 3"):
            exported(warehouse, folder)
    else:
        (folder / ".2.partial").write_text("in the way")
        with pytest.raises(WarehouseError, match=r"release 2 could not be written to .* MOBIVILLE_EXPORTS"):
            exported(warehouse, folder)
    assert (folder / "latest").resolve().name == "1"


@pytest.mark.parametrize("staged", ["as it is served", "other rows", "damaged", "lost"])
def test_what_is_staged_is_written_where_it_is_what_is_served(
    staged: str, warehouse: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = replace(jobs(tmp_path, 7), fingerprint="a")
    done(warehouse, served)
    (path,) = served.parts
    if staged == "other rows":
        path.write_bytes(Path(str(jobs(tmp_path, 8).parts[0])).read_bytes())
    elif staged == "damaged":
        path.write_bytes(path.read_bytes()[:-100])
    elif staged == "lost":
        path.unlink()
    read: list[str] = []

    def noted(engine: Engine, table: Table) -> Iterator[pa.RecordBatch]:
        read.append(table.name)
        return read_contents(engine, table)

    monkeypatch.setattr("warehouse.export.read_contents", noted)
    folder = export(warehouse, tmp_path / "exports", CATALOGUE, keep=1, staged=[served])
    assert csv_of(folder, "cities_jobs")[1:] == [f'"0000{n}";"A1101";7' for n in range(3)]
    assert pq.read_table(folder / "cities_jobs.parquet")["number"].to_pylist() == [7, 7, 7]
    assert read == ([] if staged == "as it is served" else ["cities_jobs"])
