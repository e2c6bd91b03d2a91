"""Job offers per commune and ROME, from the datalake's newest dump."""

import pandas as pd

from assets.common.expectations import Expectation, in_set, some_rows
from assets.common.staging_asset import Import, staging_asset
from resources.raw_data import RawData
from resources.sources.audit import Reject, RowAudit
from warehouse import tables


def offers(dump: pd.DataFrame) -> pd.DataFrame:
    """Number of offers per commune and ROME, by both; indexed by the first line of the rows of the dump that were added
    up, and their number (`rows`).

    `dump`: commune, rome, number of offers; indexed by the line.
    """
    pairs = dump.rename(columns={"commune": "insee_code", "rome": "rome_id"}).assign(line=dump.index)
    pairs = pairs.groupby(["insee_code", "rome_id"]).agg(
        number=("number", "sum"), rows=("number", "size"), line=("line", "first")
    )
    return pairs.reset_index().set_index(["line", "rows"])


def expected(cities: pd.DataFrame, rome_codes: pd.DataFrame) -> list[Expectation]:
    """Without a COG, communes that merged since, and overseas collectivities, are not in the communes file."""
    return [
        some_rows(),
        in_set("the commune is in cities", "insee_code", cities["insee_com"], error=False),
        in_set("the ROME is in the referential", "rome_id", rome_codes["code"], error=False),
    ]


def offers_of(dump: pd.DataFrame, audit: RowAudit) -> pd.DataFrame:
    """The offers of a dump (see `offers`), every row of it told of in its audit: those with no commune are rejected."""
    nowhere = dump["commune"].isna()
    said = f"{dump['number'][nowhere].sum():,} of the dump's {dump['number'].sum():,} offers have no commune"
    audit.reject(dump.index[nowhere], Reject(said, column="commune"))
    counts = offers(dump[~nowhere])
    audit.count(len(counts), int((~nowhere).sum()) - len(counts))
    return counts


@staging_asset(tables.cities_jobs, sources=["offers_dump"], group="work", expect=expected)
def cities_jobs(raw_data: RawData) -> Import:
    """Job offers per commune and ROME. Codes keep their leading zeros and letters (01004, 2A004)."""
    dump, audit = raw_data.table("offers_dump")
    return Import(offers_of(dump, audit), [audit])
