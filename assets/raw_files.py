"""The raw files: external assets, whose data version is the sha256 of their file."""

import bz2
import hashlib
import warnings
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from assets.common.checks import Evaluation, check_specs, evaluations
from assets.common.expectations import of_age, too_old
from assets.common.lineage import raw_key, raw_schema
from assets.common.staging_asset import OWNERS
from resources.errors import SourceError
from resources.raw_data import RawData
from resources.sources.catalogue import Source, catalogue
from resources.sources.fetched import DESCRIPTIONS, FETCHED
from resources.sources.files import is_regular

warnings.filterwarnings("ignore", category=dg.BetaWarning, message=".*multi_observable_source_asset")


WHOLE = dg.AssetCheckKey(raw_key("offers_dump"), "whole")
BLOCK = 1 << 20


def fetched_key(source_id: str) -> dg.AssetKey:
    """The external asset of what is fetched of a source."""
    return dg.AssetKey(["fetched", source_id])


def _spec(source_id: str, source: Source) -> dg.AssetSpec:
    metadata = {
        "publisher": source.publisher,
        "licence": source.licence,
        "landing page": dg.MetadataValue.url(source.landing_page),
        "files": ", ".join(source.files),
        "vintage described": source.vintage,
        "required": source.required,
        "dagster/column_schema": raw_schema(source),
    }
    if source.download_url:
        metadata["download"] = dg.MetadataValue.url(source.download_url)
    return dg.AssetSpec(
        raw_key(source_id),
        deps=[fetched_key(source_id)] if source_id in (*FETCHED, DESCRIPTIONS) else [],
        description="\n\n".join(filter(None, [source.title, source.notes, source.without])),
        group_name="raw_files",
        kinds={source.kind},
        owners=OWNERS,
        tags={"layer": "raw"},
        metadata=metadata,
    )


@dg.multi_observable_source_asset(  # type: ignore[untyped-decorator]
    specs=[_spec(name, source) for name, source in catalogue().items()], can_subset=True
)
def raw_files(context: dg.AssetExecutionContext, raw_data: RawData) -> Iterator[dg.ObserveResult | Evaluation]:
    """Look at the raw files: which file each source is read from, its sha256, and whether it is too old."""
    for key in sorted(context.selected_asset_keys):
        source_id = key.path[-1]
        try:
            files = raw_data.files(source_id)
            seen = {"file": files[0].file_name, "vintage": files[0].vintage or ""} if files else {"file": "none"}
        except SourceError as error:
            seen = {"file": str(error)}
        yield dg.ObserveResult(asset_key=key, data_version=dg.DataVersion(raw_data.version(source_id)), metadata=seen)
        yield from _aged(raw_data, source_id, ())


def _aged(raw_data: RawData, source_id: str, selected: Collection[dg.AssetCheckKey]) -> Iterator[Evaluation]:
    """Whether the file of a source is too old, of a source that may be; the sample always is."""
    found = []
    with suppress(SourceError):  # said elsewhere
        files = [] if raw_data.is_sample else raw_data.files(source_id)
        found = [finding for file in files for finding in too_old(file, datetime.now(UTC).date())]
    yield from evaluations(raw_key(source_id), of_age(source_id), found, selected)


@dg.multi_asset_check(
    specs=[spec for name in catalogue() for spec in check_specs(raw_key(name), of_age(name))], can_subset=True
)
def raw_files_are_recent(context: dg.AssetCheckExecutionContext, raw_data: RawData) -> Iterator[Evaluation]:
    """Look at the age of raw files."""
    selected = context.selected_asset_check_keys
    for key in sorted({check.asset_key for check in selected}):
        yield from _aged(raw_data, key.path[-1], selected)


def sha256_if_whole(dump: Path) -> str:
    """The sha256 of a bzip2 file. Raises SourceError if it is none, or does not decompress to its end."""
    is_regular(dump)
    size = 0
    try:
        with bz2.open(dump) as file:
            while block := file.read(BLOCK):
                size += len(block)
        if not size:
            raise ValueError("it is empty")
        with dump.open("rb") as raw:
            return hashlib.file_digest(raw, "sha256").hexdigest()
    except (OSError, EOFError, ValueError) as error:
        raise SourceError(f"{dump.name} is damaged or incomplete: {error}. Copy it again") from error


@dg.asset_check(
    asset=WHOLE.asset_key,
    name=WHOLE.name,
    description="The newest dump decompresses to its end. The sensor new_dump looks at each new one.",
)
def dump_is_whole(raw_data: RawData) -> dg.AssetCheckResult:
    """Read the newest dump to its end."""
    try:
        return dg.AssetCheckResult(passed=True, metadata={"sha256": sha256_if_whole(raw_data.path("offers_dump"))})
    except SourceError as error:
        return dg.AssetCheckResult(passed=False, description=str(error))
