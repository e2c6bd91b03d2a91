"""The thin Dagster layer around an import: what every staged asset has in common."""

import inspect
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple

import dagster as dg
import pandas as pd
from sqlalchemy import Column, Table

from assets.common.checks import Evaluation, check_specs, data_docs, evaluations
from assets.common.code_version import asset_version
from assets.common.expectations import (
    Expectation,
    Finding,
    of_columns,
    of_sources,
    some_rows,
    unlike_known,
    validate,
)
from assets.common.lineage import of_staged, raw_key, staged_key
from assets.common.plots import as_markdown
from assets.common.shown import absent, audited, counted, seen_of
from resources.errors import AuditError, RejectedRowsError, ValidationError
from resources.failures import explained
from resources.raw_data import RawData
from resources.retries import with_retries
from resources.sources.audit import CORRECT, Reject, RowAudit
from resources.sources.catalogue import catalogue, require_sources
from resources.sources.geography import GEOGRAPHY
from resources.staging import Staged, Staging, fingerprint
from warehouse import tables
from warehouse.release import SourceFile

OWNERS = ["team:mobiville-data"]
POOL = "warehouse"
"""There is one run at a time with a step of it. Days of offers have none: they do not depend on each other."""
GIVEN = ("raw_data", "staging", "context")
"""What an import may ask for by name, beside staged tables."""


class Import(NamedTuple):
    """What an import returns: its table, the audit of each source that is there, and what else there is to say."""

    frame: pd.DataFrame
    audits: Sequence[RowAudit] = ()
    notes: Sequence[str] = ()


def staging_asset(
    table: Table,
    *,
    group: str,
    sources: Sequence[str] = (),
    above: Sequence[dg.AssetKey] = (),
    expect: Callable[..., list[Expectation]] = lambda: [some_rows()],
    priority: int = 0,
) -> Callable[[Callable[..., Import]], dg.AssetsDefinition]:
    """Make an import function the Dagster asset of its name, staged with the schema of `table`.

    The function is given `raw_data`, `staging` and the run's `context` where it asks for them, and the staged tables
    that its other parameters name. It returns its table with the audit of each of `sources` that is there. Its
    docstring is the asset's description. `above`: assets that it reads in ways of its own.
    `priority`: of the steps that may run next the one with the highest does.

    What the frame must be like: what the table's description says of its columns, what `expect` gives (what is
    particular to the import), which is given the staged tables that its parameters name (empty ones when the code
    loads, for the names of the rules), and what is known of the sources. Each rule is a check of the asset. Rows that
    do not meet an error are not staged: the asset fails with ValidationError, and what was staged stays. A run of
    checks alone looks at the rows that are staged.
    """

    def decorate(function: Callable[..., Import]) -> dg.AssetsDefinition:
        require_sources(f"{function.__module__}.{function.__name__}", sources)
        step = _Step(function, table, sources, expect)
        return dg.multi_asset(
            name=step.name,
            outs={step.name: step.out(group)},
            ins={name: dg.AssetIn(staged_key(name)) for name in step.inputs},
            deps=[*map(raw_key, sources), *above],
            check_specs=check_specs(step.key, step.rules({name: _empty(name) for name in _parameters(expect)})),
            op_tags={"dagster/priority": str(priority)},
            can_subset=True,
        )(_computed(step))

    return decorate


@dataclass(frozen=True)
class _Step:
    """What a run does with an import: read, validate, describe."""

    function: Callable[..., Import]
    table: Table
    sources: Sequence[str]
    expect: Callable[..., list[Expectation]]

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def key(self) -> dg.AssetKey:
        return staged_key(self.name)

    def out(self, group: str) -> dg.AssetOut:
        """The asset: not required, for its checks may run alone."""
        text = inspect.getdoc(self.function) or ""
        return dg.AssetOut(
            key=self.key,
            io_manager_key="staging",
            is_required=False,
            description=described("\n\n".join([text, *as_markdown(self.name)]), self.name, self.sources),
            metadata={
                "table": self.table.name,
                "dagster/column_schema": column_schema(self.table),
                "Data Docs": data_docs(self.key),
            },
            owners=OWNERS,
            freshness_policy=dg.FreshnessPolicy.time_window(self.table.info["max_age"]),
            group_name=group,
            kinds={"python", "pandas", "parquet"},
            tags={"layer": "staged", "import": self.function.__module__.rpartition(".")[2]},
            code_version=self.version,
        )

    @property
    def version(self) -> str:
        return asset_version(self.function.__module__, self.table, self.sources)

    @property
    def inputs(self) -> list[str]:
        """The staged tables that the import or its expectations name, and the geography that its sources need."""
        named = [*_parameters(self.function), *_parameters(self.expect), *([GEOGRAPHY] if self.has_communes else [])]
        return [name for name in dict.fromkeys(named) if name not in GIVEN]

    @property
    def has_communes(self) -> bool:
        """Whether commune codes are read, of any year, which become today's."""
        return self.name != GEOGRAPHY and any(catalogue()[source].commune_columns for source in self.sources)

    def read(
        self,
        context: dg.AssetExecutionContext,
        raw_data: RawData,
        staging: Staging,
        upstream: Mapping[str, pd.DataFrame],
    ) -> Import:
        """The import's table, every row of its sources told of; what it rejects is kept, of a refused file too."""
        run_id = context.run.run_id
        reader = raw_data.in_geography(upstream[GEOGRAPHY]) if self.has_communes else raw_data
        given = {"raw_data": reader, "staging": staging, "context": context, **upstream}
        try:
            made: object = self.function(**{name: given[name] for name in _parameters(self.function)})
        except RejectedRowsError as error:
            staging.keep_rejects(self.name, run_id, [error.audit])
            raise
        if not isinstance(made, Import):
            found = type(made).__name__
            raise AuditError(f"{self.name} returns a {found}: expected Import(frame, [audit.count(used=…)])")
        staging.keep_rejects(self.name, run_id, made.audits)
        check_audits(self.name, made.audits, {source for source in self.sources if raw_data.has(source)})
        return made

    def rules(self, upstream: Mapping[str, pd.DataFrame]) -> list[Expectation]:
        """What the table and its sources must be like."""
        particular = self.expect(**{name: upstream[name] for name in _parameters(self.expect)})
        return [*of_columns(self.table), *particular, *of_sources(self.sources)]

    def validate(
        self, frame: pd.DataFrame, files: Iterable[SourceFile], rules: Sequence[Expectation], raw_data: RawData
    ) -> list[Finding]:
        """The rules that are not met, errors first."""
        findings = validate(frame, rules, self.table.info["key"])
        own = [file for file in files if file.source_id in self.sources]
        named = {rule.name for rule in rules}
        unlike = [] if raw_data.is_sample else unlike_known(own, datetime.now(UTC).date())
        return findings + [finding for finding in unlike if finding.name in named]

    def files(self, made: Import, raw_data: RawData) -> list[SourceFile]:
        """The files of the import's own sources, with what became of their rows."""
        audits = {audit.source_id: audit for audit in made.audits}
        return [file for name in self.sources if name in audits for file in audits[name].told_of(raw_data.files(name))]

    def describe(self, made: Import, raw_data: RawData, staging: Staging, notes: Sequence[str]) -> dg.Output[Staged]:
        """The table with the files it was made from and its fingerprint, and what one sees of it in the UI."""
        above = [name for name in _parameters(self.function) if name not in GIVEN]
        files = [file for name in above for file in staging.sources(name)]
        if self.has_communes:
            files += [file for file in staging.sources(GEOGRAPHY) if file.source_id == GEOGRAPHY]
        files += self.files(made, raw_data)
        versions = {name: staging.fingerprint(name) for name in self.inputs}
        versions |= {raw_key(source).to_user_string(): raw_data.version(source) for source in self.sources}
        shown = seen_of(made.frame, files, notes) | counted(made.audits)
        shown["dagster/column_lineage"] = of_staged(self.table, self.sources, above)
        staged = Staged(made.frame, files, fingerprint(self.version, versions))
        return dg.Output(staged, self.name, metadata=shown)


def _empty(name: str) -> pd.DataFrame:
    """A staged table without rows."""
    described = (*tables.staged.tables.values(), *tables.metadata.tables.values())
    table = next(table for table in described if name in (table.name, *table.info["parts"]))
    return pd.DataFrame(columns=tables.contents_schema(table).names)


def _parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


def _computed(step: _Step) -> Callable[..., Any]:
    def compute(
        context: dg.AssetExecutionContext,
        raw_data: RawData,
        staging: dg.ResourceParam[Staging],
        **upstream: pd.DataFrame,
    ) -> Iterator[Evaluation | dg.Output[Staged]]:
        selected, rules = context.selected_asset_check_keys, step.rules(upstream)
        with explained():
            if step.key not in context.selected_asset_keys:
                yield from _checked_alone(step, selected, rules, raw_data, staging)
                return
            with with_retries(context.retry_number):
                made = step.read(context, raw_data, staging, upstream)
            findings = step.validate(made.frame, step.files(made, raw_data), rules, raw_data)
            findings = [_located(finding, made) for finding in findings]
            yield from evaluations(step.key, rules, findings, selected)
            if wrong := [finding for finding in findings if finding.error]:
                refused = _refused(step.name, wrong, made)
                staging.keep_rejects(step.name, context.run.run_id, made.audits)
                raise refused
            notes = [*absent(raw_data, step.sources), *audited(made.audits), *made.notes, *map(str, findings)]
            for note in notes:
                context.log.warning(note)
            yield step.describe(made, raw_data, staging, notes)

    return compute


def _checked_alone(
    step: _Step,
    selected: Collection[dg.AssetCheckKey],
    rules: Sequence[Expectation],
    raw_data: RawData,
    staging: Staging,
) -> Iterator[Evaluation]:
    """The selected checks on the rows that are staged, which have lost the lines they had in the file."""
    rules = [rule for rule in rules if dg.AssetCheckKey(step.key, rule.name) in selected]
    findings = step.validate(staging.rows(step.name), staging.sources(step.name), rules, raw_data)
    yield from evaluations(step.key, rules, findings, selected)


def _audit_of(made: Import) -> RowAudit | None:
    """The audit of the source whose lines the frame's rows can be told by."""
    index = made.frame.index.names[0]
    return next((a for a in made.audits if a.read and (a.lines_of or a.location == index)), None)


def _located(finding: Finding, made: Import) -> Finding:
    """An error with its lines, where only the file, read again, tells them."""
    audit = _audit_of(made)
    if not (finding.error and finding.positions and audit and audit.lines_of):
        return finding
    return replace(finding, lines=audit.lines_of(made.frame.iloc[list(finding.positions)]))


def _refused(name: str, findings: Sequence[Finding], made: Import) -> ValidationError:
    """The error of rows that fail. Where their lines are known they are put with the rejects, and it says of which file
    they are, and what to do.
    """
    words = f"{name}: {'; '.join(map(str, findings))}"
    rows = [{"expected": finding.words, **row} for finding in findings for row in finding.first]
    facts: dict[str, Any] = {"expected": "; ".join(finding.words for finding in findings), "rows": rows}
    audit = _audit_of(made)
    if audit is None or not any(finding.positions for finding in findings):
        return ValidationError(words, **facts)
    where, first = audit.file, list[Hashable]()
    for finding in findings:
        if audit.lines_of and finding.positions:
            where = ", ".join([where, *(f"{audit.location} {line}" for line in finding.lines[:1])])
        audit.reject(finding.lines, Reject(finding.words))
        first += finding.lines[:1]
    remedy = f"`mobiville rejects --source {audit.source_id}` shows them; {CORRECT}"
    facts |= {"file": audit.file, "line": ", ".join(map(str, first)), "found": findings[0].examples, "remedy": remedy}
    return ValidationError(f"{words}. They stand in {where}: {remedy}", **facts)


def check_audits(name: str, audits: Sequence[RowAudit], present: Set[str]) -> None:
    """Raise AuditError when an import returned no audit of a source that is there, or one of a source that it does not
    name; SourceError when an audit's rows do not add up, or too many of them have an error.
    """
    told = {audit.source_id for audit in audits}
    if forgotten := sorted(present - told):
        raise AuditError(
            f"{name} does not say what became of the rows of {', '.join(forgotten)}: return the audit that came with "
            "them, Import(frame, [audit.count(used=…)]), or raw_data.audit(source) of a source that is not read"
        )
    if unnamed := sorted(told - present):
        raise AuditError(f"{name} reads {', '.join(unnamed)}: name it in `sources` of its @staging_asset")
    for audit in audits:
        audit.check_share()
        audit.check_sum()


def described(text: str, name: str, sources: Sequence[str]) -> str:
    """What an asset is, where it comes from (with vintage, licence and page), and how to rebuild it."""
    origins = [
        f"- [{source.title}]({source.landing_page}), {source.publisher}, {source.vintage}, {source.licence}"
        for source in map(catalogue().__getitem__, sources)
    ]
    refresh = f"To rebuild it: materialize it here, or run `mobiville refresh --only {name}`."
    return "\n\n".join(filter(None, [text, "\n".join(origins and ["From", "", *origins]), refresh]))


def column_schema(table: Table) -> dg.TableSchema:
    """A table's description, as Dagster shows it."""
    return dg.TableSchema([_column(column) for column in table.columns if column.name not in tables.STAMPS])


def _column(column: Column[Any]) -> dg.TableColumn:
    constraints = dg.TableColumnConstraints(nullable=bool(column.nullable), unique=bool(column.primary_key))
    return dg.TableColumn(column.name, str(column.type), column.comment, constraints)
