"""The thin Dagster layer around an import: what every staged asset has in common."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pandas as pd
from sqlalchemy import Column, Table
from upath import UPath

from assets.common.code_version import rules_version
from assets.common.expectations import Expectation, Finding, data_docs, judged, of_columns, some_rows, unlike_known
from assets.common.lineage import of_staged, raw_key
from assets.common.plots import Picture, drawn
from resources.errors import ValidationError
from resources.raw_data import RawData
from resources.retries import retried
from resources.sources.audit import Account
from resources.sources.catalogue import catalogue
from resources.staging import Staged, Staging, fingerprint
from warehouse import tables
from warehouse.release import SourceFile

CHECK = "expectations"
OWNERS = ["team:mobiville-data"]
PREVIEW_ROWS = 5
PREVIEW_CHARACTERS = 80


def staged(
    table: Table,
    *,
    group: str,
    sources: Sequence[str] = (),
    expect: Callable[..., list[Expectation]] = lambda: [some_rows()],
    picture: Picture | None = None,
) -> Callable[[Callable[..., pd.DataFrame]], dg.AssetsDefinition]:
    """Make a plain import function the Dagster asset of its name, staged with the schema of `table`.

    The function is given `raw_data` where it asks for it, and the staged tables that its other parameters name. Its
    docstring is the asset's description.

    What the frame must be like: what the table's description says of its columns, and what `expect` gives (what is
    particular to the import), which is given the staged tables that its parameters name. Rows that do not meet an error
    are not staged: the asset fails with ValidationError, and what was staged stays.
    """

    def decorate(function: Callable[..., pd.DataFrame]) -> dg.AssetsDefinition:
        wanted, referred = (list(inspect.signature(f).parameters) for f in (function, expect))
        lineage = _lineage(table, sources, wanted)
        inputs = list(dict.fromkeys([*(name for name in wanted if name != "raw_data"), *referred]))

        def compute(
            context: dg.AssetExecutionContext,
            raw_data: RawData,
            staging: dg.ResourceParam[Staging],
            **upstream: pd.DataFrame,
        ) -> Iterator[dg.AssetCheckResult | dg.Output[Staged]]:
            above = [file for name in wanted if name in upstream for file in upstream[name].attrs["sources"]]
            versions = {name: frame.attrs["fingerprint"] for name, frame in upstream.items()}
            versions |= {raw_key(source).to_user_string(): raw_data.version(source) for source in sources}
            for given in upstream.values():
                given.attrs = {}
            raw_data.forget()
            try:
                with retried(context.retry_number):
                    frame = function(**{name: {"raw_data": raw_data, **upstream}[name] for name in wanted})
            finally:
                accounts = raw_data.accounts(sources)
                staging.keep_rejects(function.__name__, context.run.run_id, accounts)
            for account in accounts:
                account.check_share()
                account.check_sum()
            expectations = of_columns(table) + expect(**{name: upstream[name] for name in referred})
            findings, results = judged(frame, expectations, tables.KEYS[table.name])
            findings += [] if raw_data.is_sample else unlike_known(accounts, datetime.now(UTC).date())
            page = staging.keep_page(function.__name__, data_docs(results, f"{function.__name__}: expectations"))
            yield _check(findings, len(expectations), page)
            if any(finding.error for finding in findings):
                wrong = "; ".join(str(finding) for finding in findings if finding.error)
                raise ValidationError(f"{function.__name__}: {wrong}")
            notes = [*_absent(raw_data, sources), *_accounted(accounts), *map(str, findings)]
            for note in notes:
                context.log.warning(note)
            files = above + [file for source in sources for file in raw_data.read_files(source)]
            output = Staged(frame, files, fingerprint(rules_version(), versions))
            seen = _seen(frame, files, notes) | _rows(accounts) | lineage | drawn(picture, frame)
            yield dg.Output(output, metadata=seen)

        compute.__signature__ = _signature(compute, inputs)  # type: ignore[attr-defined]
        return dg.asset(
            name=function.__name__,
            io_manager_key="staging",
            description=described(inspect.getdoc(function) or "", function.__name__, sources),
            metadata={"table": table.name, "dagster/column_schema": column_schema(table)},
            owners=OWNERS,
            group_name=group,
            kinds={"python", "pandas", "parquet"},
            tags={"layer": "staged", "import": function.__module__.rpartition(".")[2]},
            code_version=rules_version()[:12],
            ins={name: dg.AssetIn() for name in inputs},
            deps=[raw_key(source) for source in sources],
            check_specs=[
                dg.AssetCheckSpec(
                    CHECK,
                    asset=function.__name__,
                    blocking=True,
                    description="Great Expectations on the table: an error keeps it from being staged",
                )
            ],
        )(compute)

    return decorate


def _check(findings: Sequence[Finding], expectations: int, page: UPath) -> dg.AssetCheckResult:
    """The expectations as Dagster shows them: each that failed in words, with the first failing rows."""
    seen: dict[str, Any] = {
        "expectations": expectations,
        "not met": len(findings),
        "Data Docs": dg.MetadataValue.path(str(page.resolve())),
    }
    for finding in findings:
        rows = [dg.TableRecord({key: str(value) for key, value in row.items()}) for row in finding.first]
        seen[finding.words] = dg.MetadataValue.text(f"{finding.rows:,} rows, {finding.share:.2%}")
        if rows:
            seen[f"{finding.words}: the first rows"] = dg.MetadataValue.table(rows)
    severity = dg.AssetCheckSeverity.ERROR if any(f.error for f in findings) else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckResult(passed=not findings, check_name=CHECK, severity=severity, metadata=seen)


def _signature(compute: Callable[..., Any], inputs: Sequence[str]) -> inspect.Signature:
    """The signature of `compute` with its inputs by name, as Dagster looks for them."""
    given = list(inspect.signature(compute).parameters.values())[:-1]
    named = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in inputs]
    return inspect.Signature([*given, *named])


def _absent(raw_data: RawData, sources: Sequence[str]) -> list[str]:
    """What follows from each optional source that is not there."""
    return [
        f"no file for {source}: {catalogue()[source].without}"
        for source in sources
        if not catalogue()[source].required and not raw_data.has(source)
    ]


def _accounted(accounts: Sequence[Account]) -> list[str]:
    """What there is to say of the rows of each source: left out, put right, columns that its vintage has not."""
    said = []
    for account in accounts:
        rejected = "; ".join(f"{number:,} {reason}" for reason, number in account.by_reason().items())
        if rejected:
            said.append(f"{account.source_id}: {len(account.rejected):,} of {account.read:,} rows left out: {rejected}")
        if account.repairs:
            repaired = ", ".join(f"{what} ({number:,})" for what, number in account.repairs.items())
            said.append(f"{account.source_id}, put right: {repaired}")
        if account.absent:
            said.append(f"{account.file} has no {', '.join(account.absent)}: NULL")
    return said


def _rows(accounts: Sequence[Account]) -> dict[str, Any]:
    """What became of the rows of each source, and the first of those left out, as Dagster shows them."""
    if not accounts:
        return {}
    counts = [
        dg.TableRecord(
            {
                "source": account.source_id,
                "read": account.read,
                "used": account.used,
                "merged": account.merged,
                "rejected": len(account.rejected),
            }
        )
        for account in accounts
    ]
    first = pd.concat([account.rejects().head(PREVIEW_ROWS) for account in accounts])
    shown = first[["source", "place", "line", "row", "reason"]].to_dict("records")
    rejects = [dg.TableRecord({str(k): str(v)[:PREVIEW_CHARACTERS] for k, v in row.items()}) for row in shown]
    seen: dict[str, Any] = {
        "rows of the sources": dg.MetadataValue.table(counts),
        "rows rejected": sum(len(account.rejected) for account in accounts),
    }
    return seen | ({"rejects: the first rows": dg.MetadataValue.table(rejects)} if rejects else {})


def _seen(frame: pd.DataFrame, files: Sequence[SourceFile], notes: Sequence[str]) -> dict[str, Any]:
    """What one sees of a staged table in the UI."""
    head = frame.head(PREVIEW_ROWS)
    records = [
        dg.TableRecord({str(key): str(value)[:PREVIEW_CHARACTERS] for key, value in row.items()})
        for row in head.to_dict("records")
    ]
    schema = dg.TableSchema([dg.TableColumn(str(name), str(dtype)) for name, dtype in head.dtypes.items()])
    seen: dict[str, Any] = {
        "dagster/row_count": len(frame),
        "preview": dg.MetadataValue.table(records, schema),
        "sources": dg.MetadataValue.md(
            "\n".join(f"- {file.file_name} ({file.vintage}), sha256 `{file.sha256}`" for file in files)
        ),
    }
    return seen | ({"notes": dg.MetadataValue.md("\n".join(f"- {note}" for note in notes))} if notes else {})


def described(text: str, name: str, sources: Sequence[str]) -> str:
    """What an asset is, where it comes from (with vintage, licence and page), and how to make it anew."""
    origins = [
        f"- [{source.title}]({source.landing_page}), {source.publisher}, {source.vintage}, {source.licence}"
        for source in map(catalogue().__getitem__, sources)
    ]
    refresh = f"To make it anew: materialize it here, or run `mobiville refresh --only {name}`."
    return "\n\n".join(filter(None, [text, "\n".join(origins and ["From", "", *origins]), refresh]))


def _lineage(table: Table, sources: Sequence[str], upstream: Sequence[str]) -> dict[str, Any]:
    """Column lineage, as the UI takes it. The staged tables of a table bear its name, or begin with it."""
    same = [name for name in upstream if name == table.name]
    found = of_staged(table, sources, same)
    return {"dagster/column_lineage": found} if found.deps_by_column else {}


def column_schema(table: Table) -> dg.TableSchema:
    """A table's description, as Dagster shows it."""
    return dg.TableSchema([_column(column) for column in table.columns if column.name not in tables.STAMPS])


def _column(column: Column[Any]) -> dg.TableColumn:
    constraints = dg.TableColumnConstraints(nullable=bool(column.nullable), unique=bool(column.primary_key))
    return dg.TableColumn(column.name, str(column.type), column.comment, constraints)
