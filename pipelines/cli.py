"""The `mobiville` command line."""

import getpass
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from pipelines.last_refresh import Memory
from resources.settings import VAR, Settings
from warehouse.database import WarehouseError, connect, parse_url, shown
from warehouse.diff import diff
from warehouse.lock import only_writer
from warehouse.release import Release, history, rollback, served
from warehouse.tables import MAX_AGE

DAGSTER_YAML = """\
telemetry: {enabled: false}
nux: {enabled: false}  # no invitation to a newsletter
concurrency:
  runs: {max_concurrent_runs: 1}  # one writer at a time; the others queue
retention:  # days that the looks of sensors and schedules are kept
  schedule: {purge_after_days: 90}
  sensor:
    purge_after_days: {skipped: 7, failure: 90, success: 90}
"""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mobiville-warehouse")
def main() -> None:
    """The data engine of Mobiville: from raw files to the warehouse that the web tier reads."""


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        wrong = ", ".join(f"MOBIVILLE_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        raise click.ClickException(wrong) from None


def _prepare_dagster_home() -> None:
    """Where Dagster keeps the history of runs: DAGSTER_HOME, by default under `var/`. It tells nobody outside."""
    home = Path(os.environ.setdefault("DAGSTER_HOME", str((VAR / "dagster").resolve())))
    home.mkdir(parents=True, exist_ok=True)
    configuration = home / "dagster.yaml"
    if not configuration.exists():
        configuration.write_text(DAGSTER_YAML, encoding="utf-8")


@main.command()
@click.option(
    "--only", multiple=True, metavar="ASSET", help="An import (cities) or a served table; may be given several times."
)
@click.option("--force", is_flag=True, help="Make anew what the same files and rules made already.")
@click.option(
    "--accept",
    multiple=True,
    metavar="TABLE",
    help="A table that may lose many rows; may be given several times.",
)
@click.option("--wait/--no-wait", default=True, help="While another refresh runs: wait for it (default), or leave.")
def refresh(only: tuple[str, ...], force: bool, accept: tuple[str, ...], wait: bool) -> None:
    """Stage every table from the raw files, and publish all of them in one step.

    What the same files and rules made already is left as it is. With --only, the named imports alone, and the served
    tables made from them.
    """
    settings = _settings()
    with _warehouse(settings) as engine, only_writer(engine, wait=wait, progress=click.echo):
        memory = Memory(settings)
        if not (only or force) and memory.is_served(engine):
            click.echo(f"nothing new: release {memory.release} stays as it is")
            return
        _prepare_dagster_home()
        from assets.common.staleness import UnknownAssetError  # Dagster takes a second to import
        from pipelines.run import refresh

        try:
            failures = refresh(settings, only, click.echo, force=force, accept=accept)
        except UnknownAssetError as error:
            raise click.UsageError(str(error)) from None
        if not (only or failures):
            memory.remember(engine)
    if failures:
        click.echo("\nNothing was published: the served release is as it was.", err=True)
        for failure in failures:
            click.echo(f"Error in {failure.step}: {failure.message}", err=True)
        sys.exit(1)


@main.command()
@click.argument("sources", nargs=-1)
@click.option("--vintage", metavar="V", help="Another vintage than the first that raw_data/sources.yaml lists.")
@click.option("--check", is_flag=True, help="Say what is new, and download nothing.")
@click.option("--json", "as_json", is_flag=True, help="For a machine.")
def fetch(sources: tuple[str, ...], vintage: str | None, check: bool, as_json: bool) -> None:
    """Fetch official files into a dated folder, and what outside services answer into MOBIVILLE_CACHE.

    Without SOURCES: all that raw_data/sources.yaml has an address for, and the ROME API. `city_descriptions` asks
    Wikipedia. A file that is not what it should be is refused, and the old one stays.
    """
    _settings()
    from resources.downloads.partial import FetchError
    from resources.fetcher import DESCRIPTIONS, FETCHED, Outside  # Dagster takes a second to import

    known = (*FETCHED, DESCRIPTIONS)
    unknown = [name for name in sources if name not in known]
    if unknown:
        raise click.UsageError(
            f"nothing is fetched for {', '.join(unknown)}; there are {', '.join(known)}. Of other sources, "
            "raw_data/sources.yaml names the landing page"
        )
    try:
        say = (lambda message: click.echo(message, err=True)) if as_json else click.echo
        outcomes = Outside().fetch(sources or FETCHED, say, vintage=vintage, check=check)
    except (FetchError, OSError) as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        rows = [{**vars(outcome), "kept": outcome.kept and vars(outcome.kept)} for outcome in outcomes]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for outcome in outcomes:
            click.echo(f"{outcome.source:<29}{outcome.state:<11}{outcome.detail}")
    if any(outcome.state in ("refused", "failed") for outcome in outcomes):
        sys.exit(1)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For a machine.")
def doctor(as_json: bool) -> None:
    """What works and what does not: folders, disk, database, each outside service; and what to do."""
    from pipelines.doctor import checks

    found = checks(_settings())
    if as_json:
        click.echo(json.dumps([vars(check) for check in found], indent=2, ensure_ascii=False))
    else:
        for check in found:
            click.echo(f"{check.name:<34}{check.state:<8}{check.words}")
    if any(check.state == "wrong" for check in found):
        sys.exit(1)


@contextmanager
def _warehouse(settings: Settings) -> Iterator[Engine]:
    """The warehouse; an error of it is said in a line, without a traceback."""
    try:
        engine = connect(settings.warehouse_url)
        yield engine
        engine.dispose()
    except (WarehouseError, SQLAlchemyError, OSError) as error:
        raise click.ClickException(str(error).splitlines()[0]) from None


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For a machine.")
def status(as_json: bool) -> None:
    """What is served: each table, its rows, since when, and the files it was made from."""
    with _warehouse(_settings()) as engine:
        release = served(engine)
    if release is None:
        if as_json:
            click.echo(json.dumps({"release": None, "tables": []}))
        raise click.ClickException("no release is served yet: run `mobiville refresh`")
    click.echo(json.dumps(_as_json(release), indent=2, ensure_ascii=False) if as_json else _as_text(release))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For a machine.")
def releases(as_json: bool) -> None:
    """The releases there have been, the newest first, and the tables that each loaded."""
    with _warehouse(_settings()) as engine:
        found = history(engine)
    if as_json:
        click.echo(json.dumps([_as_json(release) for release in found], indent=2, ensure_ascii=False))
        return
    for release in found:
        new = [table.name for table in release.tables.values() if table.contents_id == release.id]
        took = release.published_at - release.started_at
        click.echo(f"{release.id:>5}  {release.published_at} UTC  {release.status:<9}  {release.started_by}  in {took}")
        click.echo(f"       {', '.join(new) or 'no table loaded'}")


@main.command("diff")
@click.argument("old", type=int)
@click.argument("new", type=int)
@click.option("--json", "as_json", is_flag=True, help="For a machine.")
def diff_command(old: int, new: int, as_json: bool) -> None:
    """What changed from release OLD to release NEW: rows added, removed and changed per table, the first of each."""
    with _warehouse(_settings()) as engine:
        found = diff(engine, old, new)
    if as_json:
        by_table = {name: {kind: vars(change) for kind, change in kinds.items()} for name, kinds in found.items()}
        click.echo(json.dumps(by_table, indent=2, ensure_ascii=False))
        return
    for name, kinds in found.items():
        click.echo(f"{name:<29}{'  '.join(f'{change.rows:,} {kind}' for kind, change in kinds.items())}")
        for kind, change in kinds.items():
            for row in change.first:
                click.echo(f"    {kind} {' '.join(map(str, row.values()))}")
    if not found:
        click.echo("no table differs")


@main.command("rollback")
@click.option("--to", type=int, metavar="ID", help="A kept release; by default the one before the served one.")
def rollback_command(to: int | None) -> None:
    """Serve an earlier release again, in one step. It is a release of its own in the record."""
    settings = _settings()
    with _warehouse(settings) as engine, only_writer(engine, progress=click.echo):
        release = rollback(
            engine,
            to,
            started_by=getpass.getuser(),
            code_version=version("mobiville-warehouse"),
            keep=settings.keep_releases,
        )
    click.echo(f"release {release.id} serves what was served before; `mobiville status` shows it")


def _as_json(release: Release) -> dict[str, Any]:
    return {
        "release": release.id,
        "status": release.status,
        "started_at": f"{release.started_at.isoformat()}Z",
        "published_at": f"{release.published_at.isoformat()}Z",
        "started_by": release.started_by,
        "code_version": release.code_version,
        "tables": [
            {
                "table": table.name,
                "rows": table.rows,
                "loaded_at": f"{table.loaded_at.isoformat()}Z",
                "max_age_days": MAX_AGE[table.name].days,
                "stale": table.is_stale(),
                "sources": [vars(source) for source in table.sources],
            }
            for table in release.tables.values()
        ],
    }


def _as_text(release: Release) -> str:
    lines = [f"Release {release.id}, published {release.published_at} UTC by {release.started_by}", ""]
    for table in release.tables.values():
        lines.append(f"{table.name:<29}{table.rows:>9,} rows   loaded {table.loaded_at} UTC")
        if table.is_stale():
            lines.append(f"    STALE: its contents may be {MAX_AGE[table.name].days} days old; look for newer files")
        lines += [
            f"    {source.file_name}  vintage {source.vintage}  sha256 {source.sha256[:12]}…"
            for source in table.sources
        ]
    return "\n".join(lines)


@main.command("rejects")
@click.option("--source", help="Of this source only, as raw_data/sources.yaml names it.")
@click.option("--reason", help="With these words in the reason only.")
@click.option("--json", "as_json", is_flag=True, help="For a machine: every row.")
def rejects_command(source: str | None, reason: str | None, as_json: bool) -> None:
    """The rows that the last reading of each source left out: how many, why, and the first of each reason."""
    from resources.staging import Staging

    found = Staging(folder=str(_settings().staging)).rejects()
    if source:
        found = found[found["source"] == source]
    if reason:
        found = found[found["reason"].str.contains(reason, case=False, regex=False)]
    if as_json:
        click.echo(found.to_json(orient="records", indent=2, force_ascii=False))
        return
    for (name, file, why, fault), rows in found.groupby(["source", "file", "reason", "fault"], sort=True):
        click.echo(f"{len(rows):>7,}  {name}, {file}: {why}{'' if fault else '  (by rule)'}")
        for row in rows.head(3).to_dict("records"):
            click.echo(f"         {row['place']} {row['line']}: {str(row['row'])[:100]}")
    click.echo(f"{len(found):>7,}  rows in all")


@main.command("backup")
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="Folder; by default MOBIVILLE_BACKUPS.")
def backup_command(to: Path | None) -> None:
    """Copy what is served to a compressed file, from one moment, with its sha256 beside it.

    It also stands as the file of its weekday and of its quarter; of the dated ones the last few are kept.
    """
    from warehouse.backup import backup

    settings = _settings()
    with _warehouse(settings) as engine:
        file = backup(engine, to or settings.backups, keep=settings.keep_backups, progress=click.echo)
    click.echo(file)


@main.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
def verify_command(file: Path) -> None:
    """Restore a backup where nobody reads, and compare it with what was backed up."""
    from warehouse.backup import verify

    with _warehouse(_settings()) as engine:
        verify(engine, file, progress=click.echo)


@main.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
def restore_command(file: Path) -> None:
    """Load a backup beside what is served, check it, and serve it in one step. `rollback` undoes it."""
    from warehouse.backup import restore

    settings = _settings()
    with _warehouse(settings) as engine:
        restore(
            engine,
            file,
            code_version=version("mobiville-warehouse"),
            started_by=getpass.getuser(),
            keep=settings.keep_releases,
            progress=click.echo,
        )


@main.command("migrate")
def migrate_command() -> None:
    """Bring the tables of an earlier version forward; what is served stays served."""
    from warehouse.migrate import migrate

    with _warehouse(_settings()) as engine:
        click.echo(f"the warehouse is at revision {migrate(engine)}")


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=3000, show_default=True)
def ui(host: str, port: int) -> None:
    """Open the Dagster UI and its daemon: materialize assets, see runs and their history."""
    _prepare_dagster_home()
    command = ["dagster", "dev", "-m", "pipelines.definitions", "-h", host, "-p", str(port)]
    os.execv(sys.executable, [sys.executable, "-m", *command])  # noqa: S606


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--workers", default=1, show_default=True, help="Processes that answer.")
def api(host: str, port: int, workers: int) -> None:
    """Serve the read API over HTTP: see /docs. It ends gracefully when told to (SIGTERM)."""
    settings = _settings()
    try:
        parse_url(settings.api_database_url or settings.warehouse_url)
    except WarehouseError as error:
        raise click.ClickException(str(error)) from None
    if workers > 1:  # where the workers write their measures, for /metrics to add up
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="mobiville-metrics-"))
    command = ["uvicorn", "--factory", "api.app:create_app", "--host", host, "--port", str(port)]
    command += ["--workers", str(workers), "--no-access-log", "--no-server-header", "--timeout-graceful-shutdown", "10"]
    command += ["--http", "api.protocol:BoundedProtocol"]
    command += ["--timeout-worker-healthcheck", "30"]  # a worker that starts on a busy machine is not a dead one
    os.execv(sys.executable, [sys.executable, "-m", *command])  # noqa: S606


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For a machine.")
def config(as_json: bool) -> None:
    """Every setting: its environment variable, its value, what it is. Passwords are hidden."""
    settings = _settings()
    try:
        rows = [
            {"variable": f"MOBIVILLE_{n.upper()}", "value": value, "set": n in settings.model_fields_set, "is": text}
            for n, value, text in _values(settings)
        ]
    except WarehouseError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo(f"{row['variable']}={row['value']}{'' if row['set'] else '  (default)'}\n    {row['is']}")


def _values(settings: Settings) -> Iterable[tuple[str, str, str | None]]:
    for name, field in Settings.model_fields.items():
        value = settings.dumps_folder if name == "dumps" else getattr(settings, name)
        text = "" if value is None else str(value)
        yield name, shown(text) if text and name in ("warehouse_url", "api_database_url") else text, field.description
