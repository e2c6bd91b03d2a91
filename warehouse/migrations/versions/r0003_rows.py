"""The record says what became of every row of a file."""

import sqlalchemy as sa

from warehouse.migrations.steps import add_column

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Of releases so far, only the rows read are known."""
    for name, what in (
        ("rows_used", "rows of which each gave a row or a value of its own, number"),
        ("rows_merged", "rows that went into what another gave, number"),
        ("rows_rejected", "rows that were left out, each with its reason, number"),
    ):
        add_column("release_sources", sa.Column(name, sa.Integer, comment=what))
