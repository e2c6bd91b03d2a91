"""What communes were before: table `former_communes`."""

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, select

from api.search.text import fold, hyphened
from warehouse import tables


class Former:
    """The codes and names that communes had, and the communes that they are in now."""

    def __init__(self, connection: Connection) -> None:
        row = tables.former_communes.c
        found = connection.execute(select(row.code, row.name, row.current_code).order_by(row.code)).all()
        self.current: dict[str, str] = {code: current for code, _, current in found}
        """Of each former code that of the present commune."""
        self.of_city: dict[str, list[dict[str, Any]]] = defaultdict(list)
        """Of a present commune, code and name of those that are in it, by code."""
        for code, name, current in found:
            self.of_city[current].append({"code": code, "name": name})
        self.names = sorted((hyphened(fold(name)), current) for _, name, current in found if name)
        """Folded names with the present code, by name."""

    def now(self, insee: str) -> str:
        """The code of the commune that one is in now: of a former code that of the present commune, else the same."""
        return self.current.get(insee, insee)
