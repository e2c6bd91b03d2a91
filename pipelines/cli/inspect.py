"""Looking into the set-up and the raw data."""

import json
import sys
from collections.abc import Iterable

import click

from pipelines.cli.common import json_option, known_name, read_settings
from resources.settings import Settings
from warehouse.database import shown, without_secrets
from warehouse.errors import WarehouseError

WAREHOUSES = ("warehouse_url", "api_database_url")


@click.command()
@json_option
def config(as_json: bool) -> None:
    """Every setting: its environment variable, its value, what it is. Passwords are hidden."""
    settings = read_settings()
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
        yield name, shown(text) if text and name in WAREHOUSES else without_secrets(text), field.description


@click.command()
@click.option("--deep", is_flag=True, help="Read the served tables to their last row.")
@json_option
def doctor(deep: bool, as_json: bool) -> None:
    """What works and what does not: folders, disk, database, each outside service; and what to do."""
    from pipelines.doctor import checks

    found = checks(read_settings(), deep=deep)
    if as_json:
        click.echo(json.dumps([vars(check) for check in found], indent=2, ensure_ascii=False))
    else:
        for check in found:
            click.echo(f"{check.name:<34}{check.state:<8}{check.words}")
    if any(check.state == "wrong" for check in found):
        sys.exit(1)


@click.command("rejects")
@click.option("--source", help="Of this source only, as raw_data/sources.yaml names it.")
@click.option("--reason", help="With these words in the reason only.")
@click.option("--json", "as_json", is_flag=True, help="For a machine: every row.")
def rejects_command(source: str | None, reason: str | None, as_json: bool) -> None:
    """The rows that the last reading of each source rejected: how many, why, and the first of each reason."""
    from resources.sources.catalogue import catalogue
    from resources.staging import Staging

    if source:
        known_name("source", source, catalogue())
    found = Staging(folder=str(read_settings().staging)).rejects()
    if source:
        found = found[found["source"] == source]
    if reason:
        found = found[found["reason"].str.contains(reason, case=False, regex=False)]
    if as_json:
        click.echo(found.to_json(orient="records", indent=2, force_ascii=False))
        return
    for (name, file, why, is_error), rows in found.groupby(["source", "file", "reason", "is_error"], sort=True):
        click.echo(f"{len(rows):>7,}  {name}, {file}: {why}{'' if is_error else '  (by rule)'}")
        for row in rows.head(3).to_dict("records"):
            click.echo(f"         {row['location']} {row['line']}: {str(row['row'])[:100]}")
    click.echo(f"{len(found):>7,}  rows in all")
