"""Descriptions and photos of communes, from French Wikipedia, kept commune by commune.

An article is found by the commune's INSEE code, which Wikidata has (property P374), not by its name: there are six
Saint-Denis. Etiquette of the services: one request at a time, batches, maxlag, a User-Agent with a contact.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from resources.clients.http import Http, Pace
from resources.clients.jsonl_cache import Entry, is_fresh, read_store, written_store
from resources.errors import ServiceError
from resources.settings import Settings

STORE = "city_descriptions.jsonl"
FRESH_DAYS = 90
CODES_PER_QUERY = 80
TITLES_PER_QUERY = 20
"""The API gives the introductions of so many articles at once."""

LICENCE = "CC BY-SA 4.0"
"""Of Wikipedia's texts. A photo has a licence of its own: its page says which, and who took it."""

CONTINUATIONS = 20
"""An answer in more parts than this is no answer."""

_KEY = ("code", "asked_at")


@dataclass(frozen=True)
class Described:
    """What a run did: communes asked, of which with an article; how many are left for the next run."""

    asked: int
    found: int
    left: int


class Wikimedia:
    """Wikidata's query service and French Wikipedia's API."""

    def __init__(self, settings: Settings, http: Http) -> None:
        self._settings = settings
        self._http = http
        self._pace = Pace(settings.pace)

    def titles(self, codes: Sequence[str]) -> dict[str, str]:
        """The title of the French article of each INSEE code that has one. A commune that is no more (P576) has none
        unless no other has its code.
        """
        self._pace.wait()
        values = " ".join(f'"{code}"' for code in codes if code.isalnum())
        query = f"""SELECT ?code ?title ?end WHERE {{
            VALUES ?code {{ {values} }}
            ?item wdt:P374 ?code . ?article schema:about ?item ;
                schema:isPartOf <https://fr.wikipedia.org/> ; schema:name ?title .
            OPTIONAL {{ ?item wdt:P576 ?end }} }}"""
        headers = {"Accept": "application/sparql-results+json"}
        status, found = self._http.json(
            "GET", self._settings.wikidata_url, "Wikidata", params={"query": query}, headers=headers
        )
        try:
            rows = [{name: cell["value"] for name, cell in row.items()} for row in found["results"]["bindings"]]
            living_last = sorted(rows, key=lambda row: ("end" not in row, row["title"]))
            return {row["code"]: row["title"] for row in living_last}
        except (KeyError, TypeError) as error:
            raise ServiceError(f"Wikidata answered what is no result of a query (status {status})") from error

    def articles(self, titles: Sequence[str]) -> dict[str, Entry]:
        """Of each title that has an article: description (plain text), photo, and their attribution."""
        query = {
            "action": "query",
            "prop": "extracts|pageimages|info",
            "exintro": "1",
            "explaintext": "1",
            "exlimit": str(TITLES_PER_QUERY),
            "piprop": "original|name",
            "pilimit": str(TITLES_PER_QUERY),
            "inprop": "url",
            "redirects": "1",
            "titles": "|".join(titles),
            "maxlag": "5",
            "format": "json",
            "formatversion": "2",
        }
        pages: dict[str, dict[str, Any]] = {}
        moved: dict[str, str] = {}
        for answer in self._continued(query):
            for page in answer.get("pages", []):
                pages.setdefault(page["title"], {}).update(page)
            for kind in ("normalized", "redirects"):
                moved |= {step["from"]: step["to"] for step in answer.get(kind, [])}
        found = {title: pages.get(_end(title, moved), {}) for title in titles}
        return {title: _article(page) for title, page in found.items() if page.get("extract")}

    def _continued(self, query: dict[str, str]) -> Iterator[dict[str, Any]]:
        """The answers to a query, the service giving large ones in parts."""
        more: dict[str, Any] = {}
        for _ in range(CONTINUATIONS):
            self._pace.wait()
            status, answer = self._http.json(
                "GET", self._settings.wikipedia_url, "Wikipedia", params=query | more, busy=_is_busy
            )
            found = _dict(answer, "query")
            if not found:
                said = _dict(answer, "error").get("info", "")
                raise ServiceError(f"Wikipedia refused a query (status {status}) {said}".strip(), status=status)
            yield found
            if "continue" not in answer:
                return
            more = answer["continue"]


def _is_busy(answer: Any) -> bool:
    return _dict(answer, "error").get("code") in ("maxlag", "ratelimited")


def _dict(answer: Any, name: str) -> dict[str, Any]:
    found = answer.get(name) if isinstance(answer, dict) else None
    return found if isinstance(found, dict) else {}


def _end(title: str, moved: dict[str, str]) -> str:
    """Where a title leads, through its spelling and its redirect."""
    for _ in range(3):
        title = moved.get(title, title)
    return title


def _article(page: dict[str, Any]) -> Entry:
    name = page.get("pageimage")
    return {
        "title": page["title"],
        "description": plain(page["extract"]),
        "photo": (page.get("original") or {}).get("source"),
        "photo_page": f"https://fr.wikipedia.org/wiki/Fichier:{quote(name)}" if name else None,
        "url": page.get("fullurl"),
        "revision": page.get("lastrevid"),
        "licence": LICENCE,
    }


def plain(text: str) -> str:
    """A text without its asides in brackets (pronunciations, other names), nested ones included. Brackets that do not
    pair are left alone.
    """
    pairs = {")": "(", "]": "["}
    kept: list[str] = []
    opened: list[tuple[str, int]] = []
    for character in text:
        if character in pairs.values():
            opened.append((character, len(kept)))
        kept.append(character)
        if character in pairs and opened and opened[-1][0] == pairs[character]:
            del kept[opened.pop()[1] :]
    lines = (" ".join(line.split()) for line in "".join(kept).splitlines())
    return "\n".join(line.replace(" ,", ",").replace(" .", ".") for line in lines if line)


def describe(
    client: Wikimedia, folder: Path, codes: Sequence[str], seconds: float, progress: Callable[[str], None]
) -> Described:
    """Ask for the communes (INSEE codes, most populous first) that the store in `folder` does not have, then for those
    that are not fresh, for at most so many seconds. A commune without an article keeps what it had.

    Raises ServiceError when a service fails for good, with what came before kept; CacheError while another run asks.
    """
    path = folder / STORE
    ends = time.monotonic() + seconds
    asked = found = 0
    with written_store(path) as add:
        known = read_store(path)
        stale = [code for code in codes if not is_fresh(known.get(code), FRESH_DAYS)]
        stale.sort(key=lambda code: code in known)  # stable: those never asked come first, the most populous first
        for batch in _parts(stale, CODES_PER_QUERY):
            if time.monotonic() > ends:
                break
            titles = client.titles(batch)
            for part in _parts(batch, TITLES_PER_QUERY):
                named = [titles[code] for code in part if code in titles]
                articles = client.articles(named) if named else {}
                for code in part:
                    article = articles.get(titles.get(code, ""))
                    before = {name: value for name, value in known.get(code, {}).items() if name not in _KEY}
                    add(code, **(article or before))
                    found += article is not None
            asked += len(batch)
            progress(f"city_descriptions: {asked} of {len(stale)} communes, {found} with an article")
    return Described(asked, found, len(stale) - asked)


def _parts(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (items[start : start + size] for start in range(0, len(items), size))
