"""Fetching and refreshing."""

import json
import sys
from collections.abc import Collection, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.common import json_option, known_name, prepare_dagster_home, read_settings
from resources.settings import Settings

if TYPE_CHECKING:
    from pipelines.run import Failure


def _days(_context: click.Context, _option: click.Parameter, text: str) -> str:
    """A range of days as it is asked for: two days, or one."""
    try:
        first, last = (date.fromisoformat(day) for day in (text.partition(":")[::2] if ":" in text else (text, text)))
    except ValueError:
        if not text:
            return ""
        raise click.BadParameter(f"expected two days (2021-12-01:2021-12-31), found {text}") from None
    return f"{first}:{last}"


@click.command()
@click.option(
    "--only", multiple=True, metavar="ASSET", help="An import (cities) or a served table; may be given several times."
)
@click.option("--force", is_flag=True, help="Rebuild what the same files and rules made already.")
@click.option(
    "--allow-shrink",
    multiple=True,
    metavar="TABLE",
    help="A table that may lose many rows; may be given several times.",
)
@click.option("--accept", multiple=True, hidden=True, deprecated="It is called --allow-shrink now.")
@click.option("--wait/--no-wait", default=True, help="While another refresh runs: wait for it (default), or leave.")
@click.option(
    "--days",
    metavar="FIRST:LAST",
    default="",
    callback=_days,
    help="Read the dumps of these days (2021-12-01:2021-12-31) again, and publish offers_history alone.",
)
@click.option("--sample", is_flag=True, help="Publish the bundled sample, invented figures, to a MariaDB warehouse.")
def refresh(
    only: tuple[str, ...],
    force: bool,
    allow_shrink: tuple[str, ...],
    accept: tuple[str, ...],
    wait: bool,
    days: str,
    sample: bool,
) -> None:
    """Stage every table from the raw files, and publish all of them in one step.

    What the same files and rules made already is left as it is. With --only, the named imports alone, and the served
    tables made from them.
    """
    if only and days:
        raise click.UsageError("--days publishes offers_history alone: leave --only out")
    settings = read_settings()
    click.echo(f"refreshing from {settings.raw_data}")
    _publish(settings, only, [*allow_shrink, *accept], wait=wait, force=force, sample=sample, days=days)


def _publish(
    settings: Settings, only: Sequence[str], shrinking: Sequence[str], *, wait: bool, force: bool, **asked: Any
) -> None:
    from pipelines.cli.publishing import RefreshError, publishing  # half a second, after the first words
    from pipelines.last_refresh import LastRefresh
    from resources.sources.files import RawFiles
    from resources.sources.unread import missing, unread
    from warehouse.tables import metadata

    asked |= {"force": force, "allow_shrink": [known_name("table", name, metadata.tables) for name in shrinking]}
    part = bool(only or asked["days"])
    told = [*missing(files := RawFiles.from_settings(settings)), *unread(files)]
    with publishing(settings, wait=wait) as engine:
        last = LastRefresh(settings, afresh=force)
        if not (part or force) and last.is_served(engine):
            click.echo(f"nothing new: release {last.release} stays as it is")
            click.echo("\n".join(told), err=True)
            return
        click.echo("\n".join(told), nl=bool(told))
        failures = _run(settings, only, () if part else last.changed_sources(), **asked)
        if failures:
            raise RefreshError("\n".join(f"Error in {failure.step}: {failure.message}" for failure in failures))
        if not part:
            last.save(engine)


def _run(settings: Settings, only: Sequence[str], changed: Collection[str], **asked: Any) -> Sequence["Failure"]:
    """Read files of changed sources already, and import what checks them, while Dagster is imported, which takes two
    seconds; then refresh.
    """
    prepare_dagster_home()
    from assets.common import checking
    from pipelines.ahead import Ahead

    checking.begin()
    ahead = Ahead(settings)
    ahead.begin(changed)
    from pipelines.run import refresh
    from resources.errors import UnknownAssetError

    try:
        return refresh(settings, only, click.echo, ahead=ahead, **asked)
    except UnknownAssetError as error:
        raise click.UsageError(str(error)) from None


@click.command()
@click.argument("sources", nargs=-1)
@click.option("--vintage", metavar="V", help="Another vintage than the first that raw_data/sources.yaml lists.")
@click.option("--check", is_flag=True, help="Say what is new, and download nothing.")
@json_option
def fetch(sources: tuple[str, ...], vintage: str | None, check: bool, as_json: bool) -> None:
    """Fetch official files into a dated folder, and what outside services answer into MOBIVILLE_CACHE.

    Without SOURCES: all that raw_data/sources.yaml has an address for, and the ROME API. `city_descriptions` asks
    Wikipedia. A file that the refresh would refuse is refused, and the old one stays.
    """
    read_settings()
    from assets.common.trial import try_sources
    from resources.errors import FetchError
    from resources.fetching import fetch as fetch_new
    from resources.sources.fetched import DESCRIPTIONS, FETCHED

    known = (*FETCHED, DESCRIPTIONS)
    unknown = [name for name in sources if name not in known]
    if unknown:
        raise click.UsageError(
            f"nothing is fetched for {', '.join(unknown)}; there are {', '.join(known)}. Of other sources, "
            "raw_data/sources.yaml names the landing page"
        )
    try:
        say = (lambda message: click.echo(message, err=True)) if as_json else click.echo
        outcomes = fetch_new(sources or FETCHED, say, try_sources, vintage=vintage, check=check)
    except (FetchError, OSError) as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        rows = [{**vars(outcome), "record": outcome.record and vars(outcome.record)} for outcome in outcomes]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for outcome in outcomes:
            click.echo(f"{outcome.source:<29}{outcome.state:<11}{outcome.detail}")
    if any(outcome.state in ("refused", "failed", "waits") for outcome in outcomes):
        sys.exit(1)
