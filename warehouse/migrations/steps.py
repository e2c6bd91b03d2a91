"""Steps of migrations that look before they act.

A refresh makes tables too, of the newest description, and MariaDB ends a transaction at every change of a table: so
a revision may find that a part of it is done.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

_MARIADB: dict[str, Any] = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_general_ci"))
}


def create_table(name: str, *content: Any, comment: str | None = None) -> None:
    """Make the table, with its indexes, where none has its name."""
    if sa.inspect(op.get_bind()).has_table(name):
        return
    op.create_table(name, *content, comment=comment, **_MARIADB)


def add_column(table: str, column: sa.Column[Any], fill: str | None = None) -> None:
    """Add a column where the table lacks it; one that is never NULL has `fill` in the rows that are there."""
    if column.name in {there["name"] for there in sa.inspect(op.get_bind()).get_columns(table)}:
        return
    if fill is not None:
        column.server_default = sa.DefaultClause(fill)
    with op.batch_alter_table(table) as batch:
        batch.add_column(column)
    if fill is None:
        return
    with op.batch_alter_table(table) as batch:
        batch.alter_column(column.name, server_default=None, existing_type=column.type, existing_nullable=False)
