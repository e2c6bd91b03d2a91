"""Files that speak of communes that are in others now: what cities takes of them, through a COG."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from assets.cities import _city_rents, _Communes, _communes, _described
from assets.cog import codes_of_cog
from resources.raw_data import RawData

CITIES = (
    "Code INSEE;Code Postal;Commune;Département;Région;Statut;Altitude Moyenne;Superficie;Population;geo_point_2d;"
    "ID Geofla;Code Commune;Code Canton;Code Arrondissement;Code Département;Code Région;LGT SOCIAUX\n"
    "01033;01200;BELLEGARDE-SUR-VALSERINE;AIN;RHONE-ALPES;Chef-lieu canton;522.0;1500.0;11.7;"
    "46.1, 5.8;1;033;05;3;01;82;900\n"
    "01091;01200;CHATILLON-EN-MICHAILLE;AIN;RHONE-ALPES;Commune simple;700.0;3000.0;3.1;"
    "46.2, 5.8;2;091;05;3;01;82;50\n"
    "01205;01200;LANCRANS;AIN;RHONE-ALPES;Commune simple;700.0;1000.0;1.0;46.1, 5.9;3;205;05;3;01;82;\n"
    "01004;01500;AMBERIEU-EN-BUGEY;AIN;RHONE-ALPES;Chef-lieu canton;379.0;2460.0;14.0;"
    "46.0, 5.4;4;004;01;1;01;82;2\n"
)
COG: list[dict[str, Any]] = [
    {"code": "01033", "nom": "Valserhône", "anciensCodes": ["01091", "01205"], "population": 16_302},
    {"code": "01004", "nom": "Ambérieu-en-Bugey", "population": 14_000},
]
FACTS = {"type": "commune-actuelle", "departement": "01", "region": "84", "codesPostaux": ["01200"]}
REGIONS = pd.DataFrame({"former_code": ["82"], "new_code": pd.array([84], "Int64")})


@pytest.fixture
def raw_data(tmp_path: Path) -> RawData:
    """The communes file of 2015 and a COG by which three of its communes are one."""
    (tmp_path / "cities-france.csv").write_text(CITIES, encoding="utf-8-sig")
    (tmp_path / "communes-cog-2026.json").write_text(json.dumps([{"anciensCodes": []} | FACTS | one for one in COG]))
    return RawData(folder=str(tmp_path), dumps=str(tmp_path / "datalake"), cache=str(tmp_path))


def in_todays_communes(raw_data: RawData) -> tuple[RawData, _Communes]:
    nobody = pd.DataFrame(columns=["code", "name", "population"])
    cog = codes_of_cog(raw_data.table("cog").rows, nobody)
    reader = raw_data.in_geography(cog)
    return reader, _communes(reader, REGIONS, cog)


@pytest.mark.parametrize(
    ("names", "rent", "used_merged_rejected"),
    [
        (["BELLEGARDE SUR VALSERINE"], 500, (1, 0, 0)),
        (["VALSERHONE"], 500, (1, 0, 0)),
        (["LANCRANS"], 500, (1, 0, 0)),
        (["LANCRANS", "CHATILLON-EN-MICHAILLE"], 510, (1, 1, 0)),
        (["LANCRANS", "CHATILLON-EN-MICHAILLE", "BELLEGARDE-SUR-VALSERINE"], 520, (1, 2, 0)),
    ],
)
def test_rents_by_a_former_name_are_those_of_todays_commune(
    raw_data: RawData, names: list[str], rent: int, used_merged_rejected: tuple[int, int, int]
) -> None:
    """Of several the rents are those of the commune whose code it still has, else of the most populous."""
    lines = [f"{name};{500 + 10 * at};{900 + 10 * at}\n" for at, name in enumerate(names)]
    Path(raw_data.folder, "cities_rent.csv").write_text("".join(["city;rent_t2;rent_t4\n", *lines]))
    rents, (audit,) = _city_rents(*in_todays_communes(raw_data))
    assert rents is not None
    assert rents.set_index("insee_com")["rent_t2"].to_dict() == {"01033": rent}
    assert (audit.used, audit.merged, audit.rows_rejected) == used_merged_rejected
    audit.check_sum()


@pytest.mark.parametrize(
    ("articles", "text", "merged"),
    [
        ({"01205": "Lancrans est…"}, "Lancrans est…", 0),
        ({"01205": "Lancrans est…", "01091": "Châtillon est…"}, "Châtillon est…", 1),
        ({"01205": "Lancrans est…", "01033": "Valserhône est…", "01091": None}, "Valserhône est…", 1),
    ],
)
def test_an_article_on_a_former_commune_describes_todays(
    raw_data: RawData, articles: dict[str, str | None], text: str, merged: int
) -> None:
    """Of several it is that on the code which the commune has now, else on the most populous that has one."""
    asked: dict[str, str | None] = {"asked_at": "2026-01-05T00:00:00+00:00"}
    entries = [asked | {"code": code, "description": said} for code, said in [*articles.items(), ("99999", "?")]]
    cache = "".join(json.dumps(entry) + "\n" for entry in entries)
    Path(raw_data.cache, "city_descriptions.jsonl").write_text(cache)
    described, (audit,) = _described(*in_todays_communes(raw_data))
    assert {code: entry["description"] for code, entry in described.items()} == {"01033": text}
    assert (audit.used, audit.merged) == (1, merged)
    audit.check_sum()
