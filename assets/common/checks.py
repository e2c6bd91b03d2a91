"""The rules of a staged table as Dagster shows them: a check for each, with its history and the rows that fail."""

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:  # the web server, which knows the page's address from here, does without pandas
    from assets.common.expectations import Expectation, Finding

DATA_DOCS = "/data-docs"
"""Where the web server of the UI (`pipelines/webserver.py`) has the page of an asset's rules, below it by its key."""
FIRST_ROWS = "first rows"
Evaluation = dg.AssetCheckResult | dg.AssetCheckEvaluation


def check_specs(key: dg.AssetKey, rules: Sequence["Expectation"]) -> list[dg.AssetCheckSpec]:
    """The checks of a table: those of errors keep it from being staged, those of warnings do not."""
    return [
        dg.AssetCheckSpec(
            rule.name,
            asset=key,
            blocking=rule.error,
            description=f"{rule.words}. {'An error: the table is not staged.' if rule.error else 'A warning.'}",
        )
        for rule in rules
    ]


def data_docs(key: dg.AssetKey) -> dg.MetadataValue:
    """The address of an asset's page."""
    return dg.MetadataValue.url(f"{DATA_DOCS}/{key.to_user_string()}")


def evaluations(
    key: dg.AssetKey,
    rules: Sequence["Expectation"],
    findings: Sequence["Finding"],
    selected: Collection[dg.AssetCheckKey],
) -> Iterator[Evaluation]:
    """What came of each rule. Of the checks that the run selects Dagster expects a result, which it tells with three
    events; a refresh selects none, and one event tells each.
    """
    found = {finding.name: finding for finding in findings}
    for rule in rules:
        finding = found.get(rule.name)
        kind = dg.AssetCheckResult if dg.AssetCheckKey(key, rule.name) in selected else dg.AssetCheckEvaluation
        yield kind(
            asset_key=key,
            check_name=rule.name,
            passed=finding is None,
            severity=dg.AssetCheckSeverity.ERROR if rule.error else dg.AssetCheckSeverity.WARN,
            description=str(finding) if finding else None,
            metadata={"Data Docs": data_docs(key)} | (_shown(finding) if finding else {}),
        )


def _shown(finding: "Finding") -> dict[str, dg.MetadataValue]:
    """How many rows fail, and the first of them: their place in the table and in the file, their key and value."""
    seen: dict[str, dg.MetadataValue] = {
        "rows": dg.MetadataValue.int(finding.rows),
        "share": dg.MetadataValue.text(f"{finding.share:.2%}"),
    }
    if finding.first:
        rows = [
            dg.TableRecord({"row": str(position + 1), **{name: str(value) for name, value in row.items()}})
            for position, row in zip(finding.positions, finding.first, strict=False)
        ]
        seen[FIRST_ROWS] = dg.MetadataValue.table(rows)
    if finding.lines and not {"line", "record"} & set(finding.first[0]):
        seen["lines of the file"] = dg.MetadataValue.text(", ".join(map(str, finding.lines[: len(finding.first)])))
    return seen
