"""What Alembic runs for every command: on the connection that `warehouse.migrate` gives, or, when a developer calls
`alembic revision --autogenerate`, on the warehouse of MOBIVILLE_WAREHOUSE_URL.
"""

import os

from alembic import context

from warehouse.database import connect
from warehouse.migrate import options


def _run(connection: object) -> None:
    context.configure(connection=connection, **options())  # type: ignore[arg-type]
    with context.begin_transaction():
        context.run_migrations()


if given := context.config.attributes.get("connection"):
    _run(given)
else:
    with connect(os.environ["MOBIVILLE_WAREHOUSE_URL"]).begin() as own:
        _run(own)
