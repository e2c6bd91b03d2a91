"""Facilities per commune and type, from INSEE's BPE, which has a row for each, or from its count file (DS_BPE)."""

import pandas as pd

from assets.common.expectations import Expectation, in_set, some_rows
from assets.common.staging_asset import Import, staging_asset
from resources.raw_data import RawData
from resources.sources.audit import RowAudit
from resources.sources.catalogue import catalogue
from resources.sources.facilities import KEYS, counted
from resources.sources.field_types import parse
from resources.sources.geography import among
from warehouse import tables
from warehouse.geography import CITIES_OF_DISTRICTS, CITY_OF_DISTRICT


def sound(counts: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Those of the counted rows that have a commune and a facility type, by both, typed; and how many rows of the BPE
    had a code that lacked its zero.
    """
    types = catalogue()["bpe"].types
    parsed = {column: parse(counts[column], types[column]) for column in counts.columns[:-1]}
    right = ~pd.concat([p.wrong | counts[column].isna() for column, p in parsed.items()], axis=1).any(axis=1)
    codes = pd.DataFrame({column: p.values for column, p in parsed.items()})
    facilities = codes.assign(total=counts["total"])[right]
    repaired = int(facilities["total"][(codes[KEYS] != counts[KEYS])[right].any(axis=1)].sum())
    if repaired:  # a code with its zero and without are the same commune's
        facilities = facilities.groupby(list(parsed))["total"].sum().reset_index()
    return facilities, repaired


def of_newest_year(rows: pd.DataFrame, audit: RowAudit) -> pd.DataFrame:
    """The rows of the count file that are of its newest year and count a facility; the others are ruled out."""
    late, none = rows["year"] < rows["year"].max(), rows["number"] == 0
    for reason, ruled_out in {"an older year": late, "no facility of the type": none & ~late}.items():
        audit.ruled_out |= {reason: int(rows["total"][ruled_out].sum())} if ruled_out.any() else {}
    audit.vintage = str(rows["year"].max())
    kept: pd.DataFrame = rows[~late & ~none]
    return kept


def with_own_rows(facilities: pd.DataFrame, *, counted: bool) -> pd.DataFrame:
    """The facilities, where Paris, Lyon or Marseille have rows of their own beside their districts' with all of them:
    in the count file the city's number has the districts' in it, elsewhere each row is one more facility.
    """
    own = facilities[among(facilities["depcom"], CITIES_OF_DISTRICTS)]
    districts = facilities[among(facilities["depcom"], CITY_OF_DISTRICT)]
    sums = districts.assign(depcom=districts["depcom"].map(CITY_OF_DISTRICT)).groupby(KEYS)["total"].sum()
    of_districts = sums.reindex(pd.MultiIndex.from_frame(own[KEYS]), fill_value=0).to_numpy()
    total = facilities["total"].copy()
    total[own.index] = own["total"].clip(lower=of_districts) if counted else own["total"] + of_districts
    return facilities.assign(total=total)


def expected(cities: pd.DataFrame) -> list[Expectation]:
    """Without a COG, communes that merged or split since are in one file and not in the other."""
    return [some_rows(), in_set("the commune is in cities", "depcom", cities["insee_com"], error=False)]


@staging_asset(tables.equipments, sources=["bpe"], group="life", expect=expected, priority=1)  # it loads the longest
def equipments(raw_data: RawData) -> Import:
    """Facilities per commune and type; of Paris, Lyon and Marseille the types of which the file has rows of theirs."""
    counts, audit = raw_data.ahead("bpe", raw_data.path("bpe"), lambda: counted(raw_data))
    audit.lines_of = lambda failing: raw_data.lines_of(audit, failing[KEYS])
    rows, repaired = sound(counts)
    if rows["total"].sum() < counts["total"].sum():
        raw_data.reject_wrong(audit)
    if has_numbers := "number" in rows:
        rows = of_newest_year(rows, audit)
    used = int(rows["total"].sum())
    if has_numbers:
        rows = rows.assign(total=rows["total"] * rows["number"])
    rows = raw_data.with_todays_codes(rows, ["depcom"], audit)
    if has_numbers or audit.former_codes:
        rows = rows.groupby(KEYS)["total"].sum().reset_index()
    audit.repairs |= {"codes got back a leading zero": repaired} if repaired else {}
    return Import(
        with_own_rows(rows[[*KEYS, "total"]], counted=has_numbers), [audit.count(len(rows), used - len(rows))]
    )
