"""Job titles are found as a person would expect."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import create_engine
from sqlalchemy import text as sql
from sqlalchemy.exc import DBAPIError

from api.search.text import fold, words
from api.search.titles import SYNONYMS, Titles

TITLES = [
    ("D1102", "Boulanger / Boulangère"),
    ("D1102", "Aide-boulanger / Aide-boulangère"),
    ("D1102", "Tourier / Tourière en boulangerie"),
    ("D1106", "Vendeur / Vendeuse en boulangerie-pâtisserie"),
    ("J1501", "Aide-soignant / Aide-soignante"),
    ("J1501", "Aide-soignant / Aide-soignante de nuit"),
    ("I1203", "Agent / Agente d'entretien de l'eau"),
    ("K2306", "Technicien / Technicienne de traitement des eaux"),
    ("M1805", "Développeur / Développeuse C++"),
    ("M1805", "Développeur / Développeuse C#"),
    ("M1805", "Développeur / Développeuse web"),
    ("N4103", "Chauffeur / Chauffeuse de cœur_de_ville"),
    ("A1101", "Conducteur / Conductrice d'engins, « Agriculture »"),
]


def labels(text: str) -> list[str]:
    return [label for _, label in Titles(TITLES).search(text)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("boulang", "Boulanger / Boulangère"),
        ("BOULANGÈRE", "Boulanger / Boulangère"),
        ("boulangere", "Boulanger / Boulangère"),
        ("aide-boulanger", "Aide-boulanger / Aide-boulangère"),
        ("aide boul", "Aide-boulanger / Aide-boulangère"),
        ("aide soignant de nuit", "Aide-soignant / Aide-soignante de nuit"),
        ("l'eau", "Agent / Agente d'entretien de l'eau"),
        ("l’eau", "Agent / Agente d'entretien de l'eau"),
        ("C++", "Développeur / Développeuse C++"),
        ("c#", "Développeur / Développeuse C#"),
        ("developpeur c++", "Développeur / Développeuse C++"),
        ("coeur", "Chauffeur / Chauffeuse de cœur_de_ville"),
        ("ville", "Chauffeur / Chauffeuse de cœur_de_ville"),
        ("+boulanger* -aide", "Aide-boulanger / Aide-boulangère"),
        ('"agriculture"', "Conducteur / Conductrice d'engins, « Agriculture »"),
        ("(boulanger) AND NOT <pain>", "Boulanger / Boulangère"),
        ("boulanger qui aime Paris", "Boulanger / Boulangère"),
        ("d1102", "Boulanger / Boulangère"),
        ("soignantes", "Aide-soignant / Aide-soignante"),
        ("aides soignantes de nuit", "Aide-soignant / Aide-soignante de nuit"),
        ("boulanjer", "Boulanger / Boulangère"),
        ("devloppeur web", "Développeur / Développeuse web"),
        ("as", "Aide-soignant / Aide-soignante"),
        ("dev web", "Développeur / Développeuse web"),
    ],
)
def test_the_best_match_is_first(text: str, first: str) -> None:
    assert labels(text)[0] == first


def test_the_last_word_may_be_a_beginning_and_the_others_are_whole() -> None:
    assert labels("boulang") == [TITLES[0][1], TITLES[1][1], TITLES[2][1], TITLES[3][1]]
    assert labels("zzz boulang") == labels("boulang")


def test_more_words_that_fit_come_before_fewer() -> None:
    assert labels("vendeuse boulangerie")[:2] == [TITLES[3][1], TITLES[2][1]]


@pytest.mark.parametrize("text", ["", "   ", '+-*"()~<>@%_', "%", "_", "\x00", "''", "zzz", "🙂"])
def test_what_has_no_word_of_a_title_finds_nothing(text: str) -> None:
    assert labels(text) == []


@given(st.text())
def test_any_text_finds_only_titles_with_one_of_its_words(text: str) -> None:
    asked = words(text)
    assume(" ".join(asked) not in SYNONYMS)
    for label in labels(text):
        assert any(found.startswith(word) for found in words(label) for word in asked)


@given(st.text())
def test_a_folded_text_stays_as_it_is(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize("text", ["a" * 10_000, "boulanger " * 1_000, "é' " * 3_000, " ".join(map(str, range(2_000)))])
def test_long_texts_are_answered(client: TestClient, text: str) -> None:
    assert client.post("/cities/search-by-skill", json={"label": text}).status_code == 200


def test_why_fulltext_is_not_asked(sample_in_mariadb: str) -> None:
    engine = create_engine(sample_in_mariadb)
    boolean = sql("SELECT ogr_label FROM romeogrs WHERE MATCH(ogr_label) AGAINST(:words IN BOOLEAN MODE)")
    with engine.connect() as connection:
        assert connection.execute(boolean, {"words": "+boulang*"}).all()
        for words_ in ("C++", "+-*", "(boulanger@"):
            with pytest.raises(DBAPIError, match="syntax error"):
                connection.execute(boolean, {"words": words_})
    engine.dispose()


def test_the_route_answers_ten_titles_with_their_rome(client: TestClient, served: dict[str, list[Any]]) -> None:
    known = {(row["code_rome"], row["ogr_label"]) for row in served["romeogrs"]}
    found = client.post("/cities/search-by-skill", json={"label": "a"}).json()
    assert len(found) == 10
    assert {(item["codeRome"], item["label"]) for item in found} <= known


def test_another_name_comes_after_titles_that_have_it() -> None:
    titles = [("M1805", "Développeur / Développeuse informatique"), ("A1101", "Dev"), ("M1805", "Développeur web")]
    assert Titles(titles).search("dev")[0] == ("A1101", "Dev")


def test_the_synonyms_are_folded_and_each_says_something() -> None:
    assert list(SYNONYMS) == sorted(SYNONYMS)
    for asked, title in SYNONYMS.items():
        assert (" ".join(words(asked)), " ".join(words(title))) == (asked, title)
        assert asked != title


def test_a_code_that_has_no_title_finds_nothing() -> None:
    assert labels("K9999") == []
