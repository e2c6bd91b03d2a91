"""What the ROME API answered, beside what the open-data archive has."""

from collections.abc import Container

import pandas as pd

from resources.raw_data import RawData
from resources.store import Entry


def known_to_api(raw_data: RawData, romes: pd.Series) -> dict[str, Entry]:
    """The API's answer (titles: OGR code and label; skills) of each of the ROME codes that it knows."""
    wanted = set(romes)
    found = raw_data.entries("rome_api")
    return {code: entry for code, entry in found.items() if code in wanted and not entry.get("unknown")}


def not_known_to_api(romes: pd.Series, known: Container[str]) -> pd.Series:
    """The ROME codes that the archive is read for."""
    return romes[[code not in known for code in romes]]


def both(api: pd.DataFrame, archive: pd.DataFrame) -> pd.DataFrame:
    """Rows of the API and of the archive, by their first two columns. A note says how many codes each of the two gave,
    if the API gave any.
    """
    if api.empty:
        return archive
    key, then = api.columns[:2]
    rows = pd.concat([api, archive], ignore_index=True).sort_values([key, then])
    rows.attrs["notes"] = [
        f"{api[key].nunique()} ROME codes are from France Travail's API, {archive[key].nunique()} from the ROME archive"
    ]
    return rows
