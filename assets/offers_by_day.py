"""Job offers per commune and ROME of each day: one partition per dump of the datalake, which is read once."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa

from assets.cities_jobs import offers_of
from assets.common.code_version import asset_version
from assets.common.lineage import raw_key, staged_key
from assets.common.staging_asset import OWNERS
from raw_data import SAMPLE
from resources.days import Day, Days
from resources.errors import SourceError
from resources.failures import explained
from resources.raw_data import RawData
from resources.retries import with_retries
from resources.sources.files import sha256_of
from resources.sources.geography import OF_FILE
from resources.staging import Staging
from warehouse import tables

SOURCE = "offers_days"
KEY = staged_key("offers_by_day")
PARTITIONS = dg.DynamicPartitionsDefinition(name="day")
SCHEMA = pa.schema(
    [
        pa.field("commune", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("rome", pa.dictionary(pa.int32(), pa.string()), nullable=False),
        pa.field("number", pa.int64(), nullable=False),
    ]
)


def rules() -> str:
    """The version of the rules by which a dump is read."""
    return asset_version(__name__, tables.cities_jobs, [SOURCE])


def dump_of(raw_data: RawData, day: str) -> Path:
    """The dump of a day. Raises SourceError where there is none, or several with other contents."""
    paths = raw_data.days(SOURCE).get(day, [])
    if not paths:
        raise SourceError(f"no dump of {day} is in {raw_data.dumps}. Put it there, with the day in its name")
    if len({sha256_of(path) for path in paths}) > 1:
        raise SourceError(
            f"{SOURCE}: expected one dump of {day}, found {' and '.join(path.name for path in paths)}: which one is "
            "meant cannot be told. Keep that one"
        )
    return paths[0]


def unread(there: Mapping[str, Sequence[Path]], days: Mapping[str, Day]) -> list[str]:
    """The days whose dumps, which are there, were not read yet as they are now, by the present rules.

    `days`: what is known of those that were read.
    """
    now = rules()
    return [
        day for day, (path, *more) in there.items() if more or day not in days or not days[day].was_read_from(path, now)
    ]


def counted(there: Collection[str], days: Mapping[str, Day]) -> dict[str, Day]:
    """The days that count, the first first: all that were read, also when their dump is gone. Days of the sample do
    not once its dumps are gone: they are invented, and what is there may be true.
    """
    invented = set(map(sha256_of, (SAMPLE / "datalake").iterdir()))
    return {day: known for day, known in sorted(days.items()) if day in there or known.sha256 not in invented}


def read_day(raw_data: RawData, staging: Staging, day: str, run_id: str) -> Day:
    """Read the dump of a day, and keep it in the place of what that day was. The codes are the file's own,
    so that another geography reads no dump again.

    Raises SourceError when it is not there, or cannot be used; then that day stays as it was.
    """
    path = dump_of(raw_data, day)
    stat, sha256 = path.stat(), sha256_of(path)
    dump, audit = raw_data.table(SOURCE, path)
    offers = offers_of(dump.assign(commune=dump[f"commune{OF_FILE}"]), audit)
    staging.keep_rejects(f"{KEY.path[-1]} {day}", run_id, [audit])
    audit.check_sum()
    known = Day(
        path.name, stat.st_size, stat.st_mtime_ns, sha256, rules(), audit.read, audit.used, audit.merged,
        audit.by_reason(),
    )  # fmt: skip
    named = offers.rename(columns={"insee_code": "commune", "rome_id": "rome"})
    Days(staging.folder).keep(day, pa.Table.from_pandas(named, SCHEMA, preserve_index=False), known)
    return known


def shown(known: Day) -> dict[str, Any]:
    """What one sees of a day in the UI."""
    return {
        "dagster/row_count": known.used,
        "file": known.file,
        "sha256": known.sha256,
        "rows read": known.read,
        "rows merged": known.merged,
        "rows rejected": dg.MetadataValue.md(
            "\n".join(f"- {n:,} {why}" for why, n in known.rejected.items()) or "none"
        ),
    }


by_day = dg.AssetSpec(
    KEY,
    partitions_def=PARTITIONS,
    deps=[raw_key(SOURCE)],
    group_name="work",
    owners=OWNERS,
    kinds={"python", "parquet"},
    tags={"layer": "days"},
    code_version=rules(),
    description="Job offers per commune and ROME, a partition per day: what its dump has, with the dump's own commune "
    "codes. Kept as Parquet, a folder per day, in the staging folder.\n\n"
    "offers_history reads each new day by itself, and counts every day that is kept here. To read days again: the job "
    "`offers_by_day`, tab Partitions, Launch backfill, or `mobiville refresh --days FIRST:LAST`. Days do not depend on "
    "each other.",
    metadata={
        "dagster/column_schema": dg.TableSchema([dg.TableColumn(field.name, str(field.type)) for field in SCHEMA])
    },
)
"""External: "Materialize all" would ask which days are meant, and a fresh install knows of none."""


@dg.op
def read_partition(context: dg.OpExecutionContext, raw_data: RawData, staging: dg.ResourceParam[Staging]) -> None:
    """Read the dump of a day, the run's partition, in the place of what that day was."""
    day = context.partition_key
    with explained(), with_retries(context.retry_number):
        known = read_day(raw_data, staging, day, context.run.run_id)
    context.log_event(dg.AssetMaterialization(KEY, metadata=shown(known), partition=day))
