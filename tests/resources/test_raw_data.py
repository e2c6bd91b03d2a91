import bz2
import gzip
import hashlib
import os
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assets.raw_files import sha256_if_whole
from raw_data import SAMPLE
from resources.atomic_files import atomic_write
from resources.errors import SourceError
from resources.raw_data import RawData
from resources.sources import decompression

BPE = "AN;REG;TYPEQU;DOM;DEPCOM\n2021;84;A101;A;01001\n2021;94;B201;B;2A004\n"


@pytest.fixture
def raw(tmp_path: Path) -> RawData:
    (tmp_path / "datalake").mkdir()
    return RawData(folder=str(tmp_path), dumps=str(tmp_path / "datalake"))


def facilities(raw: RawData) -> list[list[str]]:
    return [list(row.values()) for piece in raw.batches("bpe").rows for row in piece.to_pylist()]


def test_columns_are_found_by_name_under_their_catalogued_names(raw: RawData, tmp_path: Path) -> None:
    (tmp_path / "departements.csv").write_text("rent_t4;NAME;code\n1040;Ain;1\n;Corse-du-Sud;2A\n")
    table, audit = raw.table("departements")
    assert table.columns.tolist() == ["code", "name", "rent_t2", "rent_t4"]
    assert table["code"].tolist() == ["01", "2A"]
    assert audit.absent == ["rent_t2"]
    assert table["rent_t2"].isna().all()
    assert table.index.tolist() == [2, 3]
    assert pd.isna(table["rent_t4"][3])


@pytest.mark.parametrize("form", ["bpe21.csv", "bpe21.csv.gz", "bpe21_csv.zip", "BPE24.parquet"])
def test_the_bpe_is_read_in_each_of_its_forms(raw: RawData, tmp_path: Path, form: str) -> None:
    path = tmp_path / form
    if form.endswith(".gz"):
        path.write_bytes(gzip.compress(BPE.encode()))
    elif form.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("varmod.csv", "COD_VAR;LIB_VAR\nA;b\n")
            archive.writestr("bpe21.csv", BPE)
    elif form.endswith(".parquet"):
        header, *rows = [line.split(";") for line in BPE.splitlines()]
        pq.write_table(pa.table(dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))), path)
    else:
        path.write_text(BPE)
    batches, audit = raw.batches("bpe")
    assert [list(row.values()) for piece in batches for row in piece.to_pylist()] == [
        ["01001", "A101"],
        ["2A004", "B201"],
    ]
    (file,) = raw.files("bpe")
    assert (audit.read, audit.vintage) == (2, "2024" if "24" in form else "2021")
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def dump(folder: str, name: str, text: str, age: int) -> None:
    path = Path(folder) / name
    path.write_bytes(bz2.compress(text.encode()))
    os.utime(path, (1_600_000_000 - age,) * 2)


def test_the_newest_dump_is_told_by_the_date_in_its_name(raw: RawData) -> None:
    header = '"commune";"dc_rome_id";"nb_offre";"date_extract"\r\n'
    dump(raw.dumps, "20211221_mv_villes_offre_full.csv.bz2", header + '"01004";A1101;1;2021-12-21\r\n', 1000)
    dump(raw.dumps, "20211220_mv_villes_offre_full.csv.bz2", header + '"01004";A1101;2;2021-12-20\r\n', 0)
    dump(raw.dumps, "20301231_autre.csv.bz2", header, 0)
    assert raw.table("offers_dump").rows["number"].tolist() == [1]
    assert raw.files("offers_dump")[0].vintage == "20211221"


def test_without_dates_the_newest_dump_cannot_be_told(raw: RawData) -> None:
    dump(raw.dumps, "z_offres.csv.bz2", "01004;Ambérieu;A1101;1\n", 1000)
    dump(raw.dumps, "a_offres.csv.bz2", "01004;Ambérieu;A1101;2\n", 0)
    with pytest.raises(SourceError, match=r"offers_dump: expected one newest file, found a_offres\S+ \(.*z_offres"):
        raw.table("offers_dump")
    assert (raw.has("offers_dump"), raw.version("offers_dump")) == (True, "refused")
    (Path(raw.dumps) / "z_offres.csv.bz2").unlink()
    table = raw.table("offers_dump").rows
    row = {"commune": "01004", "label": "Ambérieu", "rome": "A1101", "number": 2, "commune_of_file": "01004"}
    assert table.to_dict("records") == [row]
    assert table.index.tolist() == [1]


def test_a_bom_is_no_part_of_the_first_name_and_latin_1_is_read_as_such(raw: RawData, tmp_path: Path) -> None:
    (tmp_path / "departements.csv").write_text("code;name\n1;Ain\n", encoding="utf-8-sig")
    table, audit = raw.table("departements")
    assert table["code"].tolist() == ["01"]
    assert "BOM removed" in audit.repairs
    (tmp_path / "indicateurs-loyers-appartements.csv").write_bytes(
        "id_zone;INSEE;LIBGEO;loypredm2\r\n1;1001;L'Abergement-Clémenciat;9,37\r\n".encode("iso-8859-1")
    )
    assert raw.table("house_rents").rows[["insee_com", "rent"]].to_numpy().tolist() == [["01001", 9.37]]


def test_a_missing_file_is_named_with_where_it_comes_from(raw: RawData, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"helps: no file helps\.json in .* put it there, or set MOBIVILLE_RAW_DATA"):
        raw.table("helps")
    assert not raw.has("helps")
    assert raw.version("helps") == "absent"


def test_a_missing_column_is_named_with_the_nearest_there_is(raw: RawData, tmp_path: Path) -> None:
    (tmp_path / "departements.csv").write_text("codes;name\n1;Ain\n")
    with pytest.raises(SourceError, match=r"departements.csv, line 1: its header lacks code \(nearest: codes\)"):
        raw.table("departements")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("helps.json", b"{", "helps.json: expected JSON: .*line 1"),
        ("helps.json", b"[1]", "helps.json: expected a list of objects"),
        (
            "helps.json",
            b'[{"titel": "a", "slug": "b"}]',
            r"helps.json, line 1: its header lacks title \(nearest: titel\)",
        ),
        ("helps.json", "é".encode() + b"\xe9", "helps.json, line 1: expected utf-8, found the byte 0xE9"),
    ],
)
def test_json_that_is_not_what_it_should_be(raw: RawData, tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=said):
        raw.table("helps")


def test_a_damaged_archive_is_named(raw: RawData, tmp_path: Path) -> None:
    (tmp_path / "bpe21.zip").write_bytes(b"PK\x03\x04 not whole")
    with pytest.raises(SourceError, match=r"bpe21.zip: expected a whole zip archive"):
        facilities(raw)
    (Path(raw.dumps) / "offres.csv.bz2").write_bytes(bz2.compress(b"commune;dc_rome_id;nb_offre\n" * 9999)[:-20])
    with pytest.raises(SourceError, match=r"offres.csv.bz2: "):
        raw.table("offers_dump")


def test_rome_files_may_be_xml_or_csv(raw: RawData, tmp_path: Path) -> None:
    xml = tmp_path / "unix_referentiel_code_rome_v346_utf8.xml"
    xml.write_text("<ogr><item><code_rome>A1101</code_rome><libelle>Conduite</libelle></item></ogr>")
    assert raw.table("rome_referential").rows.to_dict("records") == [{"code": "A1101", "label": "Conduite"}]
    (tmp_path / "unix_referentiel_code_rome_v460_utf8.csv").write_text('"code_rome","libelle_rome"\n"A1102","b"\n')
    assert raw.table("rome_referential").rows.to_dict("records") == [{"code": "A1102", "label": "b"}]
    xml.unlink()
    (tmp_path / "unix_referentiel_code_rome_v461_utf8.xml").write_text("<ogr><item>")
    with pytest.raises(SourceError, match="v461_utf8.xml: expected XML"):
        raw.table("rome_referential")


def test_the_layout_of_the_communes_is_told_by_the_header(raw: RawData, tmp_path: Path) -> None:
    (tmp_path / "communes-france-2025.csv").write_text(
        ",code_insee,nom_standard,reg_code,dep_code,code_postal,codes_postaux,population,latitude_centre,"
        'longitude_centre\n0,1004,Ambérieu-en-Bugey,84,1,1500,"01500, 01501",15934,45.96,5.36\n',
        encoding="utf-8-sig",
    )
    table = raw.table("communes").rows
    assert table[["insee_com", "new_region", "persons", "postal_code", "postal_codes"]].to_numpy().tolist() == [
        ["01004", "84", 15934, "01500", "01500, 01501"]
    ]
    assert table["latitude_mairie"].isna().all()
    assert raw.files("communes")[0].vintage == "2025"


def test_a_pipe_in_place_of_a_file_is_refused_and_never_opened(raw: RawData, tmp_path: Path) -> None:
    for name, source_id in (("departements.csv", "departements"), ("helps.json", "helps")):
        os.mkfifo(Path(raw.folder) / name)
        assert raw.version(source_id) == "no file"
        with pytest.raises(SourceError, match=f"{name}: is no file but a folder, a pipe"):
            raw.document(source_id) if name.endswith("json") else raw.table(source_id)
    dump = tmp_path / "20211223_mv_villes_offre_full.csv.bz2"
    os.mkfifo(dump)
    with pytest.raises(SourceError, match="is no file"):
        sha256_if_whole(dump)


@pytest.mark.parametrize("packer", [open, bz2.open])
def test_a_line_that_no_row_has_is_refused_by_its_number_and_never_held(
    raw: RawData, monkeypatch: pytest.MonkeyPatch, packer: Any
) -> None:
    head, first, *_ = (SAMPLE / "departements.csv").read_bytes().splitlines(keepends=True)
    path = Path(raw.folder) / ("departements.csv" if packer is open else "departements.csv.bz2")
    monkeypatch.setattr(RawData, "path", lambda *_: path)
    monkeypatch.setattr(decompression, "MOST_TIMES_LARGER", 10**9)
    with packer(path, "wb") as file:
        file.write(head + first)
        for _ in range(100):
            file.write(b"x" * (1 << 20))
    tracemalloc.start()
    with pytest.raises(SourceError, match=r"departements.*, line 3: has more than 16,777,216 bytes"):
        raw.table("departements")
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()


def test_a_full_disk_is_named_by_its_folder(tmp_path: Path) -> None:
    (tmp_path / f"a.json.{os.getpid()}").symlink_to("/dev/full")
    with (
        pytest.raises(OSError, match=f"the disk is full: make room: '{tmp_path}'"),
        atomic_write(tmp_path / "a.json") as f,
    ):
        f.write(b"x" * 100_000)
