"""Facilities per commune and type, counted from INSEE's BPE, which has a row for each."""

from collections.abc import Iterable

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from assets.pictures import bars_of_facilities
from assets.staged import staged
from resources.raw_data import RawData
from warehouse import tables

KEYS = ["depcom", "typequ"]
MERGE_ROWS = 2_000_000


def count_facilities(batches: Iterable[pa.Table]) -> pd.DataFrame:
    """Number of facilities (`total`) per commune and type, by both, from pieces with columns depcom and typequ (text).

    Memory grows with the communes and types, not with the rows: pieces are counted as they come. Rows without a
    commune or a type are set aside, and their number noted.
    """
    counts: list[pa.Table] = []
    for batch in batches:
        counts.append(batch.group_by(KEYS, use_threads=False).aggregate([([], "count_all")]))
        if sum(map(len, counts)) > MERGE_ROWS:
            counts = [_merged(counts)]
    merged = (
        _merged(counts) if counts else pa.table({**dict.fromkeys(KEYS, pa.array([], pa.string())), "count_all": []})
    )
    known = pc.and_(pc.is_valid(merged["depcom"]), pc.is_valid(merged["typequ"]))
    blank = pc.sum(merged.filter(pc.invert(known))["count_all"]).as_py()
    merged = merged.filter(known).sort_by([(key, "ascending") for key in KEYS])
    frame: pd.DataFrame = merged.rename_columns([*KEYS, "total"]).to_pandas()
    if blank:
        frame.attrs["notes"] = [f"{blank} rows of the BPE have no commune or no type: set aside"]
    return frame


def _merged(counts: list[pa.Table]) -> pa.Table:
    table = pa.concat_tables(counts).group_by(KEYS, use_threads=False).aggregate([("count_all", "sum")])
    return table.select([*KEYS, "count_all_sum"]).rename_columns([*KEYS, "count_all"])


@staged(tables.equipments, sources=["bpe"], group="life", picture=bars_of_facilities)
def equipments(raw_data: RawData) -> pd.DataFrame:
    """Facilities per commune and type. Paris, Lyon and Marseille are there by their districts only."""
    return count_facilities(raw_data.batches("bpe"))
