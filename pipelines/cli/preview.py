"""What a refresh would change."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import click

from pipelines.cli.common import FAILED, json_option, read_settings
from pipelines.cli.publishing import warehouse
from pipelines.cli.releases import echo_changes
from warehouse.preview import CriteriaChange

SHOWN = 3
"""Trades of a region that are shown."""


@click.command("preview")
@click.option(
    "--raw-data",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Raw files other than those in MOBIVILLE_RAW_DATA: what `mobiville fetch` just got, say.",
)
@json_option
def preview_command(raw_data: Path | None, as_json: bool) -> None:
    """What a refresh would change: rows added, removed and changed per table, criteria, checks. Nothing is published.

    Exit code 1: the refresh would be refused; the reasons are said.
    """
    settings = read_settings()
    if raw_data:
        settings = settings.model_copy(update={"raw_data": raw_data})
    from pipelines.preview import preview_refresh  # Dagster takes a second to import

    with warehouse(settings) as engine:
        found = preview_refresh(settings, engine, lambda message: click.echo(message, err=True))
    if as_json:
        click.echo(json.dumps(asdict(found), indent=2, ensure_ascii=False, default=str))
    else:
        echo_changes(found.difference.tables)
        _echo_criteria(found.difference.criteria)
        for kind, said in (("warning", found.warnings), ("REFUSED", found.refused)):
            click.echo("".join(f"{kind}: {words}\n" for words in said), nl=False)
        if not (found.difference.tables or found.refused):
            click.echo("no row would change")
    sys.exit(FAILED if found.refused else 0)


def _echo_criteria(changes: Sequence[CriteriaChange]) -> None:
    """A line per region: how many trades gain or lose criteria there, and the first of them."""
    for region, of_region in groupby(changes, attrgetter("region")):
        trades = list(of_region)
        first = (" ".join([c.rome, *(f"+{k}" for k in c.gains), *(f"-{k}" for k in c.loses)]) for c in trades[:SHOWN])
        gain, lose = sum(bool(c.gains) for c in trades), sum(bool(c.loses) for c in trades)
        click.echo(f"{region}: {gain} trades gain criteria, {lose} lose some: {', '.join(first)}")
