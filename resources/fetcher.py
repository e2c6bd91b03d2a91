"""Fetching, as the command and the Dagster assets do it: what is fetched, by whom, for what codes."""

from collections.abc import Callable, Sequence

import dagster as dg
import pyarrow.parquet as pq

from resources.clients.france_travail import FranceTravail
from resources.clients.http import Http
from resources.clients.rome_api import ask_rome
from resources.clients.wikimedia import Wikimedia, describe
from resources.downloads.inspection import rows_of
from resources.downloads.snapshots import Fetching, Outcome
from resources.errors import CacheError, ServiceError, SourceError, StagingError
from resources.raw_data import RawData
from resources.settings import Settings
from resources.sources.catalogue import Source, catalogue
from resources.staging import Staging

FILES = tuple(name for name, source in catalogue().items() if source.downloads)
"""Sources that are official files."""

ROME, DESCRIPTIONS = "rome_api", "city_descriptions"

FETCHED = (*FILES, ROME)
"""What is fetched where nothing is named; descriptions are asked for by the week, on their own."""

Progress = Callable[[str], None]


class Outside(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Outside services, with the settings of the environment of whoever runs this: secrets are in no configuration."""

    def fetch(
        self, names: Sequence[str], progress: Progress, *, vintage: str | None = None, check: bool = False
    ) -> list[Outcome]:
        """Fetch what is new of the named sources; with `check`, only say what is. One that fails does not keep the
        others from being fetched. Raises FetchError when nothing can be fetched as things are.
        """
        settings = Settings()
        http = Http.of(settings)
        files = [name for name in names if name in FILES]
        outcomes = _files(settings, http, files, progress, vintage, check) if files else []
        asked = {ROME: _rome, DESCRIPTIONS: _descriptions}
        return outcomes + [asked[name](settings, http, progress, check) for name in names if name in asked]


def _files(
    settings: Settings, http: Http, names: Sequence[str], progress: Progress, vintage: str | None, check: bool
) -> list[Outcome]:
    fetching = Fetching(settings, http, rows_of)
    with fetching.alone():
        outcomes = []
        for name in names:
            source = catalogue()[name]
            if source.many:
                outcomes.append(_sheets(settings, fetching, name, source, check))
            else:
                outcomes.append((fetching.check if check else fetching.fetch)(name, source, vintage))
        if not check and (folder := fetching.publish()):
            progress(f"the files are in {folder}; MOBIVILLE_RAW_DATA={settings.downloads / 'current'} reads them")
    return outcomes


def _sheets(settings: Settings, fetching: Fetching, name: str, source: Source, check: bool) -> Outcome:
    folder = str(fetching.base or settings.raw_data)
    try:
        stations = RawData(folder=folder, dumps=folder).table("weather_stations").rows["station"].str.zfill(8)
    except SourceError as error:
        return Outcome(name, "failed", f"which stations there are is told by weather_stations: {error}")
    if check:
        return Outcome(name, "unchanged", f"asked station by station: {len(stations)}")
    return fetching.fetch_sheets(name, source, list(stations))


def _rome(settings: Settings, http: Http, progress: Progress, check: bool) -> Outcome:
    """Ask the ROME API for the codes that the tensions have."""
    client = FranceTravail(settings, http)
    if not client.has_credentials:
        words = "no credentials (MOBIVILLE_FT_CLIENT_ID, MOBIVILLE_FT_CLIENT_SECRET): the ROME archive is read instead"
        return Outcome(ROME, "unchanged", words)
    if check:
        return Outcome(ROME, "unchanged", "asked code by code")
    try:
        raw = RawData(folder=str(settings.raw_data), dumps=str(settings.dumps_folder))
        romes = list(raw.table("tensions").rows["rome"].dropna().unique())
        done = ask_rome(client, settings.cache, romes, progress)
    except (ServiceError, CacheError, SourceError) as error:
        return Outcome(ROME, "failed", f"{error} (what was answered before is kept)")
    said = f"{done.asked} ROME codes asked, {done.found} known to the API; {done.fresh} were fresh"
    return Outcome(ROME, "new" if done.asked else "unchanged", said)


def _descriptions(settings: Settings, http: Http, progress: Progress, check: bool) -> Outcome:
    """Ask Wikipedia for the communes of the staged cities, the most populous first."""
    if check:
        return Outcome(DESCRIPTIONS, "unchanged", "asked commune by commune")
    try:
        with Staging(folder=str(settings.staging)).path("cities").open("rb") as file:
            cities = pq.read_table(file, columns=["insee_com", "population"]).to_pandas()
        codes = cities.sort_values(["population", "insee_com"], ascending=[False, True])["insee_com"]
        seconds = settings.descriptions_minutes * 60
        done = describe(Wikimedia(settings, http), settings.cache, list(codes), seconds, progress)
    except (ServiceError, CacheError, StagingError) as error:
        return Outcome(DESCRIPTIONS, "failed", f"{error} (what was answered before is kept)")
    said = f"{done.asked} communes asked, {done.found} with an article; {done.left} are left for the next run"
    return Outcome(DESCRIPTIONS, "new" if done.asked else "unchanged", said)
