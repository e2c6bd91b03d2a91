"""Later vintages of the files: other columns, other codes, decimals where integers were."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

import raw_data
from tests.pipelines.conftest import Command


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def write(path: Path, made: list[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(made[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(made)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The sample, with the tensions, departements and rents of big cities as they are laid out since 2021."""
    folder = Path(shutil.copytree(raw_data.SAMPLE, tmp_path / "files"))
    tensions = folder / "cities-tension-utf8.csv"
    factors = ("ind_int_emb_d", "ind_specif_form_empl_d", "ind_main_oeuvre_dispo_d")
    write(
        tensions,
        [
            {
                "annee": "2021",
                "ROME": row["ROME"],
                "cbassin": row["cbassin"].zfill(4),
                "oee": "16,61538462",
                "defm_abc": row["defm_abc"],
                "ind_tension_d": row["ind_tension_d"],
                **dict.fromkeys(factors, ""),
            }
            for row in rows(tensions)
        ],
    )
    departements = folder / "departements.csv"
    overseas = {"971": "1", "972": "2", "973": "3", "974": "4", "976": "6"}
    write(
        departements,
        [
            {
                "code": overseas.get(row["code"], row["code"].zfill(2)),
                "name": row["name"],
                "code_region": "",
                "rent_m2": "12.5",
                "buy_m2": "",
                "population": "1000",
                "superficie": "10",
            }
            for row in rows(departements)
        ],
    )
    rents = folder / "cities_rent.csv"
    write(
        rents, [row | {"rent_t2": f"{row['rent_t2']}.25", "rent_m2": "20.1", "buy_m2": "9000"} for row in rows(rents)]
    )
    return folder


def test_what_the_tables_need_is_read_and_what_a_vintage_has_no_longer_is_null_and_said(
    mobiville: Command, files: Path, tmp_path: Path
) -> None:
    ran = mobiville("refresh", raw_data=str(files))
    assert ran.returncode == 0, ran.stderr
    assert "cities-tension-utf8.csv has no rome_label, lib_bassin_bmo19: NULL" in ran.stdout
    assert "departements.csv has no rent_t2, rent_t4: NULL" in ran.stdout
    with create_engine(f"sqlite:///{tmp_path / 'var' / 'warehouse.db'}").connect() as connection:

        def one(query: str) -> tuple[Any, ...]:
            return tuple(connection.exec_driver_sql(query).one())

        whole = len(rows(raw_data.SAMPLE / "cities-tension-utf8.csv"))
        assert one("SELECT COUNT(*), COUNT(bassin_lib), COUNT(lib_rome), COUNT(ind_t) FROM tensions") == (
            whole,
            0,
            0,
            whole,
        )
        assert one("SELECT MIN(bassin_id) < 1000 FROM tensions") == (1,)
        assert one("SELECT COUNT(rent_t2), COUNT(rent_t4) FROM departements") == (0, 0)
        assert one("SELECT name FROM departements WHERE code = '01'") == ("Ain",)
        assert one("SELECT name FROM departements WHERE code = '971'") == ("Guadeloupe",)
        (paris,) = (row for row in rows(files / "cities_rent.csv") if row["city"] == "PARIS")
        assert one("SELECT rent_t2 FROM cities WHERE insee_com = '75056'") == (float(paris["rent_t2"]),)
        assert paris["rent_t2"].endswith(".25")
    (tensions,) = (t for t in json.loads(mobiville("status", "--json").stdout)["tables"] if t["table"] == "tensions")
    assert {s["source_id"]: s["vintage"] for s in tensions["sources"]}["tensions"] == "2021"
