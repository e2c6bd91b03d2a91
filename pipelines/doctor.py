"""Checks of folders, disk, database and outside services, each with a line that says what to do."""

import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import dagster as dg
from sqlalchemy.exc import SQLAlchemyError

from resources.clients.france_travail import FranceTravail
from resources.clients.http import Http, Limits
from resources.clients.wikimedia import Wikimedia
from resources.errors import ServiceError, SourceError
from resources.settings import VAR, Settings, unknown_names
from resources.sources.catalogue import catalogue
from resources.sources.files import RawFiles
from resources.sources.unread import missing, unread
from schedules.runs import end_dead_runs, hanging
from warehouse.damage import damage
from warehouse.database import connect, shown
from warehouse.errors import WarehouseError
from warehouse.release import current_release

LEAST_FREE_BYTES = 2_000_000_000
"""Room for the staged tables, a second release, and a download."""

FOLDERS = ("staging", "cache", "downloads", "backups", "exports")
"""Settings that name a folder to write in."""

SECONDS = 10.0
"""How long a service may take to respond to a check."""


@dataclass(frozen=True)
class Check:
    """The result of a check. state: works, absent (not configured, which is allowed) or wrong."""

    name: str
    state: str
    words: str


def checks(settings: Settings, *, deep: bool = False) -> list[Check]:
    """All checks; those of services run in parallel, within seconds. `deep`: the served rows too, by their sha256."""
    here = [
        *_unknown_settings(),
        *_folders(settings),
        *_raw_files(settings),
        _free_disk(settings),
        _warehouse(settings, deep),
        _runs(),
    ]
    with ThreadPoolExecutor(max_workers=8) as pool:
        return here + list(pool.map(lambda ask: ask(), _services(settings)))


def _unknown_settings() -> Iterator[Check]:
    if names := unknown_names():
        words = f"{', '.join(names)}: set, and no settings of this program; unset what is a mistake"
        yield Check("settings", "absent", words)


def _folders(settings: Settings) -> Iterator[Check]:
    home = Path(os.environ.get("DAGSTER_HOME", VAR / "dagster"))
    named = {f"MOBIVILLE_{n.upper()}": getattr(settings, n) for n in FOLDERS}
    for name, folder in {**named, "DAGSTER_HOME": home}.items():
        there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
        writable = there.is_dir() and os.access(there, os.W_OK)
        todo = f"{folder} is not writable: give this account the right to write, or set {name} to another folder"
        yield Check(name, "works" if writable else "wrong", str(folder) if writable else todo)


def _raw_files(settings: Settings) -> Iterator[Check]:
    name = "MOBIVILLE_RAW_DATA"
    if not settings.raw_data.is_dir():
        yield Check(name, "wrong", f"{settings.raw_data} is no folder: set {name} to the folder of the raw files")
        return
    files = RawFiles.from_settings(settings)
    lacking = [source_id for source_id, source in catalogue().items() if source.required and not files.has(source_id)]
    if lacking:
        words = f"{settings.raw_data} lacks {', '.join(lacking)}: `mobiville fetch`, or raw_data/sources.yaml, says how"
        yield Check(name, "wrong", words)
    else:
        yield Check(name, "works", f"{settings.raw_data} has every file that is needed")
    for source_id in catalogue():
        try:
            files.paths(source_id)
        except SourceError as error:
            yield Check(source_id, "wrong", str(error))
    yield from (Check("raw files", "absent", line) for line in [*missing(files), *unread(files)])


def _free_disk(settings: Settings) -> Check:
    folder = settings.cache.absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    words = f"{free / 1e9:,.1f} GB free for {settings.cache}"
    if free < LEAST_FREE_BYTES:
        return Check("disk", "wrong", f"{words}, {LEAST_FREE_BYTES / 1e9:.0f} GB are needed: make room")
    return Check("disk", "works", words)


def _warehouse(settings: Settings, deep: bool) -> Check:
    name = "MOBIVILLE_WAREHOUSE_URL"
    try:
        engine = connect(settings.warehouse_url)
        release = current_release(engine)
        damaged = damage(engine, release, deep=deep)
        engine.dispose()
    except (WarehouseError, SQLAlchemyError, OSError) as error:
        return Check(name, "wrong", f"{str(error).splitlines()[0]}: start the server, or correct {name}")
    if release is None:
        return Check(
            name, "works", f"{shown(settings.warehouse_url)} answers, and serves nothing yet: `mobiville refresh`"
        )
    if damaged:
        words = "; ".join(f"{table}: {what}" for table, what in damaged.items())
        return Check(name, "wrong", f"damaged: {words}. `mobiville refresh{' --force' if deep else ''}` repairs it")
    return Check(name, "works", f"{shown(settings.warehouse_url)} serves release {release.id}")


def _runs() -> Check:
    home = Path(os.environ.get("DAGSTER_HOME", VAR / "dagster")).absolute()
    if not (home / "dagster.yaml").exists():
        return Check("runs", "works", "there are none yet")
    said: list[str] = []
    with dg.DagsterInstance.from_config(str(home)) as instance:
        end_dead_runs(instance, said.append)
        stuck = hanging(instance)
    return Check("runs", "wrong" if stuck else "works", "; ".join([*said, *filter(None, [stuck])]) or "none hangs")


def _services(settings: Settings) -> Iterator[Callable[[], Check]]:
    http = Http(
        replace(Limits.from_settings(settings), tries=1, silence=min(SECONDS, settings.http_timeout)), settings.contact
    )
    yield lambda: _asked("Wikidata", lambda: Wikimedia(settings, http).titles(["69123"]))
    yield lambda: _asked("Wikipedia", lambda: Wikimedia(settings, http).articles(["Lyon"]))
    client = FranceTravail(settings, http)
    scopes = {
        "ROME": settings.ft_scope_rome,
        "Offres d'emploi": settings.ft_scope_offers,
        "Marché du travail": settings.ft_scope_market,
        "Accès à l'emploi": settings.ft_scope_hiring,
        "La Bonne Boîte": settings.ft_scope_companies,
    }
    for name, scope in scopes.items():
        if client.has_credentials:
            yield partial(_asked, f"France Travail, {name}", partial(client.token, scope))
        else:
            words = "no credentials: without MOBIVILLE_FT_CLIENT_ID and MOBIVILLE_FT_CLIENT_SECRET it is not used"
            yield partial(Check, f"France Travail, {name}", "absent", words)
    urls = [url for source in catalogue().values() for download in source.downloads for url in download.urls]
    hosts = sorted({f"https://{urlsplit(url).netloc}/" for url in [*urls, "https://www.data.gouv.fr/"]})
    for host in [settings.mirror] if settings.mirror else hosts:
        yield partial(_asked, urlsplit(host).netloc, partial(_reached, http, host))


def _reached(http: Http, url: str) -> None:
    with http.stream("GET", url, "the site"):
        """Any response but a server error shows that the site is reachable."""


def _asked(name: str, ask: Callable[[], object]) -> Check:
    try:
        ask()
    except ServiceError as error:
        return Check(name, "wrong", str(error))
    return Check(name, "works", "answers")
