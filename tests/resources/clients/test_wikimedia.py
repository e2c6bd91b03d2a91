import pytest

from resources.clients.http import Http
from resources.clients.jsonl_cache import read_cache
from resources.clients.wikimedia import CACHE_FILE, Wikimedia, fetch_descriptions, plain
from resources.errors import ServiceError
from resources.settings import Settings
from tests.services import Answer, Asked, Service


class Wiki:
    """Wikidata and Wikipedia, of articles by INSEE code: title, and whether the commune is no more."""

    def __init__(self, outside: Service, articles: dict[str, str], ended: tuple[str, ...] = ()) -> None:
        self.articles = articles
        self.ended = ended
        self.outside = outside
        outside.on("/sparql", self.sparql)
        outside.on("/w/api.php", self.pages)

    def sparql(self, asked: Asked) -> Answer:
        rows = [
            {"code": {"value": code}, "title": {"value": title}}
            | ({"end": {"value": "2019-01-01T00:00:00Z"}} if title in self.ended else {})
            for title, code in ((title, code.partition(" ")[0]) for code, title in self.articles.items())
            if f'"{code}"' in asked.query["query"]
        ]
        return Answer({"results": {"bindings": rows}})

    def pages(self, asked: Asked) -> Answer:
        pages = [
            {
                "title": title,
                "extract": f"{title} (prononcé [x]) est une commune.",
                "original": {"source": f"https://upload/{title}.jpg"},
                "pageimage": f"{title}.jpg",
                "fullurl": f"https://fr.wikipedia.org/wiki/{title}",
                "lastrevid": 7,
            }
            for title in asked.query["titles"].split("|")
        ]
        return Answer({"query": {"pages": pages}})


@pytest.fixture
def client(settings: Settings) -> Wikimedia:
    return Wikimedia(settings, Http.from_settings(settings))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Lyon (/ljɔ̃/ (écouter)) est une commune [note 1].", "Lyon est une commune."),
        ("Une (aside), puis [une autre] fin", "Une, puis fin"),
        ("Rien", "Rien"),
        ("Une parenthèse (jamais fermée", "Une parenthèse (jamais fermée"),
        ("Fermée) sans être ouverte", "Fermée) sans être ouverte"),
        ("Un.\n\n\nDeux  (x) trois.", "Un.\nDeux trois."),
        ("", ""),
    ],
)
def test_text_in_brackets_is_removed(text: str, expected: str) -> None:
    assert plain(text) == expected


def test_the_article_is_found_by_code_and_a_dissolved_commune_comes_last(outside: Service, client: Wikimedia) -> None:
    rows = [("93066", "Saint-Denis (Seine-Saint-Denis)", False), ("97411", "Saint-Denis (La Réunion)", False)]
    rows += [("49001", "Aaa ancienne", True), ("49001", "Les Alleuds", False), ("49002", "Seule ancienne", True)]
    bindings = [
        {"code": {"value": code}, "title": {"value": title}} | ({"end": {"value": "2019"}} if ended else {})
        for code, title, ended in rows
    ]
    outside.on("/sparql", Answer({"results": {"bindings": bindings}}))
    assert client.titles(["93066", "97411", "49001", "49002"]) == {
        "93066": "Saint-Denis (Seine-Saint-Denis)",
        "97411": "Saint-Denis (La Réunion)",
        "49001": "Les Alleuds",
        "49002": "Seule ancienne",
    }
    query = outside.asked[0].query["query"]
    assert 'VALUES ?code { "93066" "97411" "49001" "49002" }' in query
    assert "wdt:P374" in query


def test_a_response_in_parts_is_joined_and_redirects_are_followed(outside: Service, client: Wikimedia) -> None:
    first = {
        "continue": {"excontinue": 1, "continue": "||"},
        "query": {
            "redirects": [{"from": "Lyon (ville)", "to": "Lyon"}],
            "pages": [{"title": "Lyon", "fullurl": "https://fr.wikipedia.org/wiki/Lyon", "lastrevid": 12}],
        },
    }
    page = {"title": "Lyon", "extract": "Lyon (/ljɔ̃/) est là.", "original": {"source": "https://upload/l.jpg"}}
    second = {"query": {"pages": [page | {"pageimage": "Lyon vue.jpg"}, {"title": "Nulle part", "missing": True}]}}
    outside.on("/w/api.php", Answer(first), Answer(second))
    assert client.articles(["Lyon (ville)", "Nulle part"]) == {
        "Lyon (ville)": {
            "title": "Lyon",
            "description": "Lyon est là.",
            "photo": "https://upload/l.jpg",
            "photo_page": "https://fr.wikipedia.org/wiki/Fichier:Lyon%20vue.jpg",
            "url": "https://fr.wikipedia.org/wiki/Lyon",
            "revision": 12,
            "licence": "CC BY-SA 4.0",
        }
    }
    assert outside.asked[0].query["maxlag"] == "5"
    assert outside.asked[1].query["excontinue"] == "1"


def test_a_service_that_lags_is_retried(outside: Service, client: Wikimedia) -> None:
    lag = Answer({"error": {"code": "maxlag", "info": "7 seconds lagged"}}, headers={"Retry-After": "0"})
    page = {"title": "Lyon", "extract": "Lyon."}
    outside.on("/w/api.php", lag, lag, Answer({"query": {"pages": [page]}}))
    assert client.articles(["Lyon"])["Lyon"]["description"] == "Lyon."
    outside.on("/w/api.php", lag)
    with pytest.raises(ServiceError, match="Wikipedia is busy"):
        client.articles(["Lyon"])


def test_communes_are_requested_in_batches_and_once(outside: Service, client: Wikimedia, settings: Settings) -> None:
    codes = [f"{number:05}" for number in range(1001, 1101)]
    Wiki(outside, {code: f"Ville {code}" for code in codes[:90]})
    done = fetch_descriptions(client, settings.cache, codes, 60, print)
    assert (done.requested, done.found, done.left) == (100, 90, 0)
    assert len(outside.asked_for("/sparql")) == 2
    assert len(outside.asked_for("/w/api.php")) == 5
    entry = read_cache(settings.cache / CACHE_FILE)["01001"]
    assert entry["description"] == "Ville 01001 est une commune."
    assert entry["revision"] == 7
    assert fetch_descriptions(client, settings.cache, codes, 60, print).requested == 0
    assert len(outside.asked) == 7


def test_a_run_stops_at_its_time_limit_and_the_next_continues_by_population(
    outside: Service, client: Wikimedia, settings: Settings
) -> None:
    codes = [f"{number:05}" for number in range(1001, 1161)]
    wiki = Wiki(outside, {code: f"Ville {code}" for code in codes})

    def slow(asked: Asked) -> Answer:
        answer = wiki.sparql(asked)
        return Answer(answer.content, delay=0.3)

    outside.on("/sparql", slow)
    first = fetch_descriptions(client, settings.cache, codes, 0.1, print)
    assert (first.requested, first.left) == (80, 80)
    assert sorted(read_cache(settings.cache / CACHE_FILE)) == codes[:80]
    second = fetch_descriptions(client, settings.cache, codes, 60, print)
    assert (second.requested, second.left) == (80, 0)


def test_a_commune_that_lost_its_article_keeps_its_old_entry(
    outside: Service, client: Wikimedia, settings: Settings
) -> None:
    settings.cache.mkdir()
    old = '{"code": "01001", "asked_at": "2020-01-01T00:00:00+00:00", "description": "Avant.", "url": "u"}\n'
    (settings.cache / CACHE_FILE).write_text(old)
    Wiki(outside, {})
    fetch_descriptions(client, settings.cache, ["01001", "01002"], 60, print)
    found = read_cache(settings.cache / CACHE_FILE)
    assert found["01001"]["description"] == "Avant."
    assert found["01001"]["asked_at"] > "2026"
    assert "description" not in found["01002"]


def test_earlier_responses_are_kept_if_a_service_fails(outside: Service, client: Wikimedia, settings: Settings) -> None:
    codes = [f"{number:05}" for number in range(1001, 1041)]
    wiki = Wiki(outside, {code: f"Ville {code}" for code in codes})
    outside.on("/w/api.php", wiki.pages, Answer(status=500))
    with pytest.raises(ServiceError, match="Wikipedia .* answered 500"):
        fetch_descriptions(client, settings.cache, codes, 60, print)
    assert len(read_cache(settings.cache / CACHE_FILE)) == 20
    outside.on("/w/api.php", wiki.pages)
    assert fetch_descriptions(client, settings.cache, codes, 60, print).requested == 20
