"""Great Expectations in a process of its own: the same answers, whatever becomes of it, and it outlives nobody."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import pandas as pd
import psutil
import pytest
from tqdm.auto import tqdm

from assets.common import checking
from assets.common.checking import Rule, Unmet, begin, unmet

FRAME = pd.DataFrame({"a": ["x", "y", None, "x"], "b": [1, 2, 3, 4]})
RULES = [
    Rule("ExpectColumnValuesToNotBeNull", {"column": "b"}),
    Rule("ExpectColumnValuesToNotBeNull", {"column": "a"}),
    Rule("ExpectColumnValuesToBeUnique", {"column": "a"}),
    Rule("ExpectTableRowCountToBeBetween", {"min_value": 5}),
]
FOUND = [Unmet(1, [2], ""), Unmet(2, [0, 3], ""), Unmet(3, [], "")]
UNCHECKABLE = [Rule("ExpectColumnValuesToNotBeNull", {"column": "c"})]
IMPORTED_THERE_ALONE = """
import sys
import pandas as pd
from assets.common import checking
checking.begin()
rule = checking.Rule("ExpectColumnValuesToNotBeNull", {"column": "a"})
print(checking.unmet(pd.DataFrame({"a": ["x", None]}), [rule])[0].positions, "great_expectations" in sys.modules)
"""
KILLED = """
import os, signal
from assets.common import checking
checking.begin()
print(checking._beside.process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("where", ["in this process", "in one beside it"])
def test_rules_that_are_not_met_are_told_with_their_rows(where: str, request: pytest.FixtureRequest) -> None:
    if where == "in one beside it":
        request.getfixturevalue("beside")
    assert unmet(FRAME, RULES) == FOUND
    assert unmet(FRAME, RULES[:1]) == []
    ((rule, positions, error),) = unmet(FRAME, UNCHECKABLE)
    assert (rule, positions) == (0, [])
    assert 'The column "c" in BatchData does not exist' in error
    with pytest.raises(AttributeError, match="ExpectNothing"):
        unmet(FRAME, [Rule("ExpectNothing", {})])
    assert unmet(FRAME, RULES) == FOUND


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The number of the process that is asked."""
    monkeypatch.setattr(checking, "_beside", None)
    begin()
    assert checking._beside
    process = checking._beside.process
    assert process.pid
    yield process.pid
    process.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_process_that_ends_loses_no_answer(beside: int, number: signal.Signals) -> None:
    os.kill(beside, number)
    assert unmet(FRAME, RULES) == FOUND
    assert unmet(FRAME, RULES) == FOUND


def test_it_shares_no_lock_with_the_process_that_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed with one it would hold it for ever: that of tqdm, which the library takes, is one of all processes."""
    monkeypatch.setattr(checking, "_beside", None)
    lock = tqdm.get_lock()  # type: ignore[no-untyped-call]
    begin()
    assert checking._beside
    questions = checking._beside._questions
    with lock:
        questions.send((FRAME, RULES))
        assert questions.poll(60)
    assert questions.recv() == FOUND
    questions.close()


def test_where_there_may_be_no_more_processes_this_one_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> int:
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(checking, "_beside", None)
    monkeypatch.setattr(os, "fork", refused)
    begin()
    assert unmet(FRAME, RULES) == FOUND


def test_a_process_that_hangs_is_ended_and_loses_no_answer(beside: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "PATIENCE_SECONDS", 0.2)
    os.kill(beside, signal.SIGSTOP)
    repeated = pd.concat([FRAME] * 50_000)  # more than the pipe takes
    assert [len(rule.positions) for rule in unmet(repeated, RULES[:2])] == [50_000]
    assert unmet(FRAME, RULES) == FOUND


def test_an_answer_that_nobody_waited_for_is_not_that_of_the_next_question(beside: int) -> None:
    os.kill(beside, signal.SIGSTOP)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    with pytest.raises(KeyboardInterrupt):
        unmet(FRAME, RULES)
    signal.signal(signal.SIGALRM, before)
    os.kill(beside, signal.SIGCONT)
    assert unmet(FRAME, RULES[:1]) == []


def test_the_library_is_imported_where_it_is_asked_alone() -> None:
    said = subprocess.run([sys.executable, "-c", IMPORTED_THERE_ALONE], check=True, capture_output=True, text=True)
    assert (said.stdout, said.stderr) == ("[1] False\n", "")


def test_it_ends_with_the_process_that_asks_however_that_ends() -> None:
    asks = subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said, _ = asks.communicate(timeout=60)  # of both: the output is at its end when nobody has it any more
    assert asks.returncode == -signal.SIGKILL
    end = time.monotonic() + 30
    with suppress(psutil.NoSuchProcess):
        while psutil.Process(int(said)).status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < end
            time.sleep(0.05)


def test_it_is_imported_without_what_no_rule_uses_which_is_there_when_it_is_used() -> None:
    code = """
from assets.common.checking import _great_expectations
import sys
_great_expectations()
print("scipy.stats._stats_py" in sys.modules, "altair.vegalite" in sys.modules)
import altair
from scipy import stats
print(stats.norm.cdf(0), altair.Chart.__name__)
import altair.vegalite, scipy.stats.distributions
"""
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said.split() == ["False", "False", "0.5", "Chart"]
