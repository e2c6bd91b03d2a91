"""Regions since 2016 and before, from the correspondence file, with the months to obtain social housing."""

import pandas as pd

from assets.staged import staged
from resources.raw_data import RawData, whole_numbers
from warehouse import tables


def regions_since_2016(records: pd.DataFrame, delays: pd.DataFrame) -> pd.DataFrame:
    """One row per region since 2016: the source repeats each (one record per former region and juridical form).

    `records`: the correspondence, codes as text ("28"); `delays`: region_code ("1"), delay (months, null = unknown).
    """
    regions = records[["new_code", "new_name", "new_name_normalized"]].drop_duplicates("new_code")
    months = delays.assign(code=whole_numbers(delays["region_code"]), delay=whole_numbers(delays["delay"]))
    regions = pd.DataFrame(
        {
            "code": whole_numbers(regions["new_code"]),
            "name": regions["new_name"],
            "name_normalized": regions["new_name_normalized"],
        }
    )
    regions = regions.merge(months[["code", "delay"]], on="code", how="left", validate="1:1")
    return regions.rename(columns={"delay": "average_delay_obtain_social_housing"}).sort_values("code")


def regions_before_2016(records: pd.DataFrame) -> pd.DataFrame:
    """One row per region before 2016, with the region that it became part of."""
    columns = ["former_code", "former_name", "former_name_normalized", "new_code", "new_name"]
    regions = records[columns].drop_duplicates("former_code")
    regions["new_code"] = whole_numbers(regions["new_code"])
    return regions.sort_values("former_code")


@staged(tables.new_regions, sources=["anciennes_nouvelles_regions", "social_housing_delays"], group="territory")
def new_regions(raw_data: RawData) -> pd.DataFrame:
    """Regions since 2016, one row per code, with the months that social housing takes to obtain."""
    return regions_since_2016(_correspondence(raw_data), raw_data.records("social_housing_delays"))


@staged(tables.old_regions, sources=["anciennes_nouvelles_regions"], group="territory")
def old_regions(raw_data: RawData) -> pd.DataFrame:
    """Regions before 2016, one row per code, with the region that each became part of."""
    return regions_before_2016(_correspondence(raw_data))


def _correspondence(raw_data: RawData) -> pd.DataFrame:
    return raw_data.records("anciennes_nouvelles_regions", "regions", "fields")
