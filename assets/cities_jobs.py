"""Job offers per commune and ROME, from the datalake's newest dump."""

import pandas as pd

from assets.common.expectations import Expectation, in_set, some_rows
from assets.common.staging_asset import Import, staging_asset
from resources.raw_data import RawData
from warehouse import tables


def offers(dump: pd.DataFrame) -> pd.DataFrame:
    """Number of offers per commune and ROME, by both, with the number of rows of the dump that were added up (`rows`).

    `dump`: commune, rome, number of offers.
    """
    pairs = dump.rename(columns={"commune": "insee_code", "rome": "rome_id"}).groupby(["insee_code", "rome_id"])
    return pairs["number"].agg(number="sum", rows="size").reset_index()


def expected(cities: pd.DataFrame, rome_codes: pd.DataFrame) -> list[Expectation]:
    """Communes that merged since, and overseas collectivities, are in the dump and not in the communes file."""
    return [
        some_rows(),
        in_set("the commune is in cities", "insee_code", cities["insee_com"], error=False),
        in_set("the ROME is in the referential", "rome_id", rome_codes["code"], error=False),
    ]


@staging_asset(tables.cities_jobs, sources=["offers_dump"], group="work", expect=expected)
def cities_jobs(raw_data: RawData) -> Import:
    """Job offers per commune and ROME. Codes keep their leading zeros and letters (01004, 2A004)."""
    dump, audit = raw_data.table("offers_dump")
    counts = offers(dump)
    merged = int((counts.pop("rows") - 1).sum())
    return Import(counts, [audit.count(len(counts), merged)])
