"""The served tables: every selected one is loaded beside what is served, then all are swapped in one step."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import dagster as dg
from pydantic import Field, field_validator

from assets.common.code_version import LOADING, asset_version
from assets.common.expectations import Finding
from assets.common.lineage import of_served, staged_key
from assets.common.staging_asset import OWNERS, POOL, column_schema, described
from raw_data import is_sample
from resources.errors import ValidationError
from resources.failures import explained
from resources.retries import with_retries
from resources.staging import Staging, fingerprint, once
from resources.warehouse import Warehouse
from warehouse import tables
from warehouse.errors import not_known
from warehouse.release import TableVersion


def table_key(name: str) -> dg.AssetKey:
    """The asset of a served table."""
    return dg.AssetKey(["warehouse", name])


DOWNLOADS = dg.AssetKey("downloads")
"""The asset of the files that are written once a release is published."""


def parts_of(name: str) -> tuple[str, ...]:
    """The staged tables whose rows a served table holds, one after the other."""
    parts: tuple[str, ...] = tables.metadata.tables[name].info["parts"]
    return parts


def table_version(name: str) -> str:
    """The version of the rules by which staged rows become a served table's."""
    return asset_version(LOADING, tables.metadata.tables[name])


def table_fingerprint(staging: Staging, name: str) -> str:
    """What stands for everything a served table is made with."""
    return fingerprint(table_version(name), {part: staging.fingerprint(part) for part in parts_of(name)})


def contents_of(staging: Staging, names: Sequence[str]) -> list[TableVersion]:
    """What is staged of served tables."""
    return [
        TableVersion(
            tables.metadata.tables[name],
            [staging.path(part) for part in parts_of(name)],
            once(source for part in parts_of(name) for source in staging.sources(part)),
            table_fingerprint(staging, name),
        )
        for name in names
    ]


VOLUME = "volume"
BAND = 0.2
"""Share of a table's rows that a release may gain or lose without a word."""


class Publishing(dg.Config):
    """What a run may ask of the release."""

    force: bool = Field(False, description="Read the served tables to their last row, and load damaged ones again.")
    allow_shrink: list[str] = Field([], description="Served tables that may lose as many rows as they do.")
    sample: bool = Field(False, description="Publish the bundled sample, invented figures, to a MariaDB warehouse.")

    @field_validator("allow_shrink")
    @classmethod
    def _known(cls, names: list[str]) -> list[str]:
        if unknown := [name for name in names if name not in tables.metadata.tables]:
            raise ValueError(not_known("table", unknown[0], tables.metadata.tables))
        return names


def _spec(name: str) -> dg.AssetSpec:
    table = tables.metadata.tables[name]
    return dg.AssetSpec(
        table_key(name),
        deps=[*map(staged_key, parts_of(name))],
        description=described(f"{table.comment}. What readers read.", name, ()),
        owners=OWNERS,
        freshness_policy=dg.FreshnessPolicy.time_window(table.info["max_age"]),
        group_name="serving",
        kinds={"mariadb", "sql"},
        tags={"layer": "served"},
        code_version=table_version(name),
        metadata={"dagster/column_schema": column_schema(table), "dagster/table_name": name},
    )


def volume(name: str, rows: int, before: int, accepted: Collection[str]) -> Finding | None:
    """Whether a table has about as many rows as the served one: an error where it lost more than a fifth of them,
    unless that is accepted; a warning where it gained more than a fifth; None where all is well, or nothing was served.
    """
    if not before or (1 - BAND) * before <= rows <= (1 + BAND) * before:
        return None
    error = rows < before and name not in accepted
    said = f"{name} would have {rows:,} rows, the served release has {before:,}"
    if error:
        said += f": more than {BAND:.0%} would be lost"
    return Finding(VOLUME, f"{name} has about the rows it had", error, rows, abs(rows - before) / before, [], said)


@dg.multi_asset(
    name="warehouse",
    specs=[_spec(name) for name in tables.metadata.tables],
    check_specs=[
        dg.AssetCheckSpec(
            VOLUME,
            asset=table_key(name),
            blocking=True,
            description="About as many rows as the served release has: a table that lost many is not published",
        )
        for name in tables.metadata.tables
    ],
    can_subset=True,
    pool=POOL,
)
def warehouse_tables(
    context: dg.AssetExecutionContext, config: Publishing, staging: dg.ResourceParam[Staging], warehouse: Warehouse
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """Publish the selected tables: load what changed beside what is served, then swap it all in one step.

    Raises ValidationError, and publishes nothing, when a table lost many of its rows (see `volume`), or the invented
    sample would be served to those who ask MariaDB.
    """
    names = sorted(key.path[-1] for key in context.selected_asset_keys)
    with explained():
        contents = contents_of(staging, names)
        if not config.sample:
            refuse_sample(contents, warehouse.url)
        with with_retries(context.retry_number):
            before = warehouse.rows()
        yield from volumes(contents, before, config.allow_shrink)
        with with_retries(context.retry_number):
            release = warehouse.publish(contents, _started_at(context), context.log.info, deep=config.force)
            changes = warehouse.changes(release)
    for name in names:
        table = release.tables[name]
        yield dg.MaterializeResult(
            asset_key=table_key(name),
            metadata={
                "dagster/row_count": table.rows,
                "release": release.id,
                "loaded by release": table.contents_id,
                "sha256": table.sha256,
                "dagster/column_lineage": of_served(tables.metadata.tables[name]),
                **{f"rows {kind}": number for kind, number in changes.get(name, {}).items()},
            },
        )


def _started_at(context: dg.AssetExecutionContext) -> datetime:
    run = context.instance.get_run_record_by_id(context.run.run_id)
    return run.create_timestamp.replace(microsecond=0, tzinfo=None) if run else datetime.now(UTC)


def refuse_sample(contents: Sequence[TableVersion], url: str) -> None:
    """Raise ValidationError when the bundled sample would go to MariaDB."""
    digests = {source.sha256 for content in contents for source in content.sources}
    if is_sample(digests) and url.startswith(("mysql", "mariadb")):
        raise ValidationError(
            "the raw files are the bundled sample, whose figures are invented: set MOBIVILLE_RAW_DATA to the folder of "
            "the real ones, or publish the sample: mobiville refresh --sample, or `sample: true` for a run of the UI"
        )


def volumes(
    contents: Sequence[TableVersion], before: Mapping[str, int], accepted: Collection[str]
) -> Iterator[dg.AssetCheckResult]:
    """The volume of each table as a check. Raises ValidationError when one is an error."""
    wrong: dict[str, str] = {}
    for content in contents:
        name, rows = content.table.name, content.rows()
        finding = volume(name, rows, before.get(name, 0), accepted)
        if finding and finding.error:
            wrong[name] = str(finding)
        yield dg.AssetCheckResult(
            passed=finding is None,
            asset_key=table_key(name),
            check_name=VOLUME,
            severity=dg.AssetCheckSeverity.ERROR if name in wrong else dg.AssetCheckSeverity.WARN,
            description=str(finding) if finding else None,
            metadata={"rows": rows, "rows served": before.get(name, 0)},
        )
    if wrong:
        accept = " ".join(f"--allow-shrink {name}" for name in wrong)
        remedy = f"Are these the right files? If so, say so: mobiville refresh {accept}"
        raise ValidationError(f"{'; '.join(wrong.values())}. {remedy}", found="; ".join(wrong.values()), remedy=remedy)
