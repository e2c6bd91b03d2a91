"""What every staged table must be like, checked with Great Expectations before it is staged.

What a column must be derives from `warehouse/tables.py`; what is particular to an import stands beside it.
"""

import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import String, Table

from assets.common.checking import Rule, Unmet, unmet
from resources.errors import ValidationError
from resources.sources.catalogue import catalogue
from resources.sources.geography import among
from warehouse import tables
from warehouse.record import SourceFile
from warehouse.text import as_compared

SHOWN = 20
"""How many failing rows are shown."""
LOOKED_UP = "ExpectColumnValuesToBeInSet"
"""The library takes a second over a set of 36,000 values or a range of a million: pandas looks the values up, and the
library checks what it found.
"""
UNUSED = ("scipy.stats", "altair")
"""What the library imports for distributions and their charts, which no rule of ours has: 0.8 s and 35 MB."""
NUMBER = "number"
"""What the library keeps with a rule, to tell its result by."""


@dataclass(frozen=True)
class Expectation:
    """An expectation of Great Expectations, in words. An error stops the release; a warning is shown and lets pass.

    `name` is that of its check in Dagster, whose history hangs on it. `kind` and `arguments` are the library's; a rule
    that is not one of rows has none. `values`, of a reference: the values that the column may have; `limits`, of a
    range: the least and the largest. `texts`, of a key: its columns that are texts, which are compared as the database
    compares them.
    """

    name: str
    words: str
    kind: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    error: bool = True
    values: frozenset[Any] | None = None
    limits: tuple[float, float] | None = None
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """A rule that was not met: its name, how many rows, their share (0 to 1), the first of them by key and value.

    `positions` are those of all in the frame, `lines` those in the file, where the frame's index has them; `said` is
    the whole story where it is not one of rows.
    """

    name: str
    words: str
    error: bool
    rows: int
    share: float
    first: list[dict[str, Any]]
    said: str = ""
    lines: Sequence[Hashable] = ()
    positions: Sequence[int] = ()

    def __str__(self) -> str:
        if self.said:
            return self.said
        examples = f", first: {self.examples}" if self.first else ""
        return f"{self.words}: {self.rows:,} rows ({self.share:.2%}) fail{examples}"

    @property
    def examples(self) -> str:
        """The first three failing rows, in words; empty where it is not one of rows."""
        return "; ".join(", ".join(f"{k} {v}" for k, v in row.items()) for row in self.first[:3])


def of_columns(table: Table) -> list[Expectation]:
    """What the table's description says of its columns: presence, key, form, range."""
    found = []
    contents = tables.contents_schema(table).names
    for column in (table.columns[name] for name in contents):
        if not column.nullable:
            name, words = f"{column.name}_is_there", f"{column.name} is there"
            found.append(Expectation(name, words, "ExpectColumnValuesToNotBeNull", {"column": column.name}))
        if pattern := column.info.get("matches"):
            name, words = f"{column.name}_is_well_formed", f"{column.name} looks like {pattern}"
            arguments = {"column": column.name, "regex": pattern}
            found.append(Expectation(name, words, "ExpectColumnValuesToMatchRegex", arguments))
        if limits := column.info.get("between"):
            name, words = f"{column.name}_is_in_range", f"{column.name} is from {limits[0]:g} to {limits[1]:g}"
            arguments = {"column": column.name}
            found.append(Expectation(name, words, LOOKED_UP, arguments, limits=limits))
    key = table.info["key"]
    if set(key) <= set(contents):
        texts = tuple(c for c in key if isinstance(table.c[c].type, String) and not table.c[c].info.get("matches"))
        found.append(_unique(key, texts))
    return found


def _unique(key: Sequence[str], texts: tuple[str, ...]) -> Expectation:
    words = f"{' and '.join(key)} {'stands' if len(key) == 1 else 'stand together'} once"
    name = f"{'_and_'.join(key)}_{'is' if len(key) == 1 else 'are'}_unique"
    if len(key) == 1:
        return Expectation(name, words, "ExpectColumnValuesToBeUnique", {"column": key[0]}, texts=texts)
    return Expectation(name, words, "ExpectCompoundColumnsToBeUnique", {"column_list": list(key)}, texts=texts)


def in_set(words: str, column: str, values: Iterable[Any], *, error: bool) -> Expectation:
    """A reference: the column's values are among those given. `words`, "the commune is in cities", name its check."""
    name = re.sub(r"\W+", "_", words.lower().removeprefix("the "))
    known = frozenset(pd.Series(values).to_numpy())
    return Expectation(name, words, LOOKED_UP, {"column": column}, error, known)


def some_rows() -> Expectation:
    """The table is not empty."""
    return Expectation("has_rows", "there is at least one row", "ExpectTableRowCountToBeBetween", {"min_value": 1})


def of_sources(sources: Iterable[str]) -> list[Expectation]:
    """Warnings of what the catalogue knows of sources: how many rows the whole of France has (`rows`), how old a
    vintage, a day, may be (`max_age_days`).
    """
    return [rule for name in sources for rule in (*_of_rows(name), *of_age(name))]


def _of_rows(source_id: str) -> list[Expectation]:
    """The warning of a source that has other than the rows that all of France has, if these are known."""
    if not (rows := catalogue()[source_id].rows):
        return []
    words = f"{source_id} has from {rows[0]:,} to {rows[1]:,} rows"
    return [Expectation(f"{source_id}_is_complete", words, error=False)]


def of_age(source_id: str) -> list[Expectation]:
    """The warning of a source that may be no older than some days, if it is one."""
    days = catalogue()[source_id].max_age_days
    words = f"{source_id} is at most {days} days old"
    return [Expectation(f"{source_id}_is_recent", words, error=False)] if days else []


def unlike_known(files: Iterable[SourceFile], today: date) -> list[Finding]:
    """The rules of `of_sources` that the files of a table do not meet."""
    found = []
    for file in {file.source_id: file for file in files if file.rows_read}.values():
        read = file.rows_read or 0
        least, most = catalogue()[file.source_id].rows or (read, read)
        said = f"has {read:,}: is it whole, and of all France?"
        found += [_of_file(rule, file, said) for rule in _of_rows(file.source_id) if not least <= read <= most]
        found += too_old(file, today)
    return found


def too_old(file: SourceFile, today: date) -> list[Finding]:
    """The rule of `of_age` that a file does not meet."""
    age = _age_days(file.vintage, today)
    old = age > (catalogue()[file.source_id].max_age_days or age)
    return [_of_file(rule, file, f"is {age:,}") for rule in of_age(file.source_id) if old]


def _of_file(rule: Expectation, file: SourceFile, said: str) -> Finding:
    said = f"{rule.words}, {file.file_name} {said}"
    return Finding(rule.name, rule.words, rule.error, file.rows_read or 0, 1.0, [], said)


def _age_days(vintage: str | None, today: date) -> int:
    """The age of a vintage that is a day; 0 of any other."""
    try:
        return (today - date.fromisoformat(vintage or "")).days
    except ValueError:
        return 0


def validate(frame: pd.DataFrame, expectations: Sequence[Expectation], key: Sequence[str]) -> list[Finding]:
    """The expectations that the frame does not meet, errors first, failing rows told by `key` and their value."""
    checked = [e for e in expectations if e.kind and _columns(e.arguments) <= set(frame.columns)]
    if not checked:
        return []
    looked_up = {e.words: _looked_up(e, frame[e.arguments["column"]]) for e in checked if e.kind == LOOKED_UP}
    for name in {name for e in checked for name in e.texts}:
        looked_up[_compared(name)] = frame[name].map(as_compared, na_action="ignore")
    arguments = [_arguments(expectation) for expectation in checked]
    columns = {name for given in arguments for name in _columns(given)}  # the library takes a digest of all it is given
    asked = frame.assign(**looked_up)[sorted(columns)].reset_index(drop=True)
    rules = [Rule(expectation.kind, given) for expectation, given in zip(checked, arguments, strict=True)]
    findings = [_finding(frame, checked[wrong.rule], wrong, key) for wrong in unmet(asked, rules)]
    return sorted(findings, key=lambda finding: not finding.error)


def _looked_up(expectation: Expectation, column: pd.Series) -> pd.Series:
    """Whether each value of a column is among those of a reference, or in a range; a range lets NULL be."""
    if expectation.limits:
        return column.between(*expectation.limits).fillna(value=False).astype(bool) | column.isna()
    return among(column, expectation.values or ())


def _columns(arguments: dict[str, Any]) -> set[str]:
    return {arguments["column"]} if "column" in arguments else set(arguments.get("column_list", []))


def _finding(frame: pd.DataFrame, expectation: Expectation, wrong: Unmet, key: Sequence[str]) -> Finding:
    if wrong.error:
        raise ValidationError(f"{expectation.words}: could not be checked: {wrong.error}")
    columns = list(dict.fromkeys([*key, *sorted(_columns(expectation.arguments))]))
    rows = frame.iloc[wrong.positions[:SHOWN]][[name for name in columns if name in frame.columns]]
    told = frame.index.names[0] in ("line", "record")  # of rows that were added up the first, and their number
    rows = rows.reset_index() if told else rows
    first = [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]
    count = len(wrong.positions) or len(frame)
    share = count / len(frame) if len(frame) else 1.0
    lines = frame.index.get_level_values(0)[wrong.positions].dropna().tolist() if told else ()
    return Finding(
        expectation.name,
        expectation.words,
        expectation.error,
        count,
        share,
        first,
        lines=lines,
        positions=wrong.positions,
    )


def _arguments(expectation: Expectation) -> dict[str, Any]:
    """What the library is given: of a reference or a range, the column that says whether each value was found in it; of
    a key, its texts as they are compared.
    """
    if expectation.kind == LOOKED_UP:
        return {"column": expectation.words, "value_set": [True]}
    given = {name: _compared(name) for name in expectation.texts}
    if "column_list" in expectation.arguments:
        return {"column_list": [given.get(name, name) for name in expectation.arguments["column_list"]]}
    return (
        expectation.arguments | {"column": given[expectation.arguments["column"]]} if given else expectation.arguments
    )


def _compared(column: str) -> str:
    return f"{column}, as the database compares it"
