"""The ROME of France Travail's API, kept code by code: what is known and fresh is not asked again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from resources.clients.france_travail import FranceTravail
from resources.clients.jsonl_cache import is_fresh, read_store, written_store

STORE = "rome_api.jsonl"
FRESH_DAYS = 30
"""The ROME has two or three releases a year; an unknown code is asked again as seldom as a known one."""


@dataclass(frozen=True)
class Asked:
    """What a run asked, and what was left: codes, number."""

    asked: int
    found: int
    fresh: int


def ask_rome(client: FranceTravail, folder: Path, codes: Sequence[str], progress: Callable[[str], None]) -> Asked:
    """Ask the API for the codes that the store in `folder` does not have, or not fresh; keep each answer as it comes.

    Raises ServiceError when the service fails for good, with what came before kept; CacheError while another run asks.
    """
    path = folder / STORE
    with written_store(path) as add:
        known = read_store(path)
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
    return Asked(len(wanted), found, len(set(codes)) - len(wanted))
