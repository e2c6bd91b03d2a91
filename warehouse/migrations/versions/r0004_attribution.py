"""A description and a photo say whose they are, and under which licence."""

import sqlalchemy as sa

from warehouse.migrations.steps import add_column

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """NULL until the next refresh."""
    for column in (
        sa.Column("description_url", sa.Text(), comment="address of that article: attribution goes with the text"),
        sa.Column("description_revision", sa.Integer(), comment="revision of the article that the introduction is of"),
        sa.Column("description_licence", sa.String(255), comment="licence of the introduction"),
        sa.Column("photo_page", sa.Text(), comment="page that says whose the photo is, and under which licence"),
    ):
        add_column("cities", column)
