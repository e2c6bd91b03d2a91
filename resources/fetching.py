"""Fetching what is new of each source: official files, climate sheets, the ROME API, descriptions."""

from collections.abc import Callable, Sequence

import pyarrow.parquet as pq

from resources.clients.france_travail import FranceTravail
from resources.clients.http import Http
from resources.clients.rome_api import fetch_rome
from resources.clients.wikimedia import Wikimedia, fetch_descriptions
from resources.downloads.snapshots import CURRENT, FetchRun, Outcome, Try
from resources.errors import CacheError, ServiceError, SourceError, StagingError
from resources.raw_data import RawData
from resources.settings import Settings
from resources.sources.catalogue import Source, catalogue
from resources.sources.fetched import DESCRIPTIONS, FILES, ROME
from resources.staging import Staging

Progress = Callable[[str], None]


def fetch(
    names: Sequence[str], progress: Progress, try_sources: Try, *, vintage: str | None = None, check: bool = False
) -> list[Outcome]:
    """Fetch the named sources that have something new, with Settings from the environment, so that no secret is in
    Dagster's configuration; with `check`, only report it. A source that fails, or whose files `try_sources` refuses,
    does not stop the others. Raises FetchError if nothing can be fetched (no room, or another run).
    """
    settings = Settings()
    http = Http.from_settings(settings)
    files = [name for name in names if name in FILES]
    outcomes = []
    if files:
        run = FetchRun(settings, http, try_sources)
        outcomes = _files(settings, run, files, progress, vintage, check)
    services = {ROME: _rome, DESCRIPTIONS: _descriptions}
    return outcomes + [services[name](settings, http, progress, check) for name in names if name in services]


def _files(
    settings: Settings, run: FetchRun, names: Sequence[str], progress: Progress, vintage: str | None, check: bool
) -> list[Outcome]:
    with run.locked():
        outcomes = []
        for name in names:
            source = catalogue()[name]
            if source.many:
                outcomes.append(_sheets(settings, run, name, source, check))
            else:
                outcomes.append((run.check if check else run.fetch)(name, source, vintage))
        outcomes = run.try_new(outcomes)
        if folder := run.publish():
            current = settings.downloads / CURRENT
            progress(f"the files are in {folder}; set MOBIVILLE_RAW_DATA={current} to read them")
    return outcomes


def _sheets(settings: Settings, run: FetchRun, name: str, source: Source, check: bool) -> Outcome:
    folder = str(run.base or settings.raw_data)
    try:
        stations = RawData(folder=folder, dumps=folder).table("weather_stations").rows["station"].str.zfill(8)
    except SourceError as error:
        return Outcome(name, "failed", f"the list of stations, weather_stations, cannot be read: {error}")
    if check:
        return Outcome(name, "unchanged", f"{len(stations)} stations, one request each: not checked")
    return run.fetch_sheets(name, source, list(stations))


def _rome(settings: Settings, http: Http, progress: Progress, check: bool) -> Outcome:
    """Fetch from the ROME API the codes that occur in the tensions."""
    client = FranceTravail(settings, http)
    if not client.has_credentials:
        words = "no credentials (MOBIVILLE_FT_CLIENT_ID, MOBIVILLE_FT_CLIENT_SECRET): the ROME archive is read instead"
        return Outcome(ROME, "unchanged", words)
    if check:
        return Outcome(ROME, "unchanged", "one request per code: not checked")
    try:
        raw = RawData.from_settings(settings)
        romes = list(raw.table("tensions").rows["rome"].dropna().unique())
        done = fetch_rome(client, settings.cache, romes, progress)
    except (ServiceError, CacheError, SourceError) as error:
        return Outcome(ROME, "failed", f"{error} (earlier responses are kept)")
    said = f"{done.requested} ROME codes requested, {done.found} found; {done.fresh} were in the cache"
    return Outcome(ROME, "new" if done.requested else "unchanged", said)


def _descriptions(settings: Settings, http: Http, progress: Progress, check: bool) -> Outcome:
    """Fetch from Wikipedia the communes of the staged cities, the most populous first."""
    if check:
        return Outcome(DESCRIPTIONS, "unchanged", "one request per 20 communes: not checked")
    try:
        with Staging(folder=str(settings.staging)).path("cities").open("rb") as file:
            cities = pq.read_table(file, columns=["insee_com", "population"]).to_pandas()
        codes = cities.sort_values(["population", "insee_com"], ascending=[False, True])["insee_com"]
        seconds = settings.descriptions_minutes * 60
        done = fetch_descriptions(Wikimedia(settings, http), settings.cache, list(codes), seconds, progress)
    except StagingError as error:
        return Outcome(DESCRIPTIONS, "waits", str(error))
    except (ServiceError, CacheError) as error:
        return Outcome(DESCRIPTIONS, "failed", f"{error} (earlier responses are kept)")
    said = f"{done.requested} communes requested, {done.found} with an article; {done.left} left for the next run"
    return Outcome(DESCRIPTIONS, "new" if done.requested else "unchanged", said)
