"""Staging aside: what a refresh would make of raw files and whether it would refuse them, in a scratch staging area."""

import logging
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_shared.error import SerializableErrorInfo
from upath import UPath

from assets.common.imports import load_imports
from assets.common.lineage import raw_key
from assets.common.staleness import stale
from resources.days import BY_DAY, BY_WEEK
from resources.errors import RefusedError
from resources.failures import in_words
from resources.raw_data import RawData
from resources.settings import Settings
from resources.sources.files import RawFiles
from resources.staging import Staging

INTERRUPTED = {dg.DagsterExecutionInterruptedError.__name__, KeyboardInterrupt.__name__}
SILENT = dg.LoggerDefinition(lambda _: logging.Logger("mobiville", logging.CRITICAL + 1))
REJECTS_ADVICE = re.compile(r"[.:] `mobiville rejects --source \w+` shows them( all)?; ")
"""It does not: rejects of a scratch staging area are gone with it."""


@dataclass(frozen=True)
class Ran:
    """What a run came to: the error of each step that failed, the checks that were not passed."""

    errors: Mapping[str, SerializableErrorInfo]
    checks: Collection[dg.AssetCheckEvaluation]


def execute(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    selection: Collection[dg.AssetKey],
    checks: Collection[dg.AssetCheckKey],
    config: Mapping[str, Any],
    tags: Mapping[str, str] | None = None,
) -> Ran:
    """Run the selected assets and checks of a job in this process. Raises KeyboardInterrupt when it is interrupted."""
    try:
        part = job.get_subset(asset_selection=set(selection), asset_check_selection=set(checks))
        result = part.execute_in_process(
            instance=instance,
            raise_on_error=False,
            tags=tags,
            run_config=config,
        )
    except dg.DagsterExecutionInterruptedError:
        raise KeyboardInterrupt from None
    errors = {
        event.step_key or "": event.step_failure_data.error
        for event in result.all_events
        if event.is_step_failure and event.step_failure_data.error
    }
    if not errors:  # between two steps something fails the run, and none of them
        ended = [event for event in result.all_events if event.is_job_failure]
        errors = {event.job_name: event.job_failure_data.error for event in ended if event.job_failure_data.error}
    if INTERRUPTED & {error.cls_name for error in errors.values()}:
        raise KeyboardInterrupt  # Dagster makes a failure of it
    return Ran(errors, [check for check in result.get_asset_check_evaluations() if not check.passed])


class Trial:
    """The staged assets, made aside: into the staging area of `settings`, which is to be a scratch one."""

    def __init__(self, settings: Settings) -> None:
        staged = [
            asset
            for asset in load_imports()
            if isinstance(asset, dg.AssetsDefinition) and all(s.tags.get("layer") == "staged" for s in asset.specs)
        ]
        resources = {"raw_data": RawData.from_settings(settings), "staging": Staging(folder=str(settings.staging))}
        self._settings = settings
        self._definitions = dg.Definitions(staged, resources=resources, loggers={"silent": SILENT})
        self.graph: Any = self._definitions.resolve_asset_graph()

    def of_sources(self, names: Collection[str]) -> set[dg.AssetKey]:
        """What a refresh would make otherwise of sources, with what that needs and is not staged as it would be."""
        remade = stale(self.graph, self._settings)
        above = {key: self.graph.get_ancestor_asset_keys(key) for key in remade}
        touched = {key for key in remade if above[key] & set(map(raw_key, names))}
        return touched | {key for key in remade if any(key in above[below] for below in touched)}

    def run(self, keys: Collection[dg.AssetKey]) -> tuple[dict[str, str], Collection[dg.AssetCheckEvaluation]]:
        """Make assets: per asset that fails the reason, and the checks that were not passed. No run is recorded."""
        if not keys:
            return {}, ()
        job = self._definitions.resolve_implicit_global_asset_job_def()
        with dg.DagsterInstance.ephemeral() as instance:
            ran = execute(job, instance, keys, (), {"loggers": {"silent": {}}})
        said = {step: REJECTS_ADVICE.sub(": ", in_words(error)) for step, error in ran.errors.items()}
        return {step: words.removeprefix(f"{step}: ") for step, words in said.items()}, ran.checks


@contextmanager
def staged_aside(settings: Settings) -> Iterator[Settings]:
    """The settings with a scratch copy of the staging area: what is as it was is not made again."""
    with tempfile.TemporaryDirectory(prefix="mobiville-trial-") as folder:
        for path in settings.staging.glob("*.parquet*"):
            (UPath(folder) / path.name).write_bytes(path.read_bytes())
        for kept in (BY_DAY, BY_WEEK):
            if (days := Path(str(settings.staging / kept)).resolve()).is_dir():
                shutil.copytree(days, Path(folder) / kept, copy_function=os.symlink)  # to write replaces the link
        yield settings.model_copy(update={"staging": UPath(folder)})


def try_sources(settings: Settings, names: Collection[str], before: Path, after: Path) -> str:
    """Stage what reads some sources from a folder of raw files, all checks included; say what could not be made.

    Raises RefusedError when a refresh that works with the folder `before` would refuse `after`, or refuse it for what
    is in a file of these sources. What fails with both folders alike says nothing of them.
    """
    failed = _failures(settings, names, after)
    if not failed:
        return ""
    known = _failures(settings, names, before)
    raw = RawFiles.from_settings(_reading(settings, after))
    files = [path.name for name in names for path in raw.candidates(name)]
    own = {
        step: words
        for step, words in failed.items()
        if step not in known or (words != known[step] and any(file in words for file in files))
    }
    if own:
        raise RefusedError(f"the refresh would refuse it: {'; '.join(f'{step}: {own[step]}' for step in own)}")
    step, words = next(iter(failed.items()))
    return f"looked at alone, read and typed: {step} cannot be made with the other files that are there: {words}"


def _failures(settings: Settings, names: Collection[str], folder: Path) -> dict[str, str]:
    with staged_aside(_reading(settings, folder)) as aside:
        trial = Trial(aside)
        failures, _ = trial.run(trial.of_sources(names))
    return {step: words.replace(str(folder), "the folder of raw files") for step, words in failures.items()}


def _reading(settings: Settings, folder: Path) -> Settings:
    return settings.model_copy(update={"raw_data": folder})
