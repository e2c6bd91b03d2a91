"""Descriptions and photos of communes, from French Wikipedia: asked for by the week, apart from the refresh."""

import dagster as dg

from assets.common.staging_asset import OWNERS
from assets.common.trial import try_sources
from resources.fetcher import DESCRIPTIONS, Fetcher
from resources.sources.catalogue import catalogue


@dg.asset(
    group_name="fetching",
    kinds={"http"},
    owners=OWNERS,
    tags={"layer": "fetched"},
    metadata={"landing page": dg.MetadataValue.url(catalogue()[DESCRIPTIONS].landing_page)},
)
def city_descriptions(
    context: dg.AssetExecutionContext, fetcher: dg.ResourceParam[Fetcher]
) -> dg.MaterializeResult[None]:
    """Ask Wikipedia for the communes that were never asked for or long ago, the most populous first, for a bounded
    time; the next refresh puts what it answered into `cities`.
    """
    (outcome,) = fetcher.fetch([DESCRIPTIONS], context.log.info, try_sources)
    if outcome.state == "failed":
        raise dg.Failure(outcome.detail)
    return dg.MaterializeResult(metadata={"state": outcome.state, "detail": outcome.detail})
