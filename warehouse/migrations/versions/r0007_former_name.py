"""The name that a commune's own part had before others joined it."""

import sqlalchemy as sa

from warehouse.migrations.steps import add_column

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """NULL until the next refresh."""
    comment = (
        "name of the commune that had this code before others joined it, where it is delegated or associated still"
    )
    add_column("cities", sa.Column("former_name", sa.String(255), comment=comment))
