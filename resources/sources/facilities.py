"""INSEE's BPE, which has millions of rows, as counts."""

from collections.abc import Iterable

import pandas as pd
import pyarrow as pa

from resources.sources.audit import Reading
from resources.sources.reader import Reader

KEYS = ["depcom", "typequ"]
MERGE_ROWS = 2_000_000


def count_facilities(batches: Iterable[pa.Table]) -> pd.DataFrame:
    """Number of rows (`total`) per commune and type, by both, from pieces with columns depcom and typequ (text); of the
    count file per year and number too, two more columns.

    Memory grows with the communes and types, not with the rows: pieces are counted as they come. A blank one is NA.
    """
    counts: list[pa.Table] = []
    for batch in batches:
        keys = [name for name in batch.column_names if name not in ("level", "measure")]
        counts.append(batch.group_by(keys, use_threads=False).aggregate([([], "count_all")]))
        if sum(map(len, counts)) > MERGE_ROWS:
            counts = [_merged(counts)]
    merged = _merged(counts).sort_by([(key, "ascending") for key in KEYS])
    frame: pd.DataFrame = merged.rename_columns([*merged.column_names[:-1], "total"]).to_pandas()
    return frame.astype(dict.fromkeys(frame.columns[:-1], "str"))


def counted(files: Reader) -> Reading[pd.DataFrame]:
    """The facilities of the BPE, see `count_facilities`."""
    batches, audit = files.batches("bpe")
    return Reading(count_facilities(batches), audit)


def _merged(counts: list[pa.Table]) -> pa.Table:
    keys = counts[0].column_names[:-1]
    table = pa.concat_tables(counts).group_by(keys, use_threads=False).aggregate([("count_all", "sum")])
    return table.select([*keys, "count_all_sum"]).rename_columns([*keys, "count_all"])
