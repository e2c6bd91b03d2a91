"""Files as publishers, spreadsheets and browsers leave them: read right, or refused with file, place and remedy."""

import bz2
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assets.equipments import of_newest_year, sound
from resources.errors import RejectedRowsError, SourceError
from resources.raw_data import RawData
from resources.sources.facilities import count_facilities
from resources.sources.unread import unread

FAILING = Path("failing_inputs")
SHAPES = Path("real_data_today", "published_shapes")


@pytest.fixture
def raw(tmp_path: Path) -> RawData:
    (tmp_path / "datalake").mkdir()
    return RawData(folder=str(tmp_path), dumps=str(tmp_path / "datalake"))


def put(raw: RawData, name: str, content: str | bytes) -> Path:
    path = Path(raw.folder) / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def zipped(raw: RawData, name: str, **members: str) -> None:
    with zipfile.ZipFile(Path(raw.folder) / name, "w") as archive:
        for member, content in members.items():
            archive.writestr(member.replace("__", "."), content)


def read(raw: RawData) -> list[list[str]]:
    return [list(row.values()) for piece in raw.batches("bpe").rows for row in piece.to_pylist()]


# Columns


def test_two_columns_that_differ_in_case_or_spaces_are_refused_in_any_format(raw: RawData) -> None:
    path = put(raw, "bpe21.csv", "DEPCOM;TYPEQU; Typequ\n01004;A104;A101\n")
    with pytest.raises(SourceError, match=r"bpe21.csv, line 1: expected one column TYPEQU.* ' Typequ'"):
        read(raw)
    path.unlink()
    pq.write_table(
        pa.table({"DEPCOM": ["01004"], "TYPEQU": ["A104"], "typequ": ["A101"]}), path.with_suffix(".parquet")
    )
    with pytest.raises(SourceError, match=r"bpe21.parquet, line 1: expected one column typequ|TYPEQU"):
        read(raw)
    put(raw, "helps.json", '[{"title": "a", "slug": "b", "Slug": "c"}]')
    with pytest.raises(SourceError, match=r"helps.json, line 1: expected one column slug, found 'slug' and 'Slug'"):
        raw.table("helps")


def test_a_key_that_stands_twice_in_an_object_is_refused(raw: RawData) -> None:
    put(raw, "helps.json", '[{"title": "a", "slug": "b", "slug": "c"}]')
    with pytest.raises(SourceError, match=r"helps.json: expected JSON: slug stands twice in the object .*'title': 'a'"):
        raw.table("helps")
    item = "<code_rome>A1101</code_rome><libelle>a</libelle><libelle>b</libelle>"
    put(raw, "unix_referentiel_code_rome_v346_utf8.xml", f"<ogr><item>{item}</item></ogr>")
    with pytest.raises(SourceError, match=r"v346_utf8.xml: expected XML: libelle stands twice"):
        raw.table("rome_referential")


# Archives


def test_an_archive_with_several_files_of_data_is_refused_with_their_names(raw: RawData) -> None:
    zipped(raw, "bpe21.zip", one__csv="DEPCOM;TYPEQU\n01004;A104\n", two__csv="DEPCOM;TYPEQU\n01004;A101\n")
    with pytest.raises(
        SourceError, match=r"bpe21.zip: expected one file of data in the archive, found one.csv, two.csv"
    ):
        read(raw)
    zipped(raw, "bpe21.zip", one__csv="DEPCOM;TYPEQU\n01004;A104\n", two__csv="01004;A101\n")
    with pytest.raises(SourceError, match=r"found one.csv, two.csv"):
        read(raw)


def test_the_member_that_is_the_data_is_read_whichever_is_the_largest(raw: RawData) -> None:
    described = "COD_VAR;LIB_VAR;LIB_MOD\n" + "A;b;c\n" * 99
    zipped(raw, "bpe21.zip", varmod__csv=described, data__csv="DEPCOM;TYPEQU\n01004;A104\n", empty__txt="")
    assert read(raw) == [["01004", "A104"]]


# Rows


def test_a_bad_line_of_the_bpe_is_rejected_as_that_of_any_source(raw: RawData) -> None:
    lines = ["DEPCOM;TYPEQU", *["01004;A104"] * 200]
    lines[101] = "01004;A104;x"
    put(raw, "bpe21.csv", "\n".join(lines) + "\n")
    batches, audit = raw.batches("bpe")
    assert sum(batch.num_rows for batch in batches) == 199
    assert (audit.read, list(audit.rejected)) == (200, [102])
    (reject,) = audit.rejects().to_dict("records")
    assert (reject["line"], reject["row"], reject["reason"]) == ("102", "01004;A104;x", "expected 2 columns, found 3")
    lines[50:54] = ["01004"] * 4
    put(raw, "bpe21.csv", "\n".join(lines) + "\n")
    with pytest.raises(RejectedRowsError, match=r"bpe21.csv: 5 of 200 rows cannot be used.* line 51"):
        read(raw)


# Codes


def test_codes_of_every_column_get_their_zeros_back_or_name_the_row(raw: RawData) -> None:
    header = "Code INSEE;Code Postal;Commune;Département;Région;Statut;Altitude Moyenne;Superficie;Population;"
    header += "geo_point_2d;ID Geofla;Code Commune;Code Canton;Code Arrondissement;Code Département;Code Région"
    row = "1004;1500/01510.0;AMBERIEU;AIN;RHONE-ALPES;x;379;2448;13.8;45.96, 5.37;1;4;1;1;1;82"
    put(raw, "cities-france.csv", f"{header}\n{row}\n")
    with pytest.raises(RejectedRowsError, match=r"cities-france.csv: .*line 2: Code Postal: expected postal codes"):
        raw.table("communes")
    put(raw, "cities-france.csv", f"{header}\n{row.replace('.0;', ';')}\n")
    (commune,) = raw.table("communes").rows.to_dict("records")
    assert (commune["insee_com"], commune["code_dept"], commune["postal_code"]) == ("01004", "01", "01500/01510")


# Parsers


@pytest.mark.parametrize("number", ["9" * 5000, "1e999", "-1" + "0" * 400])
def test_a_number_that_no_column_holds_rejects_its_record(raw: RawData, number: str) -> None:
    put(
        raw,
        "helps.json",
        f'[{{"title": "a", "slug": "b"}}, {{"title": "c", "slug": "d", "visibility_boost": {number}}}]',
    )
    with pytest.raises(RejectedRowsError, match=r"helps.json: 1 of 2 rows .* record 2: visibility_boost"):
        raw.table("helps")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("helps.json", b"[" * 100_000),
        ("helps.json", b'[{"title": 01}]'),
        ("unix_referentiel_code_rome_v346_utf8.xml", b"<?xml version='1.0' encoding='no-such'?><ogr><item></ogr>"),
        ("BPE24.parquet", b"PAR1 is all there is of it PAR1"),
        ("bpe21.csv.gz", b"\x1f\x8b\x08 not whole"),
    ],
)
def test_whatever_a_parser_raises_names_the_file(raw: RawData, name: str, content: bytes) -> None:
    put(raw, name, content)
    sources = {"helps.json": "helps", "unix_referentiel_code_rome_v346_utf8.xml": "rome_referential"}
    with pytest.raises(SourceError, match=rf"^{name}: expected .*(fetch the file again)"):
        raw.table(sources[name]) if name in sources else read(raw)


# Names


@pytest.mark.parametrize("day", ["20991231", "20210230", "20211399"])
def test_a_day_in_a_name_that_is_not_or_not_yet_is_refused(raw: RawData, day: str) -> None:
    for name in (f"{day}_offre.csv.bz2", "20211221_offre.csv.bz2"):
        put(raw, f"datalake/{name}", bz2.compress(b"commune;dc_rome_id;nb_offre\n01004;A1101;1\n"))
    with pytest.raises(SourceError, match=rf"{day}_offre.csv.bz2: its name has the date {day}"):
        raw.table("offers_dump")


def test_a_year_in_a_name_that_is_to_come_is_refused(raw: RawData) -> None:
    name = f"dvf{datetime.now(UTC).year + 1}.csv"
    put(raw, name, "INSEE_COM,Prixm2Moyen\n01004,2000\n")
    with pytest.raises(SourceError, match=rf"{name}: its name has the date"):
        raw.table("house_prices")


@pytest.mark.parametrize(
    "name", [".bpe21.csv", "._bpe21.csv", "~$bpe21.csv", "bpe22.csv~", "bpe22.csv.part", "#bpe22.csv#"]
)
def test_hidden_editors_and_partial_files_are_no_inputs(raw: RawData, name: str) -> None:
    put(raw, "bpe21.csv", "DEPCOM;TYPEQU\n01004;A104\n")
    put(raw, name, "no input")
    assert [path.name for path in raw.candidates("bpe")] == ["bpe21.csv"]


# Vintages


def test_the_newer_vintage_is_read_whatever_its_time_and_two_that_are_alike_are_refused(raw: RawData) -> None:
    put(raw, "dvf2023.csv", "INSEE_COM,Prixm2Moyen\n01004,2023\n")
    put(raw, "communesdvf2024.csv", "INSEE_COM,annee,Prixm2Moyen\n1004,2024,2024\n")
    put(raw, "dvf-communes-2019.csv", "INSEE_COM;PrixMoyen_M2\n01004;2019\n")
    table, audit = raw.table("house_prices")
    assert (table["price"].tolist(), audit.vintage) == ([2024], "2024")
    put(raw, "dvf-communes-2024.csv", "INSEE_COM;PrixMoyen_M2\n01004;1\n")
    with pytest.raises(SourceError, match=r"house_prices: .*dvf-communes-2024.csv \(.*communesdvf2024.csv \("):
        raw.table("house_prices")


def test_no_file_is_passed_over_in_silence(raw: RawData) -> None:
    put(raw, "dvf2023.csv", "INSEE_COM,Prixm2Moyen\n01004,2023\n")
    put(raw, "communesdvf2024.csv", "INSEE_COM,Prixm2Moyen\n01004,2023\n")
    put(raw, "prix.csv", "INSEE_COM;PrixMoyen_M2\n01004;2019\n")
    put(raw, "help.json", "[]")
    put(raw, "bpe24.csv.part", "")
    put(raw, ".hidden", "")
    put(raw, "datalake/20211221_offre.csv.bz2", b"")
    put(raw, "datalake/20211220_offre.csv.bz2", b"")
    lines = list(unread(raw))
    assert lines[0].startswith("bpe24.csv.part is not read: its name is that of")
    assert lines[1] == "dvf2023.csv is not read: house_prices reads communesdvf2024.csv, which is newer"
    assert lines[2].startswith(
        "help.json is not read: no source has files of that name; the nearest, helps, has helps."
    )
    assert lines[3].startswith(
        "prix.csv is not read: it has the columns of house_prices, whose files are named dvf-com"
    )
    assert len(lines) == 4


def test_a_vintage_is_that_of_the_file_or_unknown(raw: RawData) -> None:
    put(raw, "pred-app-mef-dhup.csv", '"INSEE_C";"LIBGEO";"loypredm2"\n"86051";"Champagné";8,48\n'.encode("cp1252"))
    rents, audit = raw.table("house_rents")
    assert (rents["rent"].tolist(), audit.vintage, raw.files("house_rents")[0].vintage) == ([8.48], None, "unknown")
    put(raw, "indicateurs-loyers-appartements.csv", "INSEE;loypredm2\n86051;1,5\n")
    with pytest.raises(SourceError, match=r"appartements.csv \(vintage 2018\) and .*dhup.csv \(vintage unknown\)"):
        raw.table("house_rents")
    put(raw, "lexique-bassins.csv", "CODE_COMMUNE_INSEE,REG,DEP,NOMCOM,BE25,NOMBE25\n01004,84,01,a,8403,b\n")
    assert raw.table("basins_lexicon").audit.vintage == "2025"
    put(raw, "FICHECLIM_75114001.data", "FICHE;\nStatistiques 1991-2020 et records;\n")
    assert raw.texts("weather_sheets").audit.vintage == "1991-2020"


def test_a_file_in_iso_8859_is_told_from_a_damaged_one(raw: RawData) -> None:
    put(raw, "departements.csv", "code;name\n07;Ardèche\n2A;Corse-du-Sud\n".encode("iso-8859-1"))
    table, audit = raw.table("departements")
    assert (table["name"].tolist(), audit.repairs) == (
        ["Ardèche", "Corse-du-Sud"],
        {"read as cp1252, not utf-8": 1},
    )
    put(raw, "departements.csv", "code;name\n07;Ardèche\n".encode() + b"26;Dr\xf4me\n")
    with pytest.raises(RejectedRowsError, match=r"departements.csv: 1 of 2 .* line 3: expected utf-8, found a byte"):
        raw.table("departements")


# Shapes

REGION = {"new_code": "28", "new_name": "Normandie", "former_code": "25", "former_name": "Basse-Normandie"}
REGION |= {"new_name_normalized": "normandie", "former_name_normalized": "basse normandie"}


@pytest.mark.parametrize(
    ("ending", "content"),
    [
        (".json", json.dumps({"regions": [{"fields": REGION}]})),
        ("_v1.json", json.dumps([{"recordid": "1", "fields": REGION}])),
        ("_v21.json", json.dumps([REGION | {"siren": 200053403}])),
        (
            ".csv",
            "\ufeffNouveau Code;NouveauNom;Anciens Code;AnciensNom;Nouveau nom normalisé;Ancien nom normalisé;SIREN\n"
            "28;Normandie;25;Basse-Normandie;normandie;basse normandie;200053403\n",
        ),
    ],
)
def test_the_regions_are_read_in_each_shape_they_are_published_in(raw: RawData, ending: str, content: str) -> None:
    put(raw, f"anciennes-nouvelles-regions{ending}", content)
    assert raw.table("anciennes_nouvelles_regions").rows.to_dict("records") == [REGION]


def test_of_the_zoning_the_newest_column_counts_and_tense_zones_are_1(raw: RawData) -> None:
    put(
        raw,
        "zonage-tlv-2025.csv",
        "\ufeffCODGEO25;LIBGEO;Zonage TLV 2013;Zonage TLV post décret 22/12/2025;Zonage TLV 2023\n"
        "01030;a;Non TLV;1. Zone tendue;3. Non tendue\n1045;b;TLV;2. Zone touristique et tendue;x\n"
        "01999;c;TLV;3. Non tendue;1. Zone tendue\n",
    )
    table, audit = raw.table("housing_zones")
    assert (table["insee_com"].tolist(), table["frais"].tolist()) == (["01030", "01045", "01999"], [1, 1, 0])
    assert audit.vintage == "2025"


COUNTS = """"GEO";"GEO_OBJECT";"FACILITY_TYPE";"BPE_MEASURE";"TIME_PERIOD";"OBS_VALUE"
"10001";"COM";"A206";"FACILITIES";2024;3
"10001";"COM";"A206";"FACILITIES";2023;9
"10001";"COM";"_T";"FACILITIES";2024;99
"10001";"COM";"B201";"FACILITIES";2024;0
"10";"DEP";"A206";"FACILITIES";2024;500
"75101";"ARM";"A206";"FACILITIES";2024;40
"""


def test_the_count_file_gives_numbers_of_the_newest_year_and_of_communes(raw: RawData) -> None:
    zipped(raw, "BPE24_DS_BPE.zip", data__csv=COUNTS, metadata__csv='"COD_VAR";"LIB_VAR"\n')
    batches, audit = raw.batches("bpe")
    rows, _ = sound(count_facilities(batches))
    kept = of_newest_year(rows, audit)
    assert kept[["depcom", "typequ", "number"]].to_numpy().tolist() == [["10001", "A206", 3], ["75101", "A206", 40]]
    assert (audit.read, audit.vintage, sum(audit.ruled_out.values())) == (6, "2024", 4)


# The real files


def shared(real_data: Path, *parts: str | Path) -> bytes:
    path = real_data.parent.joinpath(*parts)
    if not path.is_file():
        pytest.skip(f"no {path.name}")
    return path.read_bytes()


@pytest.mark.parametrize(
    ("source", "name", "rows", "vintage"),
    [
        ("house_prices", "../communesdvf2024.csv", 29_831, "2024"),
        ("house_rents", "pred-app-mef-dhup.csv", 5, None),
        ("communes", "communes-france-2025.csv", 483, "2025"),
        ("anciennes_nouvelles_regions", "anciennes-nouvelles-regions.csv", 19, None),
        ("anciennes_nouvelles_regions", "anciennes-nouvelles-regions_v1_download.json", 60, None),
        ("anciennes_nouvelles_regions", "anciennes-nouvelles-regions_v21_export.json", 60, None),
        ("housing_zones", "zonage-tlv-decret-22-dec-2025.csv", 4, "2025"),
        ("rome_appellations", "../unix_referentiel_appellation_v460_utf8.csv", 13_120, "460"),
        ("rome_knowledge", "../unix_referentiel_savoir_v460_utf8.csv", 5_000, "460"),
    ],
)
def test_the_published_files_are_read(
    raw: RawData, real_data: Path, source: str, name: str, rows: int, vintage: str | None
) -> None:
    put(raw, Path(name).name, shared(real_data, SHAPES, name))
    table, audit = raw.table(source)
    assert len(table) >= rows
    assert (audit.vintage, audit.errors) == (vintage, source == "house_prices")  # its last row is of no commune


@pytest.mark.parametrize(
    ("name", "given", "source", "said"),
    [
        ("bpe21_two_cases.csv", "bpe21.csv", "bpe", "line 1: expected one column TYPEQU, found 'TYPEQU' and 'Typequ'"),
        ("bpe21_two_parts.zip", "bpe21.zip", "bpe", "found bpe21_1.csv, bpe21_2.csv"),
        ("helps_5000_digits.json", "helps.json", "helps", "record 4: visibility_boost: expected a number"),
        ("20991231_mv_villes_offre_full.csv.bz2", "", "offers_dump", "its name has the date 20991231"),
    ],
)
def test_the_failing_files_are_refused(
    raw: RawData, real_data: Path, name: str, given: str, source: str, said: str
) -> None:
    put(raw, given or f"datalake/{name}", shared(real_data, FAILING, name))
    with pytest.raises(SourceError, match=said):
        pd.DataFrame(read(raw)) if source == "bpe" else raw.table(source)
