"""Bringing the tables of an earlier version of this project forward, with Alembic.

Every refresh makes the tables it loads, and the record, as `warehouse.tables` describes them; so migrations are for
the record, whose rows must live on, and for served tables between two refreshes. What is served stays served.
"""

import re
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import JSON, Connection, Engine

from warehouse import tables
from warehouse.lock import only_writer

VERSION_TABLE = "mobiville_alembic"
"""Where Alembic keeps the revision; the old system has a table `migrations` of its own, which is left alone."""

_OTHERS = re.compile(rf"migrations|{VERSION_TABLE}|.*__(next|old|r\d+)")
"""Tables that `warehouse.tables` does not describe: the old system's, Alembic's, those beside the served ones."""

_NOW = {"now()", "current_timestamp()", "CURRENT_TIMESTAMP"}


def migrate(engine: Engine) -> str:
    """Bring the warehouse to today's revision; return it. Nothing happens where it is there already.

    Tables that are not there are made, empty; rows stay as they are. Holds the warehouse's lock. A killed run is
    finished by the next one.
    """
    with only_writer(engine):
        return upgrade(engine)


def upgrade(engine: Engine) -> str:
    """`migrate` for a caller that is the only writer already."""
    config = Config()
    config.set_main_option("script_location", (Path(__file__).parent / "migrations").as_posix().replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return str(revision(connection))


def revision(connection: Connection) -> str | None:
    """The revision the warehouse is at; None where it was never migrated."""
    return MigrationContext.configure(connection, opts=options()).get_current_revision()


def differences(engine: Engine) -> list[Any]:
    """What sets the tables that are there apart from `warehouse.tables`, as Alembic's autogenerate finds it.

    The comment of a column is no difference: every load writes it.
    """
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options())
        found = compare_metadata(context, context.opts["target_metadata"])
    return [d for d in found if not (isinstance(d, list) and all(change[0] == "modify_comment" for change in d))]


def options() -> dict[str, Any]:
    """How Alembic looks at the warehouse, here and in `migrations/env.py`."""
    return {
        "target_metadata": [tables.metadata, tables.record],
        "version_table": VERSION_TABLE,
        "include_name": _is_ours,
        "compare_type": _type_differs,
        "compare_server_default": _default_differs,
    }


def _is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    return kind != "table" or name is None or not _OTHERS.fullmatch(name)


def _type_differs(context: Any, _found: Any, _described: Any, _found_type: Any, described_type: Any) -> bool | None:
    """None leaves it to Alembic; MariaDB's JSON is another name of LONGTEXT, which Alembic takes for a difference."""
    return False if isinstance(described_type, JSON) and context.dialect.name != "sqlite" else None


def _default_differs(
    _context: Any, _found: Any, _described: Any, found_default: str | None, _default: Any, described_default: str | None
) -> bool | None:
    """None leaves it to Alembic; the present time has several names."""
    return False if {found_default, described_default} <= _NOW else None
