"""What the commands share, but for the warehouse: it is imported at once."""

import os
from collections.abc import Collection
from pathlib import Path

import click
import yaml
from pydantic import ValidationError

from resources.settings import VAR, Settings
from warehouse.errors import not_known

DAGSTER_YAML = """\
telemetry: {enabled: false}
nux: {enabled: false}  # no invitation to a newsletter
concurrency:
  pools: {granularity: run, default_limit: 1}  # one writer at a time; the others queue
  runs: {max_concurrent_runs: 4}  # days of offers are read side by side
run_queue: {dequeue_use_threads: true, dequeue_num_workers: 4}  # and started side by side
run_monitoring: {enabled: true, start_timeout_seconds: 300, cancel_timeout_seconds: 300}
retention:  # days that the looks of sensors and schedules are kept
  schedule: {purge_after_days: 90}
  sensor:
    purge_after_days: {skipped: 7, failure: 90, success: 90}
"""

BEFORE_POOLS = {"runs": {"max_concurrent_runs": 1}}
"""How earlier versions had one writer at a time."""
FAILED, PUBLISHED, INTERRUPTED = 1, 3, 130
"""Exit codes, as the help of `mobiville` documents them."""
json_option = click.option("--json", "as_json", is_flag=True, help="For a machine.")


def read_settings() -> Settings:
    """The settings; a wrong one is said in a line."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = ", ".join(
            ": ".join([*(f"MOBIVILLE_{name}".upper() for name in e["loc"]), e["msg"].removeprefix("Value error, ")])
            for e in error.errors()
        )
        raise click.ClickException(wrong) from None


def known_name(kind: str, name: str, known: Collection[str]) -> str:
    """The name, if it is a known one; a wrong usage that tells the nearest, or all, for any other."""
    if name in known:
        return name
    raise click.UsageError(not_known(kind, name, known))


def prepare_dagster_home() -> None:
    """Where Dagster keeps the history of runs: DAGSTER_HOME, by default under `var/`. It tells nobody outside.

    A `dagster.yaml` of an earlier version, in which nothing is set otherwise, is brought forward.
    """
    home = Path(os.environ.setdefault("DAGSTER_HOME", str((VAR / "dagster").resolve())))
    home.mkdir(parents=True, exist_ok=True)
    configuration = home / "dagster.yaml"
    set_there = (yaml.safe_load(configuration.read_text(encoding="utf-8")) if configuration.exists() else {}) or {}
    if set_there.get("concurrency") == BEFORE_POOLS:
        del set_there["concurrency"]
    if set_there.items() <= yaml.safe_load(DAGSTER_YAML).items():
        configuration.write_text(DAGSTER_YAML, encoding="utf-8")
