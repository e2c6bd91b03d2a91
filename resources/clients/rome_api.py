"""The ROME from France Travail's API, cached by code: a fresh entry is not requested again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from resources.clients.france_travail import FranceTravail
from resources.clients.jsonl_cache import is_fresh, open_cache, read_cache

CACHE_FILE = "rome_api.jsonl"
FRESH_DAYS = 30
"""The ROME has two or three releases a year; an unknown code is cached as long as a known one."""


@dataclass(frozen=True)
class RomeResult:
    """Numbers of ROME codes: requested, of which the API knows, and not requested because the cache is fresh."""

    requested: int
    found: int
    fresh: int


def fetch_rome(
    client: FranceTravail, folder: Path, codes: Sequence[str], progress: Callable[[str], None]
) -> RomeResult:
    """Request the codes that have no fresh entry in the cache in `folder`; write each response as it arrives.

    Raises ServiceError if the service keeps failing (earlier responses stay in the cache), CacheError while another run
    writes the cache.
    """
    path = folder / CACHE_FILE
    with open_cache(path) as add:
        known = read_cache(path)
        wanted = [code for code in sorted(set(codes)) if not is_fresh(known.get(code), FRESH_DAYS)]
        found = 0
        for number, code in enumerate(wanted, 1):
            rome = client.rome(code)
            if rome is None:
                add(code, unknown=True)
            else:
                add(code, titles=rome.titles, skills=rome.skills)
                found += 1
            if number % 50 == 0:
                progress(f"rome_api: {number} of {len(wanted)} codes")
    return RomeResult(len(wanted), found, len(set(codes)) - len(wanted))
