"""Set-ups that are unusual and should work."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from tests.warehouse.factories import contents, done, jobs
from warehouse import tables
from warehouse.backup import backup, restore, verify
from warehouse.damage import damage
from warehouse.database import connect
from warehouse.migrate import migrate
from warehouse.record import SourceFile
from warehouse.release import current_release

ROWS = [{"title": text, "count_vue": 0} for text in ("back\\\\slash", "é😀", "quote'", "100 %s")]


@pytest.fixture
def other_database(mariadb_server: str) -> Iterator[str]:
    """A database whose name has a dash, of another character set."""
    server = connect(f"{mariadb_server}/mysql")
    with server.begin() as connection:
        connection.exec_driver_sql("CREATE DATABASE `mobiville-prod` CHARACTER SET latin1")
    yield make_url(mariadb_server).set(database="mobiville-prod").render_as_string(hide_password=False)
    with server.begin() as connection:
        connection.exec_driver_sql("DROP DATABASE `mobiville-prod`")
    server.dispose()


def test_a_latin1_database_with_a_dash_in_its_name(other_database: str, tmp_path: Path) -> None:
    engine = connect(other_database)
    (tmp_path / "new").mkdir()
    emoji = SourceFile("helps", "aides 😀.json", None, "0" * 64)
    done(engine, contents(tmp_path / "new", tables.helps, ROWS, emoji), jobs(tmp_path / "new", 1))
    migrate(engine)
    file = backup(engine, tmp_path / "backups", keep=1)
    verify(engine, file)
    restored = restore(engine, file, keep=1)
    assert restored.tables["helps"].sources == [emoji]
    assert damage(engine, current_release(engine), deep=True) == {}
    engine.dispose()


@pytest.mark.parametrize("folder", ["it's", "100%", "é %s"])
def test_a_temporary_folder_of_any_name(
    mariadb_url: str, tmp_path: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / "new").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / folder))
    assert done(connect(mariadb_url), jobs(tmp_path / "new", 1)).tables["cities_jobs"].rows == 3


def test_a_server_on_which_backslashes_do_not_escape(mariadb_url: str, tmp_path: Path) -> None:
    engine = connect(mariadb_url)
    (tmp_path / "new").mkdir()
    with engine.connect() as connection:
        before = connection.exec_driver_sql("SELECT @@GLOBAL.sql_mode").scalar_one()
        connection.exec_driver_sql("SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES'")
    try:
        fresh = connect(mariadb_url)
        done(fresh, contents(tmp_path / "new", tables.helps, ROWS))
        file = backup(fresh, tmp_path / "backups", keep=1)
        verify(fresh, file)
        restore(fresh, file, keep=1)
        assert damage(fresh, current_release(fresh), deep=True) == {}
        fresh.dispose()
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql("SET GLOBAL sql_mode = %s", (before,))


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become another user")
def test_a_user_id_that_has_no_name() -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("LOGNAME", "USER", "LNAME", "USERNAME")}
    code = "import os, warehouse.record as record; os.setuid(54321); print(record.account())"
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout == "uid 54321\n"
