"""Backups of a MariaDB warehouse: the SQL that mariadb-dump writes."""

import hashlib
import re
import secrets
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Collection, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine

from warehouse.backup.dump import statements
from warehouse.backup.stream import CompressedFile, Progress
from warehouse.database import connect
from warehouse.errors import WarehouseError


def digests(engine: Engine, names: Iterable[str]) -> dict[str, str]:
    """The sha256 of each table's rows, as a dump of them has them."""
    found = _Digests()
    for line in _dumped(engine.url, list(names)):
        found.add(line)
    return found.of(names)


def write(engine: Engine, names: list[str], out: CompressedFile, _partial: Path) -> dict[str, str]:
    """Write the SQL that makes and fills the tables, all from one moment."""
    found = _Digests()
    with closing(_dumped(engine.url, names)) as lines:  # however it ends, the server's snapshot ends with it
        for line in lines:
            found.add(line)
            out.write(line)
    return found.of(names)


class _Digests:
    """The sha256 of each table's rows, from the lines of a dump, whose every INSERT may hold many rows.

    The words around the rows and where one INSERT ends do not count: they differ between versions of the program.
    """

    def __init__(self) -> None:
        self._of: defaultdict[str, Any] = defaultdict(hashlib.sha256)
        self._table = ""

    def add(self, line: bytes) -> None:
        if start := re.match(rb"INSERT INTO `(\w+)` VALUES\s*", line):
            self._table = start[1].decode()
            line = line[start.end() :]
        elif not line.startswith(b"("):
            return
        if line:
            self._of[self._table].update(line.rstrip(b"\n")[:-1])  # without the comma or semicolon

    def of(self, names: Iterable[str]) -> dict[str, str]:
        return {name: self._of[name].hexdigest() for name in names}


def _dumped(url: URL, names: list[str]) -> Generator[bytes, None, None]:
    """The lines of mariadb-dump."""
    options = [
        *("--single-transaction", "--order-by-primary", "--skip-comments", "--skip-triggers", "--no-tablespaces"),
        *("--skip-add-locks", "--skip-disable-keys", "--default-character-set=utf8mb4", "--max-allowed-packet=1G"),
    ]
    command = [_program("mariadb-dump", "mysqldump"), *options]
    with _running(url, command, [str(url.database), *names]) as process:
        assert process.stdout
        yield from process.stdout


def _fill(url: URL, file: Path, names: Collection[str], progress: Progress) -> None:
    """Make and fill the tables of a dump, once all of it is read and found to be a dump of them and nothing else."""
    for _ in statements(file, names, progress):
        pass
    engine = connect(url.render_as_string(hide_password=False), local_infile=False)
    try:
        with engine.begin() as connection, closing(connection.connection.cursor()) as cursor:
            cursor.execute("SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO', unique_checks = 0")
            for statement in statements(file, names, progress):
                cursor.execute(statement)
    finally:
        engine.dispose()


def _program(*names: str) -> str:
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        raise WarehouseError(
            f"the program {names[0]} is not there: backups of MariaDB need its client programs "
            "(Debian, Ubuntu: apt install mariadb-client; Fedora: dnf install mariadb; macOS: brew install mariadb)"
        )
    return found


@contextmanager
def _running(url: URL, command: list[str], arguments: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A client program that knows how to reach the server; WarehouseError with its own words when it fails.

    It reads the password from a file that has no name: no command line shows it, and no kill leaves it behind.
    """
    with tempfile.TemporaryFile() as options, tempfile.TemporaryFile() as said:
        options.write(_client_options(url).encode())
        options.flush()
        called = [command[0], f"--defaults-file=/dev/fd/{options.fileno()}", *command[1:], *arguments]
        with subprocess.Popen(  # noqa: S603
            called, stdout=subprocess.PIPE, stderr=said, pass_fds=[options.fileno()]
        ) as process:
            yield process
        if process.returncode:
            said.seek(0)
            words = said.read().decode(errors="replace").strip().splitlines() or ["no word of why"]
            raise WarehouseError(f"{Path(command[0]).name} ended with {process.returncode}: {words[-1]}")


def _client_options(url: URL) -> str:
    """The option file of the client programs: server and account, as SQLAlchemy and PyMySQL read them from a URL."""
    found = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "socket": url.query.get("unix_socket"),
        "ssl-ca": url.query.get("ssl_ca"),
        "ssl-cert": url.query.get("ssl_cert"),
        "ssl-key": url.query.get("ssl_key"),
        # Newer clients refuse a server whose certificate nobody vouches for; PyMySQL does when told whom to trust.
        "loose-ssl-verify-server-cert": "1" if "ssl_ca" in url.query else "0",
    }
    lines = [f"{name}={_quoted(str(value))}" for name, value in found.items() if value is not None]
    return "\n".join(["[client]", *lines, ""])


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


@contextmanager
def scratch(engine: Engine, purpose: str, file: Path, names: Collection[str], progress: Progress) -> Iterator[str]:
    """The URL of a database that holds what a backup gives, on the same server."""
    url = engine.url
    left = re.compile(rf"{re.escape(str(url.database))}_(verify|restore)_[0-9a-f]{{8}}")
    name = f"{url.database}_{purpose}_{secrets.token_hex(4)}"
    with engine.connect() as connection:
        for database in connection.exec_driver_sql("SHOW DATABASES").scalars().all():
            if left.fullmatch(database):
                connection.exec_driver_sql(f"DROP DATABASE `{database}`")
        connection.exec_driver_sql(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
    try:
        there = url.set(database=name)
        _fill(there, file, names, progress)
        yield there.render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE `{name}`")


def bring(engine: Engine, source: Engine, names: Iterable[str]) -> None:
    """Move the tables to `<table>__next` of the warehouse, in one step."""
    here, there = engine.url.database, source.url.database
    renames = ", ".join(f"`{there}`.{name} TO `{here}`.{name}__next" for name in names)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"RENAME TABLE {renames}")
