"""Job offers per commune and ROME, from the datalake's newest dump."""

import pandas as pd

from assets.expectations import Expectation, known, some_rows
from assets.staged import staged
from resources.raw_data import RawData, whole_numbers
from warehouse import tables


def offers(dump: pd.DataFrame) -> pd.DataFrame:
    """Number of offers per commune and ROME, by both; what stands on several rows of the dump is added up.

    `dump`: commune, rome, number, as text. Rows with no commune (blank, or the word `null`) or no ROME are set aside,
    and their number noted.
    """
    placed = dump["commune"].notna() & (dump["commune"] != "null") & dump["rome"].notna()
    number = whole_numbers(dump["number"])
    counts = (
        pd.DataFrame({"insee_code": dump["commune"].str.zfill(5), "rome_id": dump["rome"], "number": number})[placed]
        .groupby(["insee_code", "rome_id"])["number"]
        .sum()
        .reset_index()
    )
    if not placed.all():
        counts.attrs["notes"] = [
            f"{(~placed).sum()} rows of the dump have no commune or no ROME: set aside, {number[~placed].sum()} offers"
        ]
    return counts


def expected(cities: pd.DataFrame, rome_codes: pd.DataFrame) -> list[Expectation]:
    """Communes that merged since, and overseas collectivities, are in the dump and not in the communes file."""
    return [
        some_rows(),
        known("the commune is in cities", "insee_code", cities["insee_com"], error=False),
        known("the ROME is in the referential", "rome_id", rome_codes["code"], error=False),
    ]


@staged(tables.cities_jobs, sources=["offers_dump"], group="work", expect=expected)
def cities_jobs(raw_data: RawData) -> pd.DataFrame:
    """Job offers per commune and ROME. Codes keep their leading zeros and letters (01004, 2A004)."""
    return offers(raw_data.table("offers_dump"))
