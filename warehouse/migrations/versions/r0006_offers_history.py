"""Weekly offers."""

import sqlalchemy as sa

from warehouse.migrations.steps import create_table

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Empty until the next refresh."""
    create_table(
        "offers_history",
        sa.Column("week", sa.Date(), primary_key=True, comment="the week's Monday"),
        sa.Column(
            "code_region", sa.Integer(), primary_key=True, autoincrement=False, comment="code of the region since 2016"
        ),
        sa.Column("rome_id", sa.String(10), primary_key=True, comment="ROME code"),
        sa.Column(
            "number", sa.Integer(), nullable=False, comment="offers, number: the mean over the week's dumps, rounded"
        ),
        sa.Column("days", sa.Integer(), nullable=False, comment="dumps in that week, number"),
        sa.Index("ix_offers_history_rome_id", "rome_id"),
        comment="Job offers per week, region and ROME, from every daily dump of the datalake",
    )
