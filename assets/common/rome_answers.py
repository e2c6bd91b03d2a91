"""What the ROME API answered, beside what the open-data archive has."""

from collections.abc import Collection

import pandas as pd

from resources.clients.jsonl_cache import CacheEntry
from resources.raw_data import RawData
from resources.sources.audit import Reject, RowAudit
from resources.sources.geography import among

NOT_IN_TENSION = Reject("the ROME has no tension: the web tier does not ask for it", is_error=False)
UNKNOWN = Reject("France Travail's API does not know the ROME: it is read from the archive", is_error=False)
GIVEN_BY_API = Reject("France Travail's API gave what the ROME has", is_error=False)


def known_to_api(raw_data: RawData, romes: pd.Series) -> tuple[dict[str, CacheEntry], list[RowAudit]]:
    """The API's answer (titles: OGR code and label; skills) of each of the ROME codes that it knows, and its audit."""
    if not raw_data.has("rome_api"):
        return {}, []
    answered, audit = raw_data.entries("rome_api")
    wanted = set(romes)
    audit.reject([code for code, entry in answered.items() if entry.get("unknown")], UNKNOWN)
    audit.reject([code for code in answered if code not in wanted], NOT_IN_TENSION)
    found = {code: entry for code, entry in answered.items() if code not in audit.rejected}
    return found, [audit.count(len(found))]


def not_known_to_api(romes: pd.Series, known: Collection[str]) -> pd.Series:
    """The ROME codes that the archive is read for."""
    return romes[~among(romes, known)]


def both(api: pd.DataFrame, archive: pd.DataFrame) -> pd.DataFrame:
    """Rows of the API and of the archive, by their first two columns."""
    if api.empty:
        return archive
    return pd.concat([api, archive], ignore_index=True).sort_values(list(api.columns[:2]))
