"""Files that are not what they should be: said, kept, and not served."""

import bz2
import json
import re
from pathlib import Path

from sqlalchemy import create_engine, inspect

from tests.pipelines.conftest import Command, served


def test_a_broken_file_is_named_and_what_is_served_stays(mobiville: Command, sample: Path, tmp_path: Path) -> None:
    assert mobiville("refresh", raw_data=str(sample)).returncode == 0
    tables = served(tmp_path)
    lexicon = sample / "lexique-bassins.csv"
    lexicon.write_text(lexicon.read_text().replace("CODE_COMMUNE_INSEE", "CODE_COMMUNE"))
    (sample / "helps.json").unlink()
    regions = sample / "regions-social-housing.json"  # is loaded before the others fail
    regions.write_text(re.sub(r'(Delay": )\d+', r"\g<1>7", regions.read_text(), count=1))
    failed = mobiville("refresh", raw_data=str(sample))
    assert failed.returncode == 1
    assert "Error in bassins: lexique-bassins.csv, line 1: its header lacks CODE_COMMUNE_INSEE" in failed.stderr
    assert "Error in helps: helps: no file helps.json" in failed.stderr
    assert "the served release is as it was" in failed.stderr
    assert "Traceback" not in failed.stdout + failed.stderr
    assert served(tmp_path) == tables
    assert "loading new_regions" in failed.stdout
    with create_engine(f"sqlite:///{tmp_path / 'var' / 'warehouse.db'}").connect() as connection:
        assert [name for name in inspect(connection).get_table_names() if name.endswith("__next")] == []


def test_rows_that_are_not_what_they_must_be_are_not_served(mobiville: Command, sample: Path, tmp_path: Path) -> None:
    assert mobiville("refresh", raw_data=str(sample)).returncode == 0
    before = served(tmp_path)
    tensions = sample / "cities-tension-utf8.csv"
    lines = tensions.read_text().splitlines()
    lines[7] = lines[7].rsplit(";", 1)[0] + ";9"
    tensions.write_text("\n".join(lines) + "\n")
    for _ in range(2):  # what was refused is not taken for staged the next time
        failed = mobiville("refresh", raw_data=str(sample))
        assert failed.returncode == 1
        assert "Error in tensions: tensions: ind_t is from 1 to 5: 1 rows (0.02%) fail, first: " in failed.stderr
        assert "line 8" in failed.stderr
        kept = json.loads(mobiville("rejects", "--source", "tensions", "--json").stdout)
        assert [(row["line"], row["is_error"]) for row in kept if "ind_t is from" in row["reason"]] == [("8", True)]
        assert served(tmp_path) == before


def test_rejects_are_kept_with_file_line_and_reason(mobiville: Command, sample: Path) -> None:
    prices = sample / "dvf-communes-2019.csv"
    lines = prices.read_text().splitlines()
    lines[4] = lines[4].replace(";", ",", 1)
    prices.write_text("\n".join(lines) + "\n")
    assert mobiville("refresh", raw_data=str(sample)).returncode == 0
    (row,) = json.loads(mobiville("rejects", "--source", "house_prices", "--json").stdout)
    assert (row["file"], row["location"], row["line"], row["is_error"]) == (prices.name, "line", "5", True)
    assert (row["row"], row["asset"]) == (lines[4], "cities")
    assert "expected 9 columns, found 8" in row["reason"]
    shown = mobiville("rejects", "--reason", "9 COLUMNS")
    assert "1  house_prices, dvf-communes-2019.csv: expected 9 columns, found 8" in shown.stdout
    assert "offers_dump" not in shown.stdout
    status = json.loads(mobiville("status", "--json").stdout)
    (cities,) = (table for table in status["tables"] if table["table"] == "cities")
    (counts,) = (source for source in cities["sources"] if source["source_id"] == "house_prices")
    assert counts["rows_rejected"] == 1
    assert counts["rows_read"] == len(lines) - 1 == counts["rows_used"] + 1


def test_a_file_with_more_rows_at_fault_than_may_be_is_refused_and_its_rejects_kept(
    mobiville: Command, sample: Path
) -> None:
    communes = sample / "cities-france.csv"
    text = communes.read_text().splitlines()
    communes.write_text("\n".join([text[0], *("1,2E+04" + line[5:] for line in text[1:])]) + "\n")
    failed = mobiville("refresh", raw_data=str(sample))
    assert failed.returncode == 1
    assert "Error in cog: cities-france.csv: 512 of 512 rows cannot be used, at most 0.1% may be so" in failed.stderr
    assert (
        "line 2: Code INSEE: expected an INSEE code of five characters (01004, 2A004), found '1,2E+04" in failed.stderr
    )
    assert len(json.loads(mobiville("rejects", "--source", "communes", "--json").stdout)) == 512


def test_a_table_that_lost_many_rows_is_published_only_when_that_is_said_to_be_right(
    mobiville: Command, sample: Path, tmp_path: Path
) -> None:
    files = str(sample)
    assert mobiville("refresh", raw_data=files).returncode == 0
    before = served(tmp_path)
    dump = max((sample / "datalake").iterdir())
    rows = bz2.decompress(dump.read_bytes()).splitlines(keepends=True)
    dump.write_bytes(bz2.compress(b"".join(rows[: len(rows) // 2])))
    failed = mobiville("refresh", raw_data=files)
    assert failed.returncode == 1
    assert "more than 20% would be lost. Are these the right files?" in failed.stderr
    assert "mobiville refresh --allow-shrink cities_jobs" in failed.stderr
    assert served(tmp_path) == before
    accepted = mobiville("refresh", "--accept", "cities_jobs", raw_data=files)  # its former name
    assert accepted.returncode == 0
    assert "It is called --allow-shrink now" in accepted.stderr
    assert len(served(tmp_path)["cities_jobs"]) < len(before["cities_jobs"])
