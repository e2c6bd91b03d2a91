"""Great Expectations, which takes two seconds to import: in a process of its own beside a refresh, else in this one."""

import gc
import importlib
import logging
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from multiprocessing import get_context
from multiprocessing.connection import Connection
from types import ModuleType
from typing import Any, NamedTuple

import pandas as pd
from tqdm.auto import tqdm

UNUSED = ("scipy.stats", "altair")
"""What the library imports for distributions and their charts, which no rule of ours has: 0.8 s and 35 MB."""
NUMBER = "number"
"""What the library keeps with a rule, to tell its result by."""

PATIENCE_SECONDS = 300
"""A table takes a second at most: a process that says nothing for so long is hung, and ended."""


class Rule(NamedTuple):
    """An expectation of the library: the name of its class, and what that is given."""

    kind: str
    arguments: dict[str, Any]


class Unmet(NamedTuple):
    """A rule that a frame does not meet: its place among those asked about, and the positions of the rows that fail,
    none where it is not one of rows. `error`: why it could not be checked, if so.
    """

    rule: int
    positions: list[int]
    error: str


def unmet(frame: pd.DataFrame, rules: Sequence[Rule]) -> list[Unmet]:
    """The rules that a frame does not meet."""
    return _beside.unmet(frame, rules) if _beside else _unmet(frame, rules)


def begin() -> None:
    """Check in a process of its own from now on, where one may fork; to be called before there are threads.

    It imports the library while this process does other things, and ends with it, however that ends.
    """
    global _beside
    if sys.platform == "linux":
        with suppress(OSError):  # where there may be no more processes this one checks
            _beside = _Process()


class _Process:
    """A process that answers as `_unmet` does. Should it end before this one does, this one checks."""

    def __init__(self) -> None:
        context = get_context("fork")
        self._lock = threading.Lock()
        self._questions, answers = context.Pipe()
        gc.freeze()  # what is there is shared with that process, until somebody writes on it
        self.process = context.Process(target=_answer, args=(self._questions, answers), daemon=True)
        self.process.start()
        answers.close()

    def unmet(self, frame: pd.DataFrame, rules: Sequence[Rule]) -> list[Unmet]:
        with self._lock:
            end = threading.Timer(PATIENCE_SECONDS, self.process.kill)
            end.start()
            try:
                self._questions.send((frame, rules))
                found: list[Unmet] = self._questions.recv()
            except (EOFError, OSError):
                return _unmet(frame, rules)
            except BaseException:  # an interrupt: what is still answered must not be taken for the next answer
                self._questions.close()
                raise
            finally:
                end.cancel()
            return found


_beside: _Process | None = None


def _answer(others_end: Connection, questions: Connection) -> None:
    """Answer until nobody asks any more."""
    try:
        others_end.close()
        tqdm.set_lock(threading.RLock())  # not that of all processes: killed with it, this one would hold it for ever
        _great_expectations()
        while True:
            questions.send(_unmet(*questions.recv()))
    finally:  # also of an error, which the process that asks will come upon itself
        os._exit(0)


def _unmet(frame: pd.DataFrame, rules: Sequence[Rule]) -> list[Unmet]:
    gx, whole = _great_expectations()
    batch = whole.get_batch({"dataframe": frame})
    expectations = [
        getattr(gx.expectations, rule.kind)(meta={NUMBER: number}, **rule.arguments)
        for number, rule in enumerate(rules)
    ]
    told = batch.validate(gx.ExpectationSuite(name="all", expectations=expectations), result_format="BOOLEAN_ONLY")
    wrong = [expectations[_number(result)] for result in told.results if not result.success]
    if not wrong:
        return []
    # Which rows fail is asked of these rules alone: it takes as long again.
    found = batch.validate(gx.ExpectationSuite(name="failed", expectations=wrong), result_format="COMPLETE").results
    return [
        Unmet(_number(result), result.result.get("unexpected_index_list") or [], _error(result)) for result in found
    ]


def _number(result: Any) -> int:
    number: int = result.expectation_config.meta[NUMBER]
    return number


def _error(result: Any) -> str:
    """What the library says of a rule that it could not check: of the rule, or of each measure that it took."""
    told = result.exception_info or {}
    parts = [told] if "raised_exception" in told else told.values()
    return "; ".join(str(part["exception_message"]) for part in parts if part["raised_exception"])


@cache
def _great_expectations() -> tuple[Any, Any]:
    """The library, and a whole frame as it knows one: imported once and late, silent, and asking nobody outside."""
    for name in UNUSED:
        _import_when_used(name)
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.execution_engine import pandas_execution_engine

    pandas_execution_engine.HASH_THRESHOLD = 0  # bytes: no fingerprint of a frame, which nobody reads
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    context = gx.get_context(mode="ephemeral")
    context.variables.analytics_enabled = False
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    frames = context.data_sources.add_pandas("staged").add_dataframe_asset("frame")
    return gx, frames.add_batch_definition_whole_dataframe("whole")


class _Unused(ModuleType):
    """In the place of a module, until something of it is used."""

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


def _import_when_used(name: str) -> None:
    if name not in sys.modules:
        sys.modules[name] = module = _Unused(name)
        package, _, child = name.rpartition(".")
        if package:
            setattr(importlib.import_module(package), child, module)
