"""Texts are compared as the tables' collation compares them."""

import itertools

from sqlalchemy import create_engine

from warehouse import tables
from warehouse.text import as_compared

TEXTS = [
    *(
        "aide-été",
        "aide-ete",
        "AIDE-ÉTÉ ",
        "aide-e\u0301te\u0301",
        " aide-ete",
        "aide_ete",
        "straße",
        "strase",
        "strasse",
    ),
    *(
        "cœur",
        "coeur",
        "CŒUR",
        "Æ",
        "ae",
        "ÿ",
        "Y",
        "ı",
        "i",
        "İ",
        "ø",
        "o",
        "Ł",
        "l",
        "\u00a0",
        "",
        " ",
        "😀",
        "🎉",
        "a\t",
        "a",
    ),
    *("x".join(map(chr, range(0xC0 + n, 0x180, 2))) for n in (0, 1)),
]


def test_the_collation_is_said_with_the_tables() -> None:
    assert {table.dialect_options["mysql"]["collate"] for table in tables.SERVED} == {"utf8mb4_general_ci"}


def test_texts_compare_as_mariadb_compares_them(mariadb_url: str) -> None:
    pairs = list(itertools.combinations([*TEXTS, *map(chr, range(0xC0, 0x180)), *"abcdefghijklmnopqrstuvwxyz"], 2))
    query = "SELECT " + ", ".join(["(_utf8mb4 %s COLLATE utf8mb4_general_ci = _utf8mb4 %s)"] * 500)
    engine = create_engine(mariadb_url)
    with engine.connect() as connection:
        for start in range(0, len(pairs), 500):
            chunk = (pairs[start : start + 500] + pairs)[:500]
            found = connection.exec_driver_sql(query, tuple(itertools.chain(*chunk))).one()
            assert [as_compared(a) == as_compared(b) for a, b in chunk] == [bool(same) for same in found]
    engine.dispose()
