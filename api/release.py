"""The served release in memory, whole: read in one transaction, made ready beside the one before, then swapped in.

A request is answered from the release that is held when it comes: it needs no database, no lock and no second try.
"""

import asyncio
import ctypes
import gzip
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Connection, StaticPool, create_engine, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

import raw_data
from api.database import Database, NotServedError
from api.search.counts import Facilities, Offers, Trends
from api.search.figures import Figures
from api.search.former import Former
from api.search.places import JSON as JSON
from api.search.places import Cities, Places
from api.search.tension import Basins, Tensions
from api.search.text import fold
from api.search.titles import Titles
from warehouse import record, tables

LOOK_SECONDS = 2.0
"""How often the warehouse is asked which release it serves."""

CACHE = "public, no-cache"
"""Keep it, but ask each time whether it is still so: the next request sees a new release."""
KEPT_BYTES = 30_000
"""Answers that are larger are kept, once they are made."""
GZIP_LEVEL = 9

log = logging.getLogger("mobiville.api")


AS_ROWS = ("departements", "helps", "new_regions", "regions_tensions_criterions", "rome_codes")


def _rows(name: str, connection: Connection) -> list[dict[str, Any]]:
    table = tables.metadata.tables[name]
    found = connection.execute(select(table).order_by(*table.primary_key)).mappings()
    return [{str(key): value for key, value in row.items()} for row in found]  # orjson wants no kind of str


READ: dict[str, Callable[[Connection], Any]] = {
    "bassins": Basins,
    "cities": Cities,
    "cities_jobs": Offers,
    "equipments": Facilities,
    "former_communes": Former,
    "offers_history": Trends,
    "romeogrs": Titles.read,
    "tensions": Tensions,
} | {name: partial(_rows, name) for name in AS_ROWS}
"""What is kept of each table, and how it is read."""


@dataclass(frozen=True)
class Ready:
    """An answer as it is, and compressed."""

    plain: bytes
    gzipped: bytes


class Release:
    """One release, as requests are answered from it."""

    def __init__(self, recorded: list[record.Release], contents: dict[str, Any], before: "Release | None") -> None:
        self.record, *self.earlier = recorded
        """What the record says of it, and of the release before it, if there was one."""
        self.id, self.contents = self.record.id, contents
        self.cities: Cities = contents["cities"]
        self.basins: Basins = contents["bassins"]
        self.tensions: Tensions = contents["tensions"]
        self.offers: Offers = contents["cities_jobs"]
        self.facilities: Facilities = contents["equipments"]
        self.former: Former = contents["former_communes"]
        self.trends: Trends = contents["offers_history"]
        self.titles: Titles = contents["romeogrs"]
        self.regions = {row["code"]: row for row in contents["new_regions"]}
        self.departements = {row["code"]: row for row in contents["departements"]}
        self.labels = {row["code"]: row["label"] for row in contents["rome_codes"]}
        self.helps = {fold(row["slug"]): row for row in contents["helps"] if row["slug"] is not None}
        is_same = before is not None and (before.cities, before.basins) == (self.cities, self.basins)
        self.places: Places = before.places if before and is_same else Places(self.cities, self.basins)
        self.figures: Figures = before.figures if before and is_same else Figures(self.cities)
        self.is_sample = raw_data.is_sample({file.sha256 for file in self.record.files})
        self.missing = raw_data.missing({file.source_id for file in self.record.files})
        """What readers miss, by the source that was not there when the release was made."""
        self.etag = f'W/"{self.id}-{self.record.published_at:%Y%m%d%H%M%S}-{_code()}"'
        self.headers = {"ETag": self.etag, "X-Release": str(self.id), "Cache-Control": CACHE}
        self._made: dict[tuple[Any, ...], Ready] = {}

    def region(self, rank: int) -> dict[str, Any]:
        """The region of a city; empty where it has none."""
        found: dict[str, Any] = self.regions.get(int(self.cities.regions[rank]), {})
        return found

    def city(self, rank: int, more: dict[str, Any]) -> bytes:
        """A city's columns and more, as a JSON object."""
        return b"%b,%b" % (self.cities.rows[rank], orjson.dumps(more)[1:])

    def made(self, make: Callable[..., bytes], *arguments: str) -> "bytes | Ready":
        """What `make` gives for this release and the arguments; large answers are made and compressed once."""
        key = (make, *arguments)
        if found := self._made.get(key):
            return found
        content = make(self, *arguments)
        if len(content) < KEPT_BYTES:
            return content
        return self._made.setdefault(key, Ready(content, gzip.compress(content, GZIP_LEVEL, mtime=0)))


@cache
def _code() -> str:
    """What tells this program's answers from another version's."""
    digest = sha256(version("mobiville-warehouse").encode())
    for path in (raw_data.CATALOGUE, *sorted(Path(__file__).parent.rglob("*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


class Served:
    """The release that is held, and what takes over the next one."""

    def __init__(self, database: Database, prepared: Sequence[Callable[[Release], bytes]]) -> None:
        self.database, self.prepared = database, prepared
        self.release: Release | None = None
        self.is_away = False
        """Whether the database did not answer when it was asked last."""

    async def look_on(self) -> None:
        """Look for the next release, for ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await run_in_threadpool(self.look)

    def look(self) -> None:
        """Take over the release that the warehouse serves, if it is another one; what is held is served until then."""
        try:
            served = self.database.served()
        except NotServedError:
            self.is_away = False
            return
        except SQLAlchemyError as error:
            if not self.is_away:
                _note("the database is away", error)
            self.is_away = True
            return
        self.is_away = False
        if self.release is None or (self.release.id, self.release.record.published_at) != served:
            try:
                self.release = self._read()
                _give_back()
            except Exception as error:  # a release that cannot be read must not end the looking: the next one may be
                _note("the release could not be read", error)

    def _read(self) -> Release:
        """The served release. Raises SQLAlchemy's errors, most often because a release is swapped in just now."""
        before, started = self.release, time.monotonic()
        with self.database.engine.connect() as connection:
            names = {name for release in record.recorded(connection, 1) for name in release.tables}
        with self.database.snapshot([*tables.record.tables, *sorted(names)]) as connection:
            recorded = record.recorded(connection, limit=2)
            now, old = recorded[0].tables, before.record.tables if before else {}
            if now.keys() != names:
                raise NotServedError("another release was swapped in")
            contents = {}
            for name, read in READ.items():
                if before and name in now and _version(now[name]) == _version(old.get(name)):
                    contents[name] = before.contents[name]
                else:
                    contents[name] = read(connection if name in now else _empty())
        release = Release(recorded, contents, before)
        for make in self.prepared:
            release.made(make)
        log.info(json.dumps({"release": release.id, "seconds_to_read": round(time.monotonic() - started, 2)}))
        return release


def _give_back() -> None:
    """Give what the release before took back to the system: glibc keeps it otherwise, 80 MB of it."""
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)


def _version(table: record.ServedTable | None) -> object:
    """What tells contents of a table from others, also where a restored warehouse counts its releases anew."""
    return table and (table.sha256, table.contents_id, table.loaded_at)


def _empty() -> Connection:
    """Every table without a row: what a release of an older version of the code does not have."""
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    tables.metadata.create_all(engine)
    return engine.connect()


def _note(what: str, error: Exception) -> None:
    """A log line; of a database's error its kind and number, which repeat nothing that is secret."""
    original = error.orig if isinstance(error, DBAPIError) else error
    code = original.args[0] if original and original.args else ""
    log.error(json.dumps({"problem": what, "error": type(error).__name__, "code": str(code)}))
