"""How MariaDB finds what the routes ask for: by a key, and never by reading a whole large table."""

from collections.abc import Iterator

import pytest
from sqlalchemy import event

from api.database import Database, Snapshot
from api.models import Search
from api.routes import cities
from api.search import tension
from api.search.places import places

BY_KEY = {
    "cities": {"uq_cities_insee_com"},
    "new_regions": {"uq_new_regions_code"},
    "cities_jobs": {"ix_cities_jobs_insee_code_rome_id", "ix_cities_jobs_rome_id"},
    "tensions": {"ix_tensions_rome"},
    "equipments": {"ix_equipments_depcom_typequ"},
    "departements": {"PRIMARY"},
    "releases": {"PRIMARY"},
}
"""The keys that may be used. The 18 regions are read whole where that is quicker, which is MariaDB's to say."""
SMALL = {"new_regions"}


@pytest.fixture(scope="module")
def database(sample_in_mariadb: str) -> Iterator[Database]:
    database = Database(sample_in_mariadb)
    yield database
    database.close()


def test_a_search_and_a_city_are_found_by_keys(database: Database) -> None:
    def work(snapshot: Snapshot) -> None:
        cities._search(snapshot, Search(codeRome=["D1102"], codeRegion=[53]))
        cities._load(snapshot, "29019")

    database.read(lambda snapshot: (snapshot.once(places), snapshot.once(tension.labels)))  # once per release
    asked: list[tuple[str, object]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    database.read(work)
    event.remove(database.engine, "before_cursor_execute", note)
    assert len(asked) == 8
    used: dict[str, str | None] = {}
    with database.engine.connect() as connection:
        for statement, parameters in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).mappings()  # type: ignore[arg-type]
            used |= {row["table"]: row["key"] for row in plan}
    assert used.keys() == BY_KEY.keys()
    wrong = {table: key for table, key in used.items() if key not in BY_KEY[table] and table not in SMALL}
    assert wrong == {}


def test_pages_read_no_more_cities_than_they_answer(database: Database) -> None:
    """The total included: it is counted in the process, and ten rows come from the database."""
    read: list[int] = []

    def note(_c: object, cursor: object, statement: str, *_: object) -> None:
        if "FROM cities " in statement:
            read.append(cursor.rowcount)  # type: ignore[attr-defined]

    database.read(lambda snapshot: snapshot.once(places))
    event.listen(database.engine, "after_cursor_execute", note)
    found = database.read(lambda s: cities._search(s, Search(codeRome=["D1102"], index=20)))
    event.remove(database.engine, "after_cursor_execute", note)
    assert found["total"] > 50
    assert read == [10]
