"""An installation of 0.1.0 is upgraded, refreshed and rolled back."""

import subprocess
import tarfile
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import Connection, make_url, text

from tests.pipelines.conftest import Command
from warehouse.database import connect

FIXTURE = Path(__file__).with_name("installation-0.1.0.tar.xz")
AIN = text("SELECT rent_t4 FROM departements WHERE code = '01'")
LOADED_BY = text("SELECT contents_id FROM release_tables WHERE table_name = :name ORDER BY release_id DESC LIMIT 1")


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """The unpacked installation, where `mobiville` looks when nothing is set."""
    with tarfile.open(FIXTURE) as archive:
        archive.extractall(tmp_path / "var", filter="data")
    return tmp_path / "var"


@pytest.fixture
def old_warehouse(request: pytest.FixtureRequest, installation: Path) -> str:
    """The URL of the warehouse that 0.1.0 left, in SQLite or MariaDB."""
    if request.param == "sqlite":
        return f"sqlite:///{installation / 'warehouse.db'}"
    url: str = request.getfixturevalue("mariadb_url")
    at = make_url(url)
    login = [f"--host={at.host}", f"--port={at.port}", f"--user={at.username}"]
    with (installation / "mariadb.sql").open("rb") as dump:
        subprocess.run(["mariadb", *login, str(at.database)], stdin=dump, check=True)
    return url


@pytest.mark.parametrize("old_warehouse", ["sqlite", "mariadb"], indirect=True)
def test_an_installation_is_upgraded_refreshed_and_rolled_back(mobiville: Command, old_warehouse: str) -> None:
    def ok(*arguments: str) -> str:
        ended = mobiville(*arguments, warehouse_url=old_warehouse)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def warehouse() -> Connection:
        return connect(old_warehouse).connect()

    assert "Release 2" in ok("status")
    ok("migrate")
    assert "Release 2" in ok("status")

    ok("refresh", "--sample")
    with warehouse() as connection:
        assert connection.execute(AIN).scalar_one() == 880
        assert connection.execute(LOADED_BY, {"name": "departements"}).scalar_one() == 3
        for same in ("helps", "rome_codes", "new_regions"):  # other code, equal contents: nothing is loaded
            assert connection.execute(LOADED_BY, {"name": same}).scalar_one() == 1, same

    ok("rollback")
    with warehouse() as connection:
        assert connection.execute(AIN).scalar_one() == 882
    ok("rollback", "--to", "3")
    with warehouse() as connection:
        assert connection.execute(AIN).scalar_one() == 880


def test_the_history_of_runs_and_the_backup_of_the_old_version_are_read(mobiville: Command, installation: Path) -> None:
    with dg.DagsterInstance.from_config(str(installation / "dagster")) as instance:
        assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.SUCCESS] * 2
    (backup,) = (installation / "backups").glob("*.bz2")
    for command in ("verify", "restore"):
        ended = mobiville(command, str(backup))
        assert ended.returncode == 0, ended.stderr
    with connect(f"sqlite:///{installation / 'warehouse.db'}").connect() as connection:
        assert connection.execute(AIN).scalar_one() == 882
