"""Facilities per commune and type, counted from INSEE's BPE, which has a row for each."""

from collections.abc import Iterable

import pandas as pd
import pyarrow as pa

from assets.common.expectations import Expectation, some_rows
from assets.common.plots import bars_of_facilities
from assets.common.staging_asset import Import, staging_asset
from resources.raw_data import RawData
from resources.sources.catalogue import catalogue
from resources.sources.field_types import parse
from warehouse import tables
from warehouse.geography import CITIES_OF_DISTRICTS

KEYS = ["depcom", "typequ"]
MERGE_ROWS = 2_000_000


def count_facilities(batches: Iterable[pa.Table]) -> pd.DataFrame:
    """Number of facilities (`total`) per commune and type, by both, from pieces with columns depcom and typequ (text).

    Memory grows with the communes and types, not with the rows: pieces are counted as they come. A blank one is NA.
    """
    counts: list[pa.Table] = []
    for batch in batches:
        counts.append(batch.group_by(KEYS, use_threads=False).aggregate([([], "count_all")]))
        if sum(map(len, counts)) > MERGE_ROWS:
            counts = [_merged(counts)]
    merged = _merged(counts).sort_by([(key, "ascending") for key in KEYS])
    frame: pd.DataFrame = merged.rename_columns([*KEYS, "total"]).to_pandas()
    return frame.astype(dict.fromkeys(KEYS, "str"))


def sound(counts: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Those of the counted pairs that are a commune and a facility type, by both; and how many rows of the BPE had a
    code that lacked its zero.
    """
    parsed = [parse(counts[key], kind) for key, kind in catalogue()["bpe"].types.items()]
    right = ~(parsed[0].wrong | parsed[1].wrong) & counts[KEYS].notna().all(axis=1)
    codes = pd.DataFrame({key: p.values for key, p in zip(KEYS, parsed, strict=True)})
    facilities = codes.assign(total=counts["total"])[right]
    repaired = int(facilities["total"][(codes != counts[KEYS])[right].any(axis=1)].sum())
    if repaired:  # a code with its zero and without are the same commune's
        facilities = facilities.groupby(KEYS)["total"].sum().reset_index()
    return facilities, repaired


def _merged(counts: list[pa.Table]) -> pa.Table:
    table = pa.concat_tables(counts).group_by(KEYS, use_threads=False).aggregate([("count_all", "sum")])
    return table.select([*KEYS, "count_all_sum"]).rename_columns([*KEYS, "count_all"])


def expected() -> list[Expectation]:
    """Paris, Lyon and Marseille are added from their districts: their own rows would stand beside the sums."""
    words = f"the commune is none of {', '.join(CITIES_OF_DISTRICTS)}, which the BPE has by their districts"
    cities = {"column": "depcom", "value_set": list(CITIES_OF_DISTRICTS)}
    return [some_rows(), Expectation(words, "ExpectColumnValuesToNotBeInSet", cities)]


@staging_asset(tables.equipments, sources=["bpe"], group="life", expect=expected, picture=bars_of_facilities)
def equipments(raw_data: RawData) -> Import:
    """Facilities per commune and type. Paris, Lyon and Marseille are there by their districts only."""
    batches, audit = raw_data.batches("bpe")
    counts = count_facilities(batches)
    facilities, repaired = sound(counts)
    number = int(facilities["total"].sum())
    if number < counts["total"].sum():
        raw_data.reject_wrong(audit)
    audit.repairs |= {"codes got back a leading zero": repaired} if repaired else {}
    return Import(facilities, [audit.count(len(facilities), number - len(facilities))])
