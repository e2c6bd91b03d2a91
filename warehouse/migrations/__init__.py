"""Alembic's revisions of the warehouse."""
