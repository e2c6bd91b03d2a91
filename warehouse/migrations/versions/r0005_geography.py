"""One geography: former commune codes, and the names of communes as INSEE writes them."""

import sqlalchemy as sa

from warehouse.migrations.steps import add_column, create_table

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Empty and NULL until the next refresh."""
    create_table(
        "former_communes",
        sa.Column("code", sa.String(5), primary_key=True, comment="INSEE code that was a commune's"),
        sa.Column("name", sa.String(255), comment="name of the commune that had it, where one is known"),
        sa.Column(
            "current_code", sa.String(255), nullable=False, comment="INSEE code of the commune that it is in now"
        ),
        sa.Column("population", sa.Double(), comment="inhabitants in the communes file, thousands"),
        comment="Codes that communes had before, and the communes that they are in now; empty without a COG",
    )
    add_column(
        "cities",
        sa.Column("name", sa.String(255), comment="name as INSEE writes it, with accents; NULL without a COG"),
    )
