"""Where a source is fetched from: the list of data.gouv.fr first, then the addresses of the catalogue."""

import re
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote

from resources.clients.http import Http
from resources.errors import RefusedError, ServiceError
from resources.sources.catalogue import DownloadEntry

T = TypeVar("T")

DATASETS = "https://www.data.gouv.fr/api/1/datasets/"


class Addresses:
    """The addresses of downloads, through a mirror (MOBIVILLE_MIRROR) if there is one."""

    def __init__(self, http: Http, mirror: str | None) -> None:
        self._http = http
        self._mirror = mirror

    def first(self, entry: DownloadEntry, request: Callable[[str], T]) -> tuple[str, T]:
        """The first address at which `request` succeeds, and what it returned.

        Raises RefusedError or ServiceError with the message of every address, if none works.
        """
        errors: list[ServiceError | RefusedError] = []
        for known in ([None] if entry.dataset else []) + entry.urls:
            try:
                url = known or self._listed(entry)
                return url, request(self.mirrored(url))
            except (ServiceError, RefusedError) as error:
                errors.append(error)
        kind = RefusedError if any(isinstance(error, RefusedError) for error in errors) else ServiceError
        raise kind("; ".join(map(str, errors)))

    def mirrored(self, url: str) -> str:
        """The address to request for an official address."""
        return f"{self._mirror.rstrip('/')}/{url.removeprefix('https://')}" if self._mirror else url

    def _listed(self, entry: DownloadEntry) -> str:
        """The address of the newest resource of the data set whose title or address matches the catalogue's pattern."""
        url = self.mirrored(f"{DATASETS}{quote(str(entry.dataset), safe='')}/")
        status, dataset = self._http.json("GET", url, "data.gouv.fr")
        listed = (dataset.get("resources") or []) if isinstance(dataset, dict) else []
        pattern = str(entry.resource)
        with_address = [r for r in listed if isinstance(r, dict) and r.get("url")]
        matching = [r for r in with_address if re.search(pattern, f"{r.get('title', '')} {r['url']}")]
        if not matching:
            words = f"data.gouv.fr lists no resource that matches {pattern} in {entry.dataset} (status {status})"
            raise ServiceError(words, status=status)
        return str(max(matching, key=lambda r: str(r.get("last_modified", "")))["url"])
