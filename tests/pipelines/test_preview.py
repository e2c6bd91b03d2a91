"""What a refresh would change, said before it does: nothing of it stays."""

import bz2
import csv
import io
import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, inspect, text
from upath import UPath

import raw_data
from assets.common.staleness import named, whole
from assets.common.trial import Trial
from assets.warehouse import contents_of
from pipelines.cli import main
from pipelines.preview import preview_refresh
from resources.settings import Settings
from resources.staging import Staging
from tests.warehouse.factories import contents, done
from warehouse import preview as previewing
from warehouse import tables
from warehouse.diff import Change
from warehouse.preview import CriteriaChange, Difference, preview
from warehouse.release import publish, rollback


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A staging area of the sample, made once."""
    folder = tmp_path_factory.mktemp("staged")
    trial = Trial(Settings(staging=UPath(folder), cache=folder))
    failed, _ = trial.run(named(trial.graph, ()).staged)
    assert not failed
    return folder


@pytest.fixture
def served(staged: Path, warehouse: Engine, warehouse_url: str, tmp_path: Path) -> Settings:
    """The sample, staged and served; with a copy of its files."""
    publish(warehouse, contents_of(Staging(folder=str(staged)), sorted(tables.metadata.tables)))
    shutil.copytree(raw_data.SAMPLE, tmp_path / "files")
    shutil.copytree(staged, tmp_path / "staging")
    return Settings(
        raw_data=tmp_path / "files",
        staging=UPath(tmp_path / "staging"),
        cache=tmp_path / "cache",
        warehouse_url=warehouse_url,
    )


def everything(engine: Engine, staging: Path) -> dict[str, Any]:
    """Every row of every table, the record's too, and every byte of the staging area."""
    with engine.connect() as connection:
        rows = {
            name: sorted(map(str, connection.execute(text(f"SELECT * FROM {name}"))))
            for name in inspect(engine).get_table_names()
        }
    return rows | {str(path): path.read_bytes() for path in staging.rglob("*") if path.is_file()}


def offers(dump: str) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for row in csv.DictReader(io.StringIO(dump), delimiter=";"):
        if row["commune"] not in ("", "null"):
            found[row["commune"].zfill(5), row["dc_rome_id"]] += int(row["nb_offre"])
    return found


def with_another_dump(settings: Settings) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    """Put a newer dump beside that which is served; the offers in both."""
    (newest,) = (raw_data.SAMPLE / "datalake").glob("20211221*")
    header, *lines = bz2.decompress(newest.read_bytes()).decode().splitlines()
    old = "\n".join([header, *lines])
    placed = [line for line in lines if re.match(r'"?\d', line)]
    more = {line: re.sub(r";(\d+);", lambda n: f";{int(n[1]) + 5};", line) for line in placed[10:50]}
    kept = [more.get(line, line) for line in lines if line not in placed[:7]]
    new = "\n".join([header, *kept, "31555;A9997;3;2021-12-22", "31555;A9998;4;2021-12-22"])
    (settings.raw_data / "datalake" / newest.name.replace("20211221", "20211222")).write_bytes(
        bz2.compress(new.encode())
    )
    return offers(old), offers(new)


def test_the_rows_that_a_new_dump_would_bring_are_said_and_nothing_changes(served: Settings, warehouse: Engine) -> None:
    old, new = with_another_dump(served)
    before = everything(warehouse, Path(str(served.staging)))
    found = preview_refresh(served, warehouse, lambda _: None)
    assert everything(warehouse, Path(str(served.staging))) == before
    assert list(found.difference.tables) == ["cities_jobs", "offers_history"]
    changes = found.difference.tables["cities_jobs"]
    changed = sorted(pair for pair in old.keys() & new.keys() if old[pair] != new[pair])
    assert {kind: change.rows for kind, change in changes.items()} == {
        "added": len(new.keys() - old.keys()),
        "removed": len(old.keys() - new.keys()),
        "changed": len(changed),
    }
    assert changes["removed"].first == [
        {"insee_code": code, "rome_id": rome} for code, rome in sorted(old.keys() - new.keys())[:3]
    ]
    assert changes["changed"].first == [
        {"insee_code": code, "rome_id": rome, "columns": {"number": [old[code, rome], new[code, rome]]}}
        for code, rome in changed[:3]
    ]
    assert found.difference.criteria == []
    assert any("the ROME is in the referential: " in words for words in found.warnings)
    assert [words for words in found.refused if "are the bundled sample" not in words] == []  # MariaDB refuses it


def test_a_refresh_that_would_be_refused_is_said_with_the_reasons(
    served: Settings, warehouse: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(served.raw_data, tmp_path / "fetched"))
    for name in ("staging", "cache", "warehouse_url"):
        monkeypatch.setenv(f"MOBIVILLE_{name.upper()}", str(getattr(served, name)))
    (dump,) = (folder / "datalake").glob("20211221*")
    lines = bz2.decompress(dump.read_bytes()).splitlines(keepends=True)
    dump.with_name(dump.name.replace("20211221", "20211222")).write_bytes(
        bz2.compress(b"".join(lines[: len(lines) // 2]))
    )
    before = everything(warehouse, Path(str(served.staging)))
    ran = CliRunner().invoke(main, ["preview", "--raw-data", str(folder)])
    assert ran.exit_code == 1, ran.output
    for said in ("cities_jobs", "0 added", "REFUSED: cities_jobs would have", "refresh --allow-shrink cities_jobs"):
        assert said in ran.output
    tensions = folder / "cities-tension-utf8.csv"
    tensions.write_bytes(re.sub(rb";\d(\r?\n)", rb";9\1", tensions.read_bytes()))
    ran = CliRunner().invoke(main, ["preview", "--raw-data", str(folder), "--json"])
    assert ran.exit_code == 1
    found = json.loads(ran.stdout)
    assert found["difference"] == {"tables": {}, "criteria": []}
    assert found["refused"][0].startswith("tensions: ind_t is from 1 to 5: 5,410 rows")
    assert everything(warehouse, Path(str(served.staging))) == before


def region(code: int, name: str, **romes: list[str]) -> dict[str, Any]:
    return {"id": str(code), "label": name, "romes": {rome: {"criterions": keys} for rome, keys in romes.items()}}


def silent(_message: str) -> None:
    """Progress that nobody hears."""


def test_criteria_gained_and_lost_are_said_by_region_and_trade(
    warehouse: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tables.regions_tensions_criterions
    old = [region(53, "Bretagne", A1101=["side-sea", "campagne"], A1201=["campagne"]), region(76, "Occitanie")]
    new = [region(53, "Bretagne", A1101=["campagne", "big-city"]), region(76, "Occitanie", A1201=["mountain"])]
    versions = [contents(tmp_path, table, [{"json": json.dumps(regions)}]) for regions in (old, new)]
    done(warehouse, versions[0])
    names = set(inspect(warehouse).get_table_names())
    found = preview(warehouse, versions[1:], first=3, progress=silent)
    assert found.criteria == [
        CriteriaChange("Bretagne", "A1101", ["big-city"], ["side-sea"]),
        CriteriaChange("Bretagne", "A1201", [], ["campagne"]),
        CriteriaChange("Occitanie", "A1201", ["mountain"], []),
    ]
    assert found.tables[table.name]["changed"].rows == 1
    assert set(inspect(warehouse).get_table_names()) == names
    assert preview(warehouse, versions[:1], first=3, progress=silent) == Difference({}, [])


def test_what_is_not_served_yet_comes_whole_and_a_killed_preview_harms_no_refresh(
    warehouse: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"code": code, "name": "é", "average_delay_obtain_social_housing": None} for code in (1, 2)]
    version = contents(tmp_path, tables.new_regions, rows)
    with monkeypatch.context() as killed:
        killed.setattr(previewing, "drop_tables", lambda *_: None)
        found = preview(warehouse, [version], first=1, progress=silent)
    assert found.tables == {
        "new_regions": {"added": Change(2, [{"code": 1}]), "removed": Change(0, []), "changed": Change(0, [])}
    }
    assert inspect(warehouse).has_table("new_regions__next")
    done(warehouse, version)
    assert not [name for name in inspect(warehouse).get_table_names() if re.search("__(next|old)$", name)]
    accents = contents(tmp_path, tables.new_regions, [rows[0], rows[1] | {"name": "E"}])
    found = preview(warehouse, [accents], first=1, progress=silent)
    assert found.tables["new_regions"]["changed"] == Change(1, [{"code": 2, "columns": {"name": ["é", "E"]}}])


COG = "communes-cog-2026.json"
MERGED, NEW = {"12076", "65188"}, {"12218", "65192", "55138", "76095", "97501", "97701"}
"""Communes of the sample's communes file that are in others now, and those that it lacks."""
SHOWN = {
    "cities": "insee_com, nom_comm, name, superficie, total_social_housing",
    "bassins": "code_commune_insee, bassin_id",
    "cities_jobs": "insee_code, rome_id, number",
    "equipments": "depcom, typequ, total",
    "former_communes": "code, name, current_code",
    "offers_history": "week, code_region, rome_id, number, days",
}


def of_communes(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """What is said of communes, without numbers that the database gives."""
    with engine.connect() as connection:
        asked = {name: connection.execute(text(f"SELECT {columns} FROM {name}")) for name, columns in SHOWN.items()}
        return {name: sorted(tuple(row) for row in rows) for name, rows in asked.items()}


def stage_and_publish(settings: Settings, engine: Engine) -> None:
    """A release of the files as they are."""
    trial = Trial(settings)
    failed, _ = trial.run(whole(trial.graph, settings).staged)
    assert not failed
    publish(engine, contents_of(Staging(folder=str(settings.staging)), sorted(tables.metadata.tables)))


@pytest.mark.parametrize("warehouse_url", ["sqlite"], indirect=True)
def test_another_geography_is_previewed_taken_in_and_taken_back(
    served: Settings, warehouse: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOBIVILLE_WAREHOUSE_URL", served.warehouse_url)
    (served.raw_data / COG).unlink()
    stage_and_publish(served, warehouse)
    before = of_communes(warehouse)
    assert "Geography: communes 2015\n" in CliRunner().invoke(main, ["status"]).stdout
    shutil.copy(raw_data.SAMPLE / COG, served.raw_data)
    found = preview_refresh(served, warehouse, silent)
    assert (found.refused, of_communes(warehouse)) == ([], before)

    stage_and_publish(served, warehouse)
    after = of_communes(warehouse)
    for name, key in {"cities": 1, "bassins": 1, "cities_jobs": 2, "equipments": 2, "former_communes": 1}.items():
        old, new = ({row[:key] for row in rows[name]} for rows in (before, after))
        said = found.difference.tables.get(name, {"added": Change(0, []), "removed": Change(0, [])})
        assert (said["added"].rows, said["removed"].rows) == (len(new - old), len(old - new)), name
    codes = [{row[0] for row in rows["cities"]} for rows in (before, after)]
    assert (codes[0] - codes[1], codes[1] - codes[0]) == (MERGED, NEW)
    former = {code: (name, current) for code, name, current in after["former_communes"]}
    assert former["01091"] == ("Châtillon-en-Michaille", "01033")
    assert former["01018"] == (None, "01033")
    assert former["69232"] == (None, "69123")
    for name in ("cities_jobs", "equipments"):
        assert sum(row[2] for row in before[name]) == sum(row[2] for row in after[name])
    assert json.loads(CliRunner().invoke(main, ["status", "--json"]).stdout)["geography"] == "COG 2026"

    rollback(warehouse, None, keep=2)
    assert of_communes(warehouse) == before
    assert json.loads(CliRunner().invoke(main, ["status", "--json"]).stdout)["geography"] == "communes 2015"
