"""Job offers per week, region and ROME, from every dump of the datalake."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby

import dagster as dg
import numpy as np
import pandas as pd
import pyarrow as pa

from assets.common.code_version import asset_version
from assets.common.expectations import some_rows
from assets.common.staging_asset import Import, staging_asset
from assets.offers_by_day import KEY, PARTITIONS, SOURCE, counted, read_day, shown, unread
from resources.days import Day, Days
from resources.errors import SourceError
from resources.raw_data import RawData
from resources.sources.audit import RowAudit
from resources.staging import Staging
from warehouse import tables

WANTED = "mobiville/days"
"""Tag of a run: days to read again, `2021-12-01:2021-12-31`; without it, those that were not read yet are."""
NOWHERE = -1
"""The region of communes that have none."""


def monday_of(day: str) -> str:
    """The Monday of a day's week, both as 2021-12-20."""
    found = date.fromisoformat(day)
    return (found - timedelta(days=found.weekday())).isoformat()


def regions_of(cities: pd.DataFrame, cog: pd.DataFrame) -> dict[str, int]:
    """The region of every commune code, current or former (`cog`: code, current_code), that lies in one."""
    placed = cities.dropna(subset="new_code_region")[["insee_com", "new_code_region"]]
    region = dict(placed.astype({"new_code_region": int}).to_numpy().tolist())
    current = cog[["code", "current_code"]].to_numpy().tolist()
    return {code: region[now] for code, now in current if now in region} | region


def by_region(offers: pa.Table, regions: Mapping[str, int]) -> pa.Table:
    """Offers of a day (commune, rome, number) summed per region and ROME: region, rome, number. What lies in no region
    is of region -1.
    """
    commune, rome = (offers[column].combine_chunks() for column in ("commune", "rome"))
    of_code = np.array([regions.get(code, NOWHERE) for code in commune.dictionary.to_pylist()], "int32")
    region = pa.array(of_code.take(commune.indices.to_numpy()))
    # By the number of the ROME among those of the day: 10 ms a day, reading it apart, where by its text it takes 16.
    sums = _summed(pa.table({"region": region, "rome": rome.indices, "number": offers["number"]}))
    return sums.set_column(1, "rome", rome.dictionary.take(sums["rome"].combine_chunks()))


def of_week(days: Sequence[pa.Table]) -> pa.Table:
    """Offers per region and ROME of a week: the mean over its days (region, rome, number), rounded, halves up."""
    sums = _summed(pa.concat_tables(days))
    number = (2 * sums["number"].to_numpy() + len(days)) // (2 * len(days))
    return sums.set_column(2, "number", pa.array(number, pa.int64()))


def _summed(offers: pa.Table) -> pa.Table:
    sums = offers.group_by(["region", "rome"], use_threads=False).aggregate([("number", "sum")])
    return sums.select(["region", "rome", "number_sum"]).rename_columns(["region", "rome", "number"])


def _read_new(
    context: dg.AssetExecutionContext, raw_data: RawData, staging: Staging, wanted: str
) -> tuple[dict[str, Day], list[str]]:
    """Every day that counts, after those that are new, or wanted, were read; and what there is to say, in words: days
    that could not be read, and days whose dump is gone.
    """
    there, days, notes = raw_data.days(SOURCE), Days(staging.folder).days(), []
    if not there:  # rather a wrong folder than one that was emptied
        raise SourceError(f"no dump is in {raw_data.dumps}. Put it there, with the day in its name")
    first, _, last = wanted.partition(":")
    ahead = [day for day in there if first <= day <= (last or first)] if wanted else unread(there, days)
    context.instance.add_dynamic_partitions(str(PARTITIONS.name), sorted({*there, *days}))
    for number, day in enumerate(ahead, start=1):
        try:
            days[day] = known = read_day(raw_data, staging, day, context.run.run_id)
        except SourceError as error:
            notes.append(f"{day} could not be read: {error}")
            continue
        context.log.info(f"{day}: {known.used:,} rows, day {number} of {len(ahead)}")
        context.log_event(dg.AssetMaterialization(KEY, metadata=shown(known), partition=day))
    found = counted(there, days)
    for day in sorted(found.keys() - context.instance.get_materialized_partitions(KEY)):  # its run was deleted since
        context.log_event(dg.AssetMaterialization(KEY, metadata=shown(found[day]), partition=day))
    if gone := list(found.keys() - there.keys()):
        span = " to ".join(dict.fromkeys((min(gone), max(gone))))
        notes.append(f"{len(gone)} days count whose dump is gone from the folder: {span}")
    return found, notes


def _weeks(days: Days, known: Mapping[str, Day], regions: Mapping[str, int]) -> pa.Table:
    """week, region, rome, number, days: of each week what is kept of it, or added up where it is of other days, other
    regions or other rules.
    """
    of_regions = hashlib.sha256(json.dumps(sorted(regions.items())).encode()).hexdigest()
    rules = asset_version(__name__, tables.offers_history)
    weeks = []
    for monday, found in groupby(known, monday_of):
        names = list(found)
        made_from = [rules, of_regions, *([day, known[day].sha256, known[day].rules] for day in names)]
        week = days.week(monday, made_from)
        if week is None:
            week = of_week([by_region(days.offers(day), regions) for day in names])
            days.keep_week(monday, week, made_from)
        of_week_day = pa.array([date.fromisoformat(monday)] * len(week), pa.date32())
        weeks.append(week.add_column(0, "week", of_week_day).append_column("days", pa.array([len(names)] * len(week))))
    return pa.concat_tables(weeks)


def _audit(raw_data: RawData, known: Mapping[str, Day]) -> RowAudit:
    """What became of the rows of all days together."""
    audit = raw_data.audit(SOURCE)
    audit.read = sum(day.read for day in known.values())
    if rejected := sum(sum(day.rejected.values()) for day in known.values()):
        audit.ruled_out = {"no commune, or a row at fault": rejected}
    audit.vintage = f"{min(known)} to {max(known)}"
    return audit.count(sum(day.used for day in known.values()), sum(day.merged for day in known.values()))


@staging_asset(
    tables.offers_history,
    sources=[SOURCE],
    above=[KEY],
    group="work",
    expect=lambda: [some_rows()],
)
def offers_history(
    context: dg.AssetExecutionContext, raw_data: RawData, staging: Staging, cities: pd.DataFrame, cog: pd.DataFrame
) -> Import:
    """Job offers per week, region and ROME: the mean over the week's dumps. A week whose days are as they were is not
    added up again; the detail by day and commune is offers_by_day.
    """
    known, notes = _read_new(context, raw_data, staging, context.run.tags.get(WANTED, ""))
    if not known:
        raise SourceError(f"no dump could be read. {'; '.join(notes)}")
    weeks = _weeks(Days(staging.folder), known, regions_of(cities, cog)).to_pandas(date_as_object=True)
    nowhere = weeks["region"] == NOWHERE
    if nowhere.any():
        notes.append(f"{weeks['number'][nowhere].sum():,} of {weeks['number'].sum():,} weekly offers are in no region")
    found = weeks[~nowhere].rename(columns={"region": "code_region", "rome": "rome_id"})
    ordered = found.sort_values(["week", "code_region", "rome_id"], ignore_index=True)
    return Import(ordered, [_audit(raw_data, known)], notes)
