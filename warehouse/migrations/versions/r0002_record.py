"""The record says what kind of release it is, and what contents were made with."""

import sqlalchemy as sa

from warehouse.migrations.steps import add_column

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Releases so far were refreshes; no fingerprint is equal to that of contents to come, so they get a look."""
    status = sa.Column("status", sa.String(16), nullable=False, comment="published, rollback or restore")
    add_column("releases", status, "published")
    comment = "of the inputs and rules the contents were made with"
    add_column("release_tables", sa.Column("fingerprint", sa.String(64), nullable=False, comment=comment), "")
