"""Fetching as Dagster assets: official files, climate sheets, and the ROME of France Travail's API.

Fetching is apart from the refresh: it never holds one up, and what it could not get stays as it was.
"""

from collections.abc import Iterator

import dagster as dg

from assets.common.staging_asset import OWNERS
from assets.common.trial import try_sources
from assets.raw_files import fetched_key
from resources.fetcher import FETCHED, Fetcher
from resources.sources.catalogue import Source, catalogue

GROUP = "fetching"


def _spec(source_id: str, source: Source) -> dg.AssetSpec:
    where = {"download": dg.MetadataValue.url(source.download_url)} if source.download_url else {}
    return dg.AssetSpec(
        fetched_key(source_id),
        description=f"{source.title}, fetched from {source.publisher}: a file that the refresh would refuse is refused",
        group_name=GROUP,
        kinds={"http"},
        owners=OWNERS,
        tags={"layer": "fetched"},
        metadata={"landing page": dg.MetadataValue.url(source.landing_page), "certainty": source.certainty, **where},
    )


@dg.multi_asset(
    name="fetched",
    specs=[_spec(name, catalogue()[name]) for name in FETCHED],
    can_subset=True,
)
def fetched(
    context: dg.AssetExecutionContext, fetcher: dg.ResourceParam[Fetcher]
) -> Iterator[dg.MaterializeResult[None]]:
    """Fetch what is new of the selected sources into a dated folder. One that fails is told at the end: the others are
    fetched all the same.
    """
    names = [key.path[-1] for key in sorted(context.selected_asset_keys)]
    outcomes = fetcher.fetch(names, context.log.info, try_sources)
    for outcome in outcomes:
        context.log.info(f"{outcome.source}: {outcome.state}: {outcome.detail}")
        if outcome.state in ("new", "unchanged"):
            yield dg.MaterializeResult(
                asset_key=fetched_key(outcome.source), metadata={"state": outcome.state, "detail": outcome.detail}
            )
    wrong = [f"{outcome.source}: {outcome.detail}" for outcome in outcomes if outcome.state in ("refused", "failed")]
    if wrong:
        raise dg.Failure("; ".join(wrong))
