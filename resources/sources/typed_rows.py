"""Rows as text become rows of the types that the catalogue gives their columns; those that cannot are rejected."""

import pandas as pd

from resources.errors import SourceError
from resources.sources.audit import Reading, Reject, RowAudit
from resources.sources.catalogue import Layout, Source
from resources.sources.field_types import parse
from warehouse.text import as_compared

SHOWN_CHARACTERS = 80


def typed(
    source: Source, layout: Layout, text: pd.DataFrame, audit: RowAudit, names: dict[str, str]
) -> Reading[pd.DataFrame]:
    """Texts as what the catalogue says they are; rows where that fails, or that lack what is needed, rejected."""
    if not audit.read:
        raise SourceError(f"{audit.file}: has a header and no row. Fetch it again")
    frame = parsed(source, text, audit, layout.decimal, names)
    frame = _without_repeats(frame[~frame.index.isin(list(audit.rejected))], source, audit)
    audit.check_share()
    if source.vintage_column in frame and frame[source.vintage_column].notna().any():
        audit.vintage = str(frame[source.vintage_column].max())
    optional = {name: spellings for name, spellings in layout.optional_columns.items() if name != source.vintage_column}
    audit.absent = [spellings[0] for name, spellings in optional.items() if name not in names]
    return Reading(frame.reindex(columns=list(layout.all_columns)), audit)


def parsed(source: Source, text: pd.DataFrame, audit: RowAudit, decimal: str, names: dict[str, str]) -> pd.DataFrame:
    """Texts as what the catalogue says they are; rows that fail in it, or lack a needed value, are rejected."""
    text = text.mask(text.isin(source.blank)) if source.blank else text
    columns = {}
    for name, spelling in names.items():
        kind = source.types.get(name, "text")
        blank = text[name] == ""  # in JSON a text may be empty and there
        values = parse(text[name] if kind.endswith("text") else text[name].mask(blank), kind, decimal)
        columns[name] = values.values
        for repair, number in values.repairs.items():
            audit.repairs[f"values of {spelling} {repair}"] = number
        for at, found in text[name][values.wrong].items():
            reject = Reject(f"{spelling}: expected {values.expected}", column=spelling, found=found[:SHOWN_CHARACTERS])
            audit.reject([at], reject)
        if name in source.needed:
            reject = Reject(f"{spelling}: expected a value, found none", column=spelling)
            audit.reject(text.index[(values.values.isna() & ~values.wrong) | blank], reject)
    return pd.DataFrame(columns, index=text.index)


def _without_repeats(frame: pd.DataFrame, source: Source, audit: RowAudit) -> pd.DataFrame:
    """Rows whose key stands once, compared as the database does: of equal rows one is used, of different ones with the
    same key the first.
    """
    if not source.key:
        return frame
    same = frame.duplicated()
    audit.merged = int(same.sum())
    frame = frame[~same]
    texts = [name for name in source.key if source.types.get(name, "text") == "text"]
    keys = frame[source.key].assign(**{name: frame[name].map(as_compared) for name in texts})
    again = keys.duplicated()
    if again.any():
        firsts = keys.assign(at=keys.index).groupby(source.key)["at"].transform("first")[again]
        name = " and ".join(source.key)
        said = dict(zip(frame.index, frame[source.key].astype("str").agg(" ".join, axis=1), strict=True))
        for at, first in firsts.items():
            found = f"{said[at]}, {audit.location} {first} has {said[first]} and other values"
            audit.reject([at], Reject(f"{name}: expected once", column=name, found=found))
    return frame[~again]
