"""The `mobiville` command line."""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

import click
from pydantic import ValidationError

from resources.settings import VAR, Settings
from warehouse.database import WarehouseError, connect, shown
from warehouse.release import Release, served


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
        configuration.write_text("telemetry:\n  enabled: false\n", encoding="utf-8")


@main.command()
@click.option(
    "--only", multiple=True, metavar="ASSET", help="An import (cities) or a served table; may be given several times."
)
def refresh(only: tuple[str, ...]) -> None:
    """Stage every table from the raw files, and publish all of them in one step.

    With --only, the named imports alone, and the served tables made from them.
    """
    settings = _settings()
    _prepare_dagster_home()
    from pipelines.run import UnknownAssetError, refresh  # Dagster takes a second to import

    try:
        failures = refresh(settings, only, click.echo)
    except UnknownAssetError as error:
        raise click.UsageError(str(error)) from None
    if failures:
        click.echo("\nNothing was published: the served release is as it was.", err=True)
        for failure in failures:
            click.echo(f"Error in {failure.step}: {failure.message}", err=True)
        sys.exit(1)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For a machine.")
def status(as_json: bool) -> None:
    """What is served: each table, its rows, since when, and the files it was made from."""
    engine = _connect(_settings())
    try:
        release = served(engine)
    except Exception as error:  # the database may fail in many ways; each has its own words
        _fail(error)
    if release is None:
        if as_json:
            click.echo(json.dumps({"release": None, "tables": []}))
        raise click.ClickException("no release is served yet: run `mobiville refresh`")
    click.echo(json.dumps(_as_json(release), indent=2, ensure_ascii=False) if as_json else _as_text(release))


def _connect(settings: Settings) -> Any:
    try:
        return connect(settings.warehouse_url)
    except WarehouseError as error:
        _fail(error)


def _fail(error: Exception) -> NoReturn:
    raise click.ClickException(str(error).splitlines()[0]) from None


def _as_json(release: Release) -> dict[str, Any]:
    return {
        "release": release.id,
        "published_at": f"{release.published_at.isoformat()}Z",
        "tables": [
            {
                "table": table.name,
                "rows": table.rows,
                "loaded_at": f"{table.loaded_at.isoformat()}Z",
                "sources": [vars(source) for source in table.sources],
            }
            for table in release.tables.values()
        ],
    }


def _as_text(release: Release) -> str:
    lines = [f"Release {release.id}, published {release.published_at} UTC by {release.started_by}", ""]
    for table in release.tables.values():
        lines.append(f"{table.name:<29}{table.rows:>9,} rows   loaded {table.loaded_at} UTC")
        lines += [
            f"    {source.file_name}  vintage {source.vintage}  sha256 {source.sha256[:12]}…"
            for source in table.sources
        ]
    return "\n".join(lines)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=3000, show_default=True)
def ui(host: str, port: int) -> None:
    """Open the Dagster UI and its daemon: materialize assets, see runs and their history."""
    _prepare_dagster_home()
    command = ["dagster", "dev", "-m", "pipelines.definitions", "-h", host, "-p", str(port)]
    os.execv(sys.executable, [sys.executable, "-m", *command])  # noqa: S606


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For a machine.")
def config(as_json: bool) -> None:
    """Every setting: its environment variable, its value, what it is. Passwords are hidden."""
    settings = _settings()
    rows = [
        {"variable": f"MOBIVILLE_{name.upper()}", "value": value, "set": name in settings.model_fields_set, "is": text}
        for name, value, text in _values(settings)
    ]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo(f"{row['variable']}={row['value']}{'' if row['set'] else '  (default)'}\n    {row['is']}")


def _values(settings: Settings) -> Iterable[tuple[str, str, str | None]]:
    for name, field in Settings.model_fields.items():
        value = str(settings.dumps_folder if name == "dumps" else getattr(settings, name))
        try:
            yield name, shown(value) if name == "warehouse_url" else value, field.description
        except WarehouseError as error:
            _fail(error)
