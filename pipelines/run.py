"""Running the refresh from the command line, with a line per asset as it goes."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster_shared.error import SerializableErrorInfo

from assets.expectations import ValidationError
from assets.warehouse import ACCEPTED
from pipelines.definitions import definitions
from resources.catalogue import CatalogueError
from resources.raw_files import RawFiles, SourceError
from resources.rules import rules_version
from resources.settings import Settings
from resources.staging import Staging, StagingError, fingerprint
from warehouse.database import WarehouseError

EXPLAINED = tuple(
    error.__name__ for error in (CatalogueError, SourceError, StagingError, ValidationError, WarehouseError)
)
"""Errors whose message is the whole story."""


class UnknownAssetError(Exception):
    """`--only` names what is no import and no table; the message lists those there are."""


@dataclass(frozen=True)
class Failure:
    """An asset that failed, and why."""

    step: str
    message: str


def refresh(
    settings: Settings,
    only: Sequence[str],
    echo: Callable[[str], None],
    *,
    force: bool,
    accept: Sequence[str] = (),
) -> list[Failure]:
    """Run the job `refresh`, or the part of it that `only` names; say a line per asset through `echo`.

    What is staged already from the same files by the same rules is left out, unless `force`. `accept`: tables that may
    lose many of their rows. Returns the failures, none when all is published. Raises UnknownAssetError for a name that
    is not an asset's.
    """
    started = time.monotonic()
    defs = dg.Definitions.merge(definitions(settings), dg.Definitions(loggers={"progress": _progress(echo)}))
    graph = defs.resolve_asset_graph()
    chosen, served = _selected(graph, only)
    stale = chosen if force else chosen & _stale(graph, settings)
    if len(stale) < len(chosen):
        echo(f"{len(chosen) - len(stale)} of {len(chosen)} assets are as they were: same files, same rules")
    raw = {key for key in graph.get_all_asset_keys() if key.path[0] == "raw"}
    result = defs.resolve_job_def("refresh").execute_in_process(
        instance=dg.DagsterInstance.get(),
        asset_selection=[*stale, *raw, *(dg.AssetKey(["warehouse", table]) for table in served)],
        raise_on_error=False,
        tags={ACCEPTED: ",".join(accept)} if accept else {},
        run_config={"loggers": {"progress": {}}},
    )
    echo(f"{'all':<29}{'':>14}{time.monotonic() - started:>9.1f} s")
    return [
        Failure(event.step_key or "", in_words(event.step_failure_data.error))
        for event in result.all_events
        if event.is_step_failure and event.step_failure_data.error
    ]


def _staged(graph: Any) -> dict[dg.AssetKey, Any]:
    """The staged assets, in the order in which they are made."""
    ordered = [key for level in graph.toposorted_asset_keys_by_level for key in level]
    return {key: graph.get(key) for key in ordered if graph.get(key).tags.get("layer") == "staged"}


def _selected(graph: Any, only: Sequence[str]) -> tuple[set[dg.AssetKey], set[str]]:
    """The named imports or tables with what is downstream of them in the same served table, and those tables."""
    staged = _staged(graph)
    names = {name for key, node in staged.items() for name in _names(key, node)}
    unknown = sorted(set(only) - names)
    if unknown:
        raise UnknownAssetError(f"no asset is called {', '.join(unknown)}; there are {', '.join(sorted(names))}")
    chosen = {key for key, node in staged.items() if not only or _names(key, node) & set(only)}
    tables = {staged[key].metadata["table"] for key in chosen}
    below = {
        key
        for key, node in staged.items()
        if node.metadata["table"] in tables and (key in chosen or graph.get_ancestor_asset_keys(key) & chosen)
    }
    return below, tables


def _names(key: dg.AssetKey, node: Any) -> set[str]:
    """What an import may be called: its asset, its module, its served table."""
    return {key.path[-1], node.tags["import"], node.metadata["table"]}


def _stale(graph: Any, settings: Settings) -> set[dg.AssetKey]:
    """The staged assets that would come out otherwise than they are staged: other files, other rules, or upstream of
    them something that would.
    """
    versions = RawFiles(str(settings.raw_data), str(settings.dumps_folder), str(settings.cache)).versions()
    staging = Staging(folder=str(settings.staging))
    expected: dict[str, str] = {}
    stale = set()
    for key, node in _staged(graph).items():
        inputs = {
            parent.path[-1] if parent.path[0] != "raw" else parent.to_user_string(): (
                versions[parent.path[-1]] if parent.path[0] == "raw" else expected[parent.path[-1]]
            )
            for parent in node.parent_keys
        }
        name = key.path[-1]
        expected[name] = fingerprint(rules_version(), inputs)
        if staging.fingerprint(name) != expected[name]:
            stale.add(key)
    return stale


def _progress(echo: Callable[[str], None]) -> dg.LoggerDefinition:
    """A logger that says a line per finished asset, what it noted, and what the release step is doing."""

    def progress(_context: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.Logger("mobiville", logging.DEBUG)  # Dagster's events are of that level
        logger.addHandler(_Lines(echo))
        return logger

    return dg.LoggerDefinition(progress, description="A line per asset")


class _Lines(logging.Handler):
    def __init__(self, echo: Callable[[str], None]) -> None:
        super().__init__()
        self.echo = echo
        self.rows: dict[str, list[int]] = {}
        self.notes: dict[str, list[str]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        meta: dict[str, Any] = getattr(record, "dagster_meta", {})
        event, step = meta.get("dagster_event"), meta.get("step_key") or ""
        if event is None:
            if record.levelno >= logging.WARNING:
                self.notes.setdefault(step, []).append(meta["orig_message"])
            elif step == "warehouse" and record.levelno == logging.INFO:
                self.echo(f"  {meta['orig_message']}")
        elif event.is_step_materialization:
            count = event.step_materialization_data.materialization.metadata["dagster/row_count"].value
            self.rows.setdefault(step, []).append(count)
        elif event.is_step_success or event.is_step_failure:
            self._finished(step, event)

    def _finished(self, step: str, event: Any) -> None:
        seconds = "" if event.is_step_failure else f"{event.step_success_data.duration_ms / 1000:.1f} s"
        rows = "failed" if event.is_step_failure else f"{sum(self.rows[step]):,} rows" if step in self.rows else ""
        self.echo(f"{step:<29}{rows:>14}{seconds:>11}")
        for note in self.notes.get(step, []):
            self.echo(f"    {note}")


def in_words(error: SerializableErrorInfo) -> str:
    """The message of the outermost error that explains itself; without one, the innermost's kind and first line."""
    kind, message = "", ""
    chain: SerializableErrorInfo | None = error
    while chain is not None:
        kind, _, message = chain.message.strip().partition(": ")
        kind = kind.rpartition(".")[2]
        if kind in EXPLAINED:
            return message
        chain = chain.cause
    return f"{kind}: {message.splitlines()[0] if message else ''}"
