"""Fetching as Dagster shows it: official files, climate sheets, the ROME of France Travail's API, descriptions.

Fetching is apart from the refresh: a job of its own. What it fetches is shown as external assets, which no
"Materialize all" starts: a network that is away holds nothing up, and what could not be fetched stays as it was.
"""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from assets.common.staging_asset import OWNERS, POOL
from assets.common.trial import try_sources
from assets.raw_files import fetched_key
from resources.errors import ServiceError
from resources.failures import explained
from resources.sources.catalogue import Source, catalogue
from resources.sources.fetched import DESCRIPTIONS, FETCHED

GROUP = "fetching"


class Wanted(dg.Config):
    """What a run fetches."""

    sources: list[str] = Field(default=list(FETCHED), description="Sources, as raw_data/sources.yaml names them.")


def _spec(source_id: str, source: Source) -> dg.AssetSpec:
    where = {"download": dg.MetadataValue.url(source.download_url)} if source.download_url else {}
    job = "enrichment" if source_id == DESCRIPTIONS else "fetch"
    return dg.AssetSpec(
        fetched_key(source_id),
        description=f"{source.title}, fetched from {source.publisher} by the job `{job}`: a file that the refresh "
        "would refuse is refused",
        group_name=GROUP,
        kinds={"http"},
        owners=OWNERS,
        tags={"layer": "fetched"},
        metadata={"landing page": dg.MetadataValue.url(source.landing_page), "certainty": source.certainty, **where},
    )


fetched = [_spec(name, catalogue()[name]) for name in (*FETCHED, DESCRIPTIONS)]


@dg.op(out={}, pool=POOL)
def fetch_sources(context: dg.OpExecutionContext, config: Wanted) -> Iterator[dg.AssetMaterialization]:
    """Fetch what is new of the given sources. One that fails is told at the end: the others are
    fetched all the same.
    """
    from resources.fetching import fetch  # what speaks HTTP takes a tenth of a second, which a refresh does without

    with explained():
        outcomes = fetch(config.sources, context.log.info, try_sources)
        for outcome in outcomes:
            context.log.info(f"{outcome.source}: {outcome.state}: {outcome.detail}")
            if outcome.state in ("new", "unchanged"):
                told = {"state": outcome.state, "detail": outcome.detail}
                yield dg.AssetMaterialization(fetched_key(outcome.source), metadata=told)
        wrong = [f"{o.source}: {o.detail}" for o in outcomes if o.state in ("refused", "failed")]
        if wrong:
            raise ServiceError("; ".join(wrong))
