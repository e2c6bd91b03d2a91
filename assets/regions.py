"""Regions since 2016 and before, from the correspondence file, with the months to obtain social housing."""

import pandas as pd

from assets.common.staging_asset import Import, staging_asset
from resources.raw_data import RawData
from resources.sources.audit import Reject
from warehouse import tables


def regions_since_2016(records: pd.DataFrame, delays: pd.DataFrame) -> pd.DataFrame:
    """One row per region since 2016: the source repeats each (one record per former region and juridical form).

    `records`: the correspondence, codes as text ("28"); `delays`: region_code ("01"), delay (months, NA = unknown).
    """
    regions = _first_of_each(records, "new_code")
    months = pd.Series(delays["delay"].to_numpy(), delays["region_code"].astype("Int64"))
    code = regions["new_code"].astype("Int64")
    regions = regions[["new_name", "new_name_normalized"]].rename(columns=lambda column: column.removeprefix("new_"))
    return regions.assign(code=code, average_delay_obtain_social_housing=code.map(months)).sort_values("code")


def regions_before_2016(records: pd.DataFrame) -> pd.DataFrame:
    """One row per region before 2016, with the region that it became part of."""
    columns = ["former_code", "former_name", "former_name_normalized", "new_code", "new_name"]
    regions = _first_of_each(records, "former_code")[columns]
    regions["new_code"] = regions["new_code"].astype("Int64")
    return regions.sort_values("former_code")


def _first_of_each(records: pd.DataFrame, code: str) -> pd.DataFrame:
    """The first record of each region, indexed also by how many it has (`records`)."""
    number = records.groupby(code)[code].transform("size").rename("records")
    return records.set_index(number, append=True).drop_duplicates(code)


@staging_asset(tables.new_regions, sources=["anciennes_nouvelles_regions", "social_housing_delays"], group="territory")
def new_regions(raw_data: RawData) -> Import:
    """Regions since 2016, one row per code, with the months that social housing takes to obtain."""
    (records, audit), (delays, of_delays) = (
        raw_data.table(source) for source in ("anciennes_nouvelles_regions", "social_housing_delays")
    )
    regions = regions_since_2016(records, delays)
    there = delays["region_code"].isin(records["new_code"])
    of_delays.reject(delays.index[~there], Reject("region_code: expected a region of the correspondence"))
    merged = int(records["new_code"].duplicated().sum())
    return Import(regions, [audit.count(len(regions), merged), of_delays.count(int(there.sum()))])


@staging_asset(tables.old_regions, sources=["anciennes_nouvelles_regions"], group="territory")
def old_regions(raw_data: RawData) -> Import:
    """Regions before 2016, one row per code, with the region that each became part of."""
    records, audit = raw_data.table("anciennes_nouvelles_regions")
    regions = regions_before_2016(records)
    return Import(regions, [audit.count(len(regions), int(records["former_code"].duplicated().sum()))])
