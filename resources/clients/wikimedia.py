"""Descriptions and photos of communes from French Wikipedia, cached by commune.

Wikidata gives the article of an INSEE code (property P374); a name is not enough, there are six Saint-Denis. The
services ask their users for one request at a time, batches, maxlag and a User-Agent with a contact.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from resources.clients.http import Http, RateLimiter
from resources.clients.jsonl_cache import CacheEntry, is_fresh, open_cache, read_cache
from resources.errors import ServiceError
from resources.settings import Settings

CACHE_FILE = "city_descriptions.jsonl"
FRESH_DAYS = 90
CODES_PER_QUERY = 80
TITLES_PER_QUERY = 20
"""The API returns the introductions of at most 20 articles at once."""

LICENCE = "CC BY-SA 4.0"
"""Of Wikipedia's texts. A photo has its own licence and author: see its page."""

CONTINUATIONS = 20
"""A response in more parts than this is given up."""

_KEY_FIELDS = ("code", "asked_at")


@dataclass(frozen=True)
class DescriptionsResult:
    """Numbers of communes: requested, of which with an article, and left for the next run."""

    requested: int
    found: int
    left: int


class Wikimedia:
    """Wikidata's query service and French Wikipedia's API."""

    def __init__(self, settings: Settings, http: Http) -> None:
        self._settings = settings
        self._http = http
        self._pace = RateLimiter(settings.pace)

    def titles(self, codes: Sequence[str]) -> dict[str, str]:
        """Title of the French article by INSEE code; a code without an article is missing. A commune that was dissolved
        (P576) only counts if no other has its code.
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
            dissolved_first = sorted(rows, key=lambda row: ("end" not in row, row["title"]))
            return {row["code"]: row["title"] for row in dissolved_first}
        except (KeyError, TypeError) as error:
            raise ServiceError(f"Wikidata's response is not a query result (status {status})") from error

    def articles(self, titles: Sequence[str]) -> dict[str, CacheEntry]:
        """By title, for those that have an article: description (plain text), photo, and their attribution."""
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
        """The responses to a query: the service sends large ones in parts."""
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
    """The title of the article that a title leads to, by normalization and redirect."""
    for _ in range(3):
        title = moved.get(title, title)
    return title


def _article(page: dict[str, Any]) -> CacheEntry:
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
    """A text without what stands in brackets (pronunciations, other names), nested ones included; unpaired brackets
    stay.
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


def fetch_descriptions(
    client: Wikimedia, folder: Path, codes: Sequence[str], seconds: float, progress: Callable[[str], None]
) -> DescriptionsResult:
    """Request the communes (INSEE codes, most populous first) that the cache in `folder` does not have, then those that
    are not fresh, for at most so many seconds. A commune that lost its article keeps its old entry.

    Raises ServiceError if a service keeps failing (earlier responses stay in the cache), CacheError while another run
    writes the cache.
    """
    path = folder / CACHE_FILE
    ends = time.monotonic() + seconds
    requested = found = 0
    with open_cache(path) as add:
        known = read_cache(path)
        stale = [code for code in codes if not is_fresh(known.get(code), FRESH_DAYS)]
        stale.sort(key=lambda code: code in known)  # stable: never requested first, then by population
        for batch in _batches(stale, CODES_PER_QUERY):
            if time.monotonic() > ends:
                break
            titles = client.titles(batch)
            for part in _batches(batch, TITLES_PER_QUERY):
                named = [titles[code] for code in part if code in titles]
                articles = client.articles(named) if named else {}
                for code in part:
                    article = articles.get(titles.get(code, ""))
                    before = {name: value for name, value in known.get(code, {}).items() if name not in _KEY_FIELDS}
                    add(code, **(article or before))
                    found += article is not None
            requested += len(batch)
            progress(f"city_descriptions: {requested} of {len(stale)} communes, {found} with an article")
    return DescriptionsResult(requested, found, len(stale) - requested)


def _batches(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (items[start : start + size] for start in range(0, len(items), size))
