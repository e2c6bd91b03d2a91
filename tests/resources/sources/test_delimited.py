import gzip
import json
import re
from pathlib import Path

import pytest

from resources.errors import RejectedRowsError, SourceError
from resources.raw_data import RawData
from resources.sources.audit import RowAudit

HEADER = "INSEE_COM;PrixMoyen_M2;NOM\n"


@pytest.fixture
def raw(tmp_path: Path) -> RawData:
    return RawData(folder=str(tmp_path), dumps=str(tmp_path))


def read(raw: RawData, content: str | bytes) -> tuple[list[tuple[int, str, float]], RowAudit]:
    """The rows of a prices file: line, code, price; and their audit."""
    data = content if isinstance(content, bytes) else content.encode()
    (Path(raw.folder) / "dvf-communes-2019.csv").write_bytes(data)
    table, audit = raw.table("house_prices")
    return [(int(str(line)), row.insee_com, row.price) for line, row in table.iterrows()], audit


def rejected(audit: RowAudit) -> list[tuple[int, str, str]]:
    """Line, text and reason of what was rejected."""
    found = audit.rejects()
    return [(int(row["line"]), row["row"], row["reason"]) for row in found.to_dict("records")]


def many(number: int) -> str:
    return "".join(f"{n:05};{n};x\n" for n in range(1001, 1001 + number))


def test_rows_keep_their_line_whatever_stands_between_them(raw: RawData) -> None:
    assert read(raw, HEADER + '1001;5;"a\nb"\n\n1002;6;c\n')[0] == [(2, "01001", 5), (5, "01002", 6)]
    assert read(raw, HEADER.replace("\n", "\r") + "1001;5;a\r1002;6;c\r")[0] == [(2, "01001", 5), (3, "01002", 6)]
    assert read(raw, HEADER + "1001;5;a\r\n1002;6;c")[0] == [(2, "01001", 5), (3, "01002", 6)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("9;9", "expected 3 columns, found 2"),
        ("09001;9;x;y", "expected 3 columns, found 4"),
        ("09001;many;x", "PrixMoyen_M2: expected a number, all its digits written out"),
        ("9,001E+3;9;x", "INSEE_COM: expected an INSEE code of five characters (01004, 2A004)"),
        (";9;x", "INSEE_COM: expected a value, found none"),
        ("01001;77;x", "insee_com: expected once"),
    ],
)
def test_a_row_that_cannot_be_used_is_rejected_with_its_line_text_and_reason(
    raw: RawData, line: str, reason: str
) -> None:
    rows, audit = read(raw, HEADER + many(200) + line + "\n" + many(2).replace("0100", "0200"))
    assert len(rows) == 202
    assert rejected(audit) == [(202, line, reason)]
    assert (audit.read, audit.errors) == (203, 1)


def test_a_byte_of_another_encoding_is_written_out(raw: RawData) -> None:
    rows, audit = read(raw, (HEADER + many(99) + "2001;7;é\n").encode() + b"09\xe901;9;x\n")
    assert len(rows) == 100
    assert rejected(audit) == [(102, "09\\xe901;9;x", "expected utf-8, found a byte that is not")]


def test_a_name_of_no_break_spaces_is_none_and_what_is_around_another_is_taken_off(tmp_path: Path) -> None:
    (tmp_path / "departements.csv").write_text("code;name;t2;t4\n01;\u00a0Ain\u00a0;500;700\n02;\u00a0;500;700\n")
    raw = RawData(folder=str(tmp_path), dumps=str(tmp_path))
    with pytest.raises(RejectedRowsError, match="line 3: name: expected a value, found none") as caught:
        raw.table("departements")
    assert caught.value.audit.repairs == {"values of name lost no-break spaces or line ends around them": 2}


@pytest.mark.parametrize("again", ["aide-ete", "AIDE-ÉTÉ  "])
def test_keys_that_the_database_takes_for_the_same_are_told_with_both_lines(tmp_path: Path, again: str) -> None:
    aids = [{"title": "a", "slug": "aide-été"}, {"title": "b", "slug": "b"}, {"title": "c", "slug": again}]
    (tmp_path / "helps.json").write_text(json.dumps(aids))
    found = f"record 3: slug: expected once, found '{again}, record 1 has aide-été and other values'"
    with pytest.raises(RejectedRowsError, match=re.escape(found)):
        RawData(folder=str(tmp_path), dumps=str(tmp_path)).table("helps")


def test_equal_rows_are_one(raw: RawData) -> None:
    rows, audit = read(raw, HEADER + "1001;5;a\n1001;5;a\n")
    assert rows == [(2, "01001", 5)]
    assert audit.merged == 1
    assert rejected(audit) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "dvf-communes-2019.csv: is empty"),
        (HEADER, "has a header and no row"),
        ("<html><title>Connexion</title>", r"is a web page \(Connexion\), not the file"),
        (b"PK\x03\x04....", "is a zip archive, which its name does not say"),
        ("INSEE_CO;PrixMoyen_M2\n1;2\n", r"line 1: its header lacks INSEE_COM \(nearest: INSEE_CO\)"),
        (
            "INSEE_COM;PrixMoyen_M2;INSEE_COM\n1;2;3\n",
            "line 1: expected one column INSEE_COM, found 'INSEE_COM' and",
        ),
        (HEADER + '1001;5;a\n"1002;6;b\n1003;7;c\n', "line 3: a quote opens that does not close"),
        (HEADER + many(3) + "x;1;1\n", "1 of 4 rows cannot be used, at most 2.0% may be so .* line 5: INSEE_COM"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_refused_in_words(
    raw: RawData, content: str | bytes, said: str
) -> None:
    with pytest.raises(SourceError, match=said):
        read(raw, content)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_tells_the_encoding(raw: RawData, encoding: str) -> None:
    rows, audit = read(raw, (HEADER + "1001;5;é\n").encode(encoding))
    assert rows == [(2, "01001", 5)]
    assert "BOM removed" in audit.repairs


def test_another_delimiter_is_found_by_the_header_and_recorded(raw: RawData) -> None:
    rows, audit = read(raw, (HEADER + "1001;5;a\n").replace(";", "\t"))
    assert rows == [(2, "01001", 5)]
    assert "columns are apart by tabs, not semicolons" in audit.repairs


def test_what_unpacks_to_far_more_than_it_is_is_refused(raw: RawData, tmp_path: Path) -> None:
    (tmp_path / "bpe21.csv.gz").write_bytes(gzip.compress(b"DEPCOM;TYPEQU\n" + b"01001;A101\n" * 9_000_000))
    with pytest.raises(SourceError, match=r"bpe21.csv.gz: unpacks to more than .* expected at most 200 times its size"):
        list(raw.batches("bpe").rows)


def test_rows_of_the_bpe_are_found_again_by_their_line(raw: RawData, tmp_path: Path) -> None:
    rows = [f"2021;{n:05};A101" for n in range(1001, 1400)] + ["2021;1E+04;A101", "2021;01004;", "2021;01004;A101"]
    (tmp_path / "bpe21.csv").write_text("AN;DEPCOM;TYPEQU\n" + "\n".join(rows) + "\n")
    batches, audit = raw.batches("bpe")
    assert sum(len(piece) for piece in batches) == audit.read == 402
    raw.reject_wrong(audit)
    found = audit.rejects()
    assert found[["line", "row", "column"]].to_numpy().tolist() == [
        ["401", "1E+04;A101", "depcom"],
        ["402", "01004;", "typequ"],
    ]


def test_a_ragged_bpe_is_refused_with_its_line(raw: RawData, tmp_path: Path) -> None:
    (tmp_path / "bpe21.csv").write_text("AN;DEPCOM;TYPEQU\n2021;01004;A101\n2021;01004\n")
    with pytest.raises(SourceError, match=r"bpe21.csv: 1 of 2 rows .* line 3: expected 3 columns, found 2"):
        list(raw.batches("bpe").rows)
