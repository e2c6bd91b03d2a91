"""The files to download, written once a release is published."""

import dagster as dg

from assets.common.staging_asset import OWNERS, POOL
from assets.warehouse import DOWNLOADS, contents_of, parts_of, table_key
from resources.failures import explained
from resources.retries import with_retries
from resources.staging import Staging
from resources.warehouse import Warehouse
from warehouse.datapackage import FILE
from warehouse.tables import metadata


@dg.asset(
    key=DOWNLOADS,
    deps=[table_key(name) for name in metadata.tables],
    group_name="serving",
    kinds={"parquet", "csv"},
    owners=OWNERS,
    tags={"layer": "exported"},
    pool=POOL,
    description=f"Every served table as Parquet and as CSV, described by a {FILE}: what /downloads of the API gives. "
    "A folder per release in MOBIVILLE_EXPORTS. If it fails, the release is served all the same: "
    "`mobiville export` writes its files.",
)
def downloads(
    context: dg.AssetExecutionContext, staging: dg.ResourceParam[Staging], warehouse: Warehouse
) -> dg.MaterializeResult[None]:
    """Write the served release, unless its files are there."""
    with explained(), with_retries(context.retry_number):
        staged = [name for name in metadata.tables if all(map(staging.fingerprint, parts_of(name)))]
        folder = warehouse.export(contents_of(staging, staged), context.log.info)
    return dg.MaterializeResult(metadata={"folder": dg.MetadataValue.path(str(folder))})
