import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Table, event, inspect, make_url, select
from sqlalchemy.exc import OperationalError

from tests.warehouse.factories import SOURCE, contents, done, jobs, regions
from warehouse import swap as module
from warehouse import tables
from warehouse.backup import backup, restore, verify
from warehouse.database import connect, parse_url, shown
from warehouse.diff import Change, diff
from warehouse.errors import WarehouseError
from warehouse.load import load
from warehouse.migrate import migrate
from warehouse.release import SourceFile, TableVersion, current_release, history, publish, rollback


def rows_of(engine: Engine, table: Table) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(table))]


def indexes(engine: Engine, table: str) -> set[tuple[str, ...]]:
    there = inspect(engine)
    named = [tuple(str(c) for c in index["column_names"]) for index in there.get_indexes(table)]
    return {*named, *(tuple(unique["column_names"]) for unique in there.get_unique_constraints(table))}


def test_contents_are_served_with_ids_in_their_order_indexes_and_view(warehouse: Engine, tmp_path: Path) -> None:
    release = done(warehouse, jobs(tmp_path, 7), regions(tmp_path, 28))
    assert rows_of(warehouse, tables.cities_jobs) == [(n + 1, f"{n:05}", "A1101", 7) for n in range(3)]
    assert indexes(warehouse, "cities_jobs") == {("insee_code", "rome_id"), ("rome_id",), ("number",)}
    assert ("code",) in indexes(warehouse, "new_regions")
    with warehouse.connect() as connection:
        view = connection.exec_driver_sql("SELECT * FROM socialhousings").all()
    assert [tuple(row) for row in view] == [(28, "Normandie", 12)]
    assert current_release(warehouse) == release
    assert release.tables["cities_jobs"].rows == 3
    assert release.tables["cities_jobs"].sources == [SOURCE]


def test_nothing_is_served_before_the_first_release(warehouse: Engine) -> None:
    assert current_release(warehouse) is None


def test_the_same_contents_again_publish_nothing(warehouse: Engine, tmp_path: Path) -> None:
    first = done(warehouse, jobs(tmp_path, 7), regions(tmp_path, 28))
    assert done(warehouse, jobs(tmp_path, 7), regions(tmp_path, 28)) == first


def test_only_what_changed_is_loaded_and_the_rest_is_carried_over(warehouse: Engine, tmp_path: Path) -> None:
    done(warehouse, jobs(tmp_path, 7), regions(tmp_path, 28))
    second = done(warehouse, jobs(tmp_path, 8), regions(tmp_path, 28))
    assert second.id == 2
    assert {name: table.contents_id for name, table in second.tables.items()} == {"cities_jobs": 2, "new_regions": 1}
    assert {row[3] for row in rows_of(warehouse, tables.cities_jobs)} == {8}
    assert current_release(warehouse) == second


def test_one_table_alone_is_published_and_the_others_stay(warehouse: Engine, tmp_path: Path) -> None:
    done(warehouse, jobs(tmp_path, 7), regions(tmp_path, 28))
    alone = done(warehouse, regions(tmp_path, 11))
    assert set(alone.tables) == {"cities_jobs", "new_regions"}
    assert len(rows_of(warehouse, tables.cities_jobs)) == 3


def test_another_file_with_the_same_rows_is_a_release_that_loads_nothing(warehouse: Engine, tmp_path: Path) -> None:
    done(warehouse, jobs(tmp_path, 7))
    other = SourceFile("offers_dump", "b.csv.bz2", "20211222", "1" * 64, 3)
    second = done(warehouse, TableVersion(tables.cities_jobs, jobs(tmp_path, 7).parts, [other]))
    assert second.tables["cities_jobs"].contents_id == 1
    assert second.tables["cities_jobs"].sources == [other]


def test_the_previous_release_is_kept_whole_and_older_ones_are_dropped(warehouse: Engine, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        done(warehouse, jobs(tmp_path, number))
    kept = {name for name in inspect(warehouse).get_table_names() if "__" in name}
    assert kept == {"cities_jobs__r2"}


def test_what_a_killed_refresh_left_is_cleaned(warehouse: Engine, tmp_path: Path) -> None:
    done(warehouse, jobs(tmp_path, 1))
    load(warehouse, tables.cities_jobs, jobs(tmp_path, 2).batches())
    done(warehouse, regions(tmp_path, 28))
    assert not [name for name in inspect(warehouse).get_table_names() if "__" in name]
    assert {row[3] for row in rows_of(warehouse, tables.cities_jobs)} == {1}


def test_every_text_and_number_comes_back_as_it_was(warehouse: Engine, tmp_path: Path) -> None:
    odd = ["tab\tnewline\nreturn\rback\\slash", "\\N", "NULL", "", "'quote\" ;--", "é ’ 😀", None, "0012", " x "]
    rows = [{"insee_com": f"{n:05}", "nom_comm": text, "population": 0.1 * n} for n, text in enumerate(odd)]
    done(warehouse, contents(tmp_path, tables.cities, rows))
    city = tables.cities.c
    with warehouse.connect() as connection:
        found = connection.execute(select(city.nom_comm, city.population, city.z_moyen).order_by(city.id)).all()
    assert [tuple(row) for row in found] == [(text, 0.1 * n, None) for n, text in enumerate(odd)]


def test_a_failure_while_loading_leaves_what_is_served(warehouse: Engine, tmp_path: Path) -> None:
    first = done(warehouse, regions(tmp_path, 28))
    twice = contents(tmp_path, tables.new_regions, [{"code": 1}, {"code": 1}])
    with pytest.raises(Exception, match=r"(?i)unique|duplicate|twice"):
        done(warehouse, twice)
    assert current_release(warehouse) == first
    assert [row[1] for row in rows_of(warehouse, tables.new_regions)] == [28]


def test_a_value_that_does_not_fit_is_an_error_not_a_shorter_value(mariadb_url: str, tmp_path: Path) -> None:
    engine = connect(mariadb_url)
    row = {"insee_code": "0" * 11, "rome_id": "A1101", "number": 1}
    with pytest.raises(WarehouseError, match="insee_code"):
        done(engine, contents(tmp_path, tables.cities_jobs, [row]))


def test_a_server_that_refuses_files_gets_inserts(mariadb_url: str, tmp_path: Path) -> None:
    engine = connect(mariadb_url)

    @event.listens_for(engine, "before_cursor_execute")
    def refuse(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("LOAD DATA"):
            raise OperationalError(statement, None, Exception(1148, "not allowed"))

    done(engine, jobs(tmp_path, 7))
    assert len(rows_of(engine, tables.cities_jobs)) == 3


def test_a_reader_in_a_transaction_is_named_when_the_swap_cannot_happen(
    mariadb_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SWAP_ATTEMPTS", 1)
    engine = connect(mariadb_url)
    first = done(engine, jobs(tmp_path, 7))
    with engine.begin() as reader:
        number = reader.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one()
        reader.execute(select(tables.cities_jobs)).all()
        with pytest.raises(WarehouseError, match=f"connection {number} of root"):
            done(engine, jobs(tmp_path, 8))
    assert current_release(engine) == first
    assert done(engine, jobs(tmp_path, 8)).id == 2


@pytest.mark.parametrize("url", ["postgresql://a:secret@h/d", "not a url: secret", "mariadb+pymysql://root:secret@h"])
def test_an_address_that_is_no_warehouse_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(WarehouseError) as refused:
        parse_url(url)
    assert "secret" not in str(refused.value)
    assert shown("mysql://u:secret@h/d") == "mysql://u:***@h/d"


def test_going_back_serves_the_kept_contents_and_is_a_release_of_its_own(warehouse: Engine, tmp_path: Path) -> None:
    for number in (1, 2):
        done(warehouse, jobs(tmp_path, number), regions(tmp_path, 28))
    back = rollback(warehouse, None, keep=1)
    assert (back.id, back.status) == (3, "rollback")
    assert {row[3] for row in rows_of(warehouse, tables.cities_jobs)} == {1}
    assert indexes(warehouse, "cities_jobs") == {("insee_code", "rome_id"), ("rome_id",), ("number",)}
    forth = rollback(warehouse, 2, keep=1)
    assert {row[3] for row in rows_of(warehouse, tables.cities_jobs)} == {2}
    assert [release.id for release in history(warehouse)] == [4, 3, 2, 1]
    assert forth.tables["cities_jobs"].contents_id == 2


def test_a_table_that_the_other_release_did_not_have_stays_when_one_goes_back(
    warehouse: Engine, tmp_path: Path
) -> None:
    done(warehouse, jobs(tmp_path, 1))
    done(warehouse, jobs(tmp_path, 2), regions(tmp_path, 28))
    assert rollback(warehouse, None, keep=1).contents() == {"cities_jobs": 1, "new_regions": 2}
    assert rollback(warehouse, 2, keep=1).contents() == {"cities_jobs": 2, "new_regions": 2}
    assert len(rows_of(warehouse, tables.new_regions)) == 1


def test_a_release_that_loads_nothing_takes_no_slot_and_one_goes_back_past_it(
    warehouse: Engine, tmp_path: Path
) -> None:
    """Other rules or files that give the same rows: the record says so, the contents before stay to go back to."""
    for number in (1, 2):
        done(warehouse, replace(jobs(tmp_path, number), fingerprint=f"rules {number}"))
    for rules in ("rules 3", "rules 4"):
        same = done(warehouse, replace(jobs(tmp_path, 2), fingerprint=rules))
        assert same.tables["cities_jobs"].contents_id == 2
    assert {name for name in inspect(warehouse).get_table_names() if "__" in name} == {"cities_jobs__r1"}
    back = rollback(warehouse, None, keep=1)
    assert (back.id, back.tables["cities_jobs"].contents_id) == (5, 1)
    assert {row[3] for row in rows_of(warehouse, tables.cities_jobs)} == {1}
    assert rollback(warehouse, None, keep=1).tables["cities_jobs"].contents_id == 2
    assert {row[3] for row in rows_of(warehouse, tables.cities_jobs)} == {2}


def test_without_other_contents_there_is_nothing_to_go_back_to(warehouse: Engine, tmp_path: Path) -> None:
    for rules in ("rules 1", "rules 2"):
        done(warehouse, replace(jobs(tmp_path, 1), fingerprint=rules))
    with pytest.raises(WarehouseError, match="no release with other contents than the served to go back to; .*: none"):
        rollback(warehouse, None, keep=1)


def test_one_cannot_go_back_to_what_is_not_kept(warehouse: Engine, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        done(warehouse, jobs(tmp_path, number))
    with pytest.raises(WarehouseError, match="release 1 is no longer kept whole: cities_jobs__r1 is not there"):
        rollback(warehouse, 1, keep=1)
    assert {row[3] for row in rows_of(warehouse, tables.cities_jobs)} == {3}


def test_more_releases_are_kept_where_asked(warehouse: Engine, tmp_path: Path) -> None:
    for number in (1, 2, 3, 4):
        publish(warehouse, [jobs(tmp_path, number)], keep=2)
    assert {n for n in inspect(warehouse).get_table_names() if "__r" in n} == {"cities_jobs__r2", "cities_jobs__r3"}


def test_the_record_is_bounded_but_for_what_is_kept(warehouse: Engine, tmp_path: Path) -> None:
    def publish_next(*new: TableVersion) -> None:
        publish(warehouse, new, keep=2, keep_record=3)

    for number in (1, 2, 3):
        publish_next(jobs(tmp_path, number))
    for number in range(4, 10):  # other files with the same rows
        other = SourceFile("offers_dump", f"{number}.csv.bz2", "20211222", "1" * 64, 3)
        publish_next(TableVersion(tables.cities_jobs, jobs(tmp_path, 3).parts, [other]))
    assert [release.id for release in history(warehouse)] == [9, 8, 7, 2, 1]
    assert rollback(warehouse, 1, keep=2).contents() == {"cities_jobs": 1}
    assert {row[3] for row in rows_of(warehouse, tables.cities_jobs)} == {1}
    for number in range(11, 16):
        publish_next(jobs(tmp_path, number))
    assert [release.id for release in history(warehouse)] == [15, 14, 13, 12]


def test_the_tables_of_the_old_system_become_the_previous_release(warehouse: Engine, tmp_path: Path) -> None:
    with warehouse.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE cities_jobs (id INTEGER PRIMARY KEY, insee_code VARCHAR(255))")
        connection.exec_driver_sql("INSERT INTO cities_jobs VALUES (1, 'old')")
        connection.exec_driver_sql("CREATE TABLE migrations (name VARCHAR(255))")
    done(warehouse, jobs(tmp_path, 1))
    with warehouse.connect() as connection:
        old = connection.exec_driver_sql("SELECT insee_code FROM cities_jobs__r0").scalar_one()
    assert old == "old"
    assert {"migrations", "cities_jobs"} <= set(inspect(warehouse).get_table_names())
    done(warehouse, regions(tmp_path, 28))
    assert "migrations" in inspect(warehouse).get_table_names()


def test_contents_of_the_same_fingerprint_need_no_look(warehouse: Engine, tmp_path: Path) -> None:
    first = done(warehouse, replace(jobs(tmp_path, 1), fingerprint="a"))
    unseen = TableVersion(tables.cities_jobs, [tmp_path / "not there"], [SOURCE], "a")
    assert done(warehouse, unseen) == first


@pytest.mark.parametrize("large", [1, 50_000])
def test_a_diff_counts_rows_by_their_key_and_shows_the_first(
    warehouse: Engine, tmp_path: Path, large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.diff.LARGE", large)

    def region(code: int, delay: int | None) -> dict[str, Any]:
        return {"code": code, "name": "n", "average_delay_obtain_social_housing": delay}

    done(warehouse, contents(tmp_path, tables.new_regions, [region(1, 5), region(2, None), region(3, 7)]))
    done(warehouse, contents(tmp_path, tables.new_regions, [region(1, 5), region(2, 9), region(4, 7)]))
    assert diff(warehouse, 1, 2) == {
        "new_regions": {
            "added": Change(1, [{"code": 4}]),
            "removed": Change(1, [{"code": 3}]),
            "changed": Change(1, [{"code": 2, "columns": {"average_delay_obtain_social_housing": [None, 9]}}]),
        }
    }
    assert diff(warehouse, 2, 2) == {}
    done(warehouse, contents(tmp_path, tables.new_regions, [region(1, 5) | {"name": "N"}, region(2, 9), region(4, 7)]))
    assert diff(warehouse, 2, 3)["new_regions"]["changed"].first == [{"code": 1, "columns": {"name": ["n", "N"]}}]


def test_the_privileges_that_the_documents_name_suffice(mariadb_url: str, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    url, root = make_url(mariadb_url), connect(mariadb_url)
    statements = page.split("```sql\n")[1].split("```")[0]
    writer, reader = f"w_{url.database}"[:32], f"r_{url.database}"[:32]
    for old, new in (
        ("mobiville.*", f"{url.database}.*"),
        ("mobiville\\_", f"{url.database}\\_"),
        ("'mobiville'@", f"'{writer}'@"),
        ("'reader'@", f"'{reader}'@"),
        ("…", "secret"),
    ):
        statements = statements.replace(old, new)
    with root.begin() as connection:
        for statement in filter(None, map(str.strip, statements.split(";"))):
            connection.exec_driver_sql(statement.replace("%", "%%"))
    engine = connect(url.set(username=writer, password="secret").render_as_string(hide_password=False))
    for number in (1, 2):
        done(engine, jobs(tmp_path, number), regions(tmp_path, number))
    rollback(engine, None, keep=1)
    migrate(engine)
    file = backup(engine, tmp_path / "backups", keep=1)
    verify(engine, file)
    restore(engine, file, keep=1)
    only_reads = connect(url.set(username=reader, password="secret").render_as_string(hide_password=False))
    assert len(rows_of(only_reads, tables.cities_jobs)) == 3
    with pytest.raises(OperationalError, match="denied"), only_reads.begin() as connection:
        connection.exec_driver_sql("DELETE FROM cities_jobs")
    engine.dispose()
    only_reads.dispose()
    with root.begin() as connection:
        connection.exec_driver_sql(f"DROP USER '{writer}'@'%%', '{reader}'@'%%'")


def test_the_record_is_written_in_one_transaction_after_its_tables_are_made(warehouse: Engine, tmp_path: Path) -> None:
    """MariaDB commits at each CREATE: rows written before one would be seen without those that come after it."""
    done(warehouse, jobs(tmp_path, 1))
    statements: list[str] = []

    @event.listens_for(warehouse, "before_cursor_execute")
    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(" ".join(statement.split()))

    done(warehouse, jobs(tmp_path, 2))
    rows = [n for n, text in enumerate(statements) if re.match(r"INSERT INTO release\w*__next", text)]
    commits = [
        n
        for n, text in enumerate(statements)
        if re.match(r"(CREATE|DROP) TABLE release\w*__next", text.replace("IF EXISTS ", ""))
    ]
    assert len(rows) >= 6
    assert len(commits) >= 3
    assert max(commits) < min(rows)
