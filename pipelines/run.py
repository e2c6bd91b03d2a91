"""Running the refresh from the command line, with a line per asset as it goes."""

import gc
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import dagster as dg

from assets.common.lineage import staged_key
from assets.common.staleness import Plan, named, whole
from assets.common.trial import execute
from assets.offers_history import WANTED as DAYS
from assets.warehouse import contents_of, parts_of
from pipelines.ahead import Ahead
from pipelines.definitions import definitions
from resources.failures import in_words
from resources.settings import Settings
from resources.staging import Staging
from resources.warehouse import EARLY
from schedules.runs import PROCESS, delete_old_runs, end_dead_runs
from warehouse import tables
from warehouse.early import EarlyLoads


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
    allow_shrink: Sequence[str] = (),
    sample: bool = False,
    days: str = "",
    ahead: Ahead | None = None,
) -> list[Failure]:
    """Run the job `refresh`, or the part of it that `only` names; say a line per asset through `echo`.

    What is staged already from the same files by the same rules is skipped, unless `force`. `allow_shrink`: tables
    that may lose many of their rows. `sample`: the bundled sample may go to MariaDB. `days`: the dumps of these days
    (2021-12-01:2021-12-31) are read again, and offers_history alone is published. `ahead`: what reads files already.

    Returns the failures, none when all is published. Raises UnknownAssetError for a name that is not an asset's,
    KeyboardInterrupt when interrupted.
    """
    started = time.monotonic()
    instance, lines = _history(settings, echo), _Lines(echo)
    defs = dg.Definitions.merge(definitions(settings), dg.Definitions(loggers={"progress": _progress(lines)}))
    graph = defs.resolve_asset_graph()
    chosen = named(graph, [tables.offers_history.name] if days else only)
    plan = chosen if force or days else chosen & whole(graph, settings)
    if same := len(chosen.staged) - len(plan.staged):
        echo(f"{same} of {len(chosen.staged)} assets are as they were: same files, same rules")
    if not plan:
        return []
    tags = {PROCESS: f"{socket.gethostname()}:{os.getpid()}"} | ({DAYS: days} if days else {})
    asked = {"force": force, "allow_shrink": [*allow_shrink], "sample": sample} if plan.tables else {}  # of that step
    steps = {key.path[-1] for key in plan.staged}
    reading = (ahead or Ahead(settings)).kept_for(steps)
    with instance, reading, _loading_early(settings, plan, echo) as lines.on_staged:
        job, config = defs.resolve_job_def("refresh"), asked | {"loggers": {"progress": {}}}
        errors = execute(job, instance, plan.selection(graph), plan.checks, config, tags).errors
    echo(f"{'all':<29}{'':>14}{time.monotonic() - started:>9.1f} s")
    return [Failure(step, in_words(error)) for step, error in errors.items()]


def _history(settings: Settings, echo: Callable[[str], None]) -> dg.DagsterInstance:
    """Dagster's history of runs, without what killed ones left and without the oldest."""
    instance = dg.DagsterInstance.get()
    gc.freeze()  # what the imports made lives as long as the process: a twentieth of the time went into looking at it
    end_dead_runs(instance, echo)
    delete_old_runs(instance, settings.keep_runs)
    return instance


@contextmanager
def _loading_early(settings: Settings, plan: Plan, echo: Callable[[str], None]) -> Iterator[Callable[[str], None]]:
    """Load each table of the plan as soon as all its parts are staged, while others are; gives what is to be told of
    each that is.
    """
    staging, early = Staging(folder=str(settings.staging)), EarlyLoads(settings.warehouse_url, lambda m: echo(f"  {m}"))
    waiting = {name: {part for part in parts_of(name) if staged_key(part) in plan.staged} for name in plan.tables}

    def staged(part: str) -> None:
        for name in [name for name, parts in waiting.items() if part in parts]:
            waiting[name].remove(part)
            if not waiting[name]:
                early.begin(*contents_of(staging, [name]))

    EARLY[settings.warehouse_url] = early
    try:
        yield staged
    finally:
        del EARLY[settings.warehouse_url]
        early.end()


def _progress(lines: "_Lines") -> dg.LoggerDefinition:
    """A logger that says a line per finished asset, what it noted, and what the release step is doing."""

    def progress(_context: dg.InitLoggerContext) -> logging.Logger:
        logger = logging.Logger("mobiville", logging.DEBUG)  # Dagster's events are of that level
        logger.addHandler(lines)
        return logger

    return dg.LoggerDefinition(progress, description="A line per asset")


class _Lines(logging.Handler):
    def __init__(self, echo: Callable[[str], None]) -> None:
        super().__init__()
        self.echo = echo
        self.on_staged: Callable[[str], None] = lambda _: None
        self.rows: dict[str, list[int]] = {}
        self.notes: dict[str, list[str]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        meta: dict[str, Any] = getattr(record, "dagster_meta", {})
        event, step = meta.get("dagster_event"), meta.get("step_key") or ""
        if event is None:
            if record.levelno >= logging.WARNING:
                self.notes.setdefault(step, []).append(meta["orig_message"])
            elif step in ("warehouse", "offers_history", "downloads") and record.levelno == logging.INFO:
                self.echo(f"  {meta['orig_message']}")
        elif event.is_step_materialization and event.partition is None:  # days are said as they are read
            if count := event.step_materialization_data.materialization.metadata.get("dagster/row_count"):
                self.rows.setdefault(step, []).append(count.value)
        elif event.is_step_success or event.is_step_failure:
            self._finished(step, event)
            if event.is_step_success:
                self.on_staged(step)

    def _finished(self, step: str, event: Any) -> None:
        seconds = "" if event.is_step_failure else f"{event.step_success_data.duration_ms / 1000:.1f} s"
        rows = "failed" if event.is_step_failure else f"{sum(self.rows[step]):,} rows" if step in self.rows else ""
        self.echo(f"{step:<29}{rows:>14}{seconds:>11}")
        for note in self.notes.get(step, []):
            self.echo(f"    {note}")
