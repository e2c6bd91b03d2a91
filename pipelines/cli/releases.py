"""What is served, what was, and going back."""

import json
from collections.abc import Mapping
from typing import Any

import click

from pipelines.cli.common import json_option, read_settings
from pipelines.cli.publishing import publishing, warehouse
from raw_data import is_sample
from resources.exports import export_release
from warehouse.damage import damage
from warehouse.diff import Change, diff
from warehouse.lock import holder, unlock
from warehouse.record import geography
from warehouse.release import Release, current_release, history, rollback


@click.command()
@json_option
def status(as_json: bool) -> None:
    """What is served: each table, its rows, since when, and the files it was made from."""
    with warehouse(read_settings()) as engine:
        release = current_release(engine)
        damaged = damage(engine, release)
    if release is None:
        if as_json:
            click.echo(json.dumps({"release": None, "tables": []}))
        raise click.ClickException("no release is served yet: run `mobiville refresh`")
    click.echo(
        json.dumps(_as_json(release) | {"damaged": damaged}, indent=2, ensure_ascii=False)
        if as_json
        else _as_text(release)
    )
    for name, words in damaged.items():
        click.echo(f"DAMAGED: {name}: {words}. `mobiville refresh` loads it again", err=True)


@click.command()
@json_option
def releases(as_json: bool) -> None:
    """The releases there have been, the newest first, and the tables that each loaded."""
    with warehouse(read_settings()) as engine:
        found = history(engine)
    if as_json:
        click.echo(json.dumps([_as_json(release) for release in found], indent=2, ensure_ascii=False))
        return
    for number, release in enumerate(found):
        same = (f"release {old.id}" for old in found[number + 1 :] if old.contents() == release.contents())
        new = [table.name for table in release.tables.values() if table.contents_id == release.id]
        took = release.published_at - release.started_at
        click.echo(f"{release.id:>5}  {release.published_at} UTC  {release.status:<9}  {release.started_by}  in {took}")
        loaded = ", ".join(new) or f"loaded nothing: the contents of {next(same, 'an earlier release')}"
        click.echo(f"       {loaded}")


@click.command("diff")
@click.argument("old", type=int)
@click.argument("new", type=int)
@json_option
def diff_command(old: int, new: int, as_json: bool) -> None:
    """What changed from release OLD to release NEW: rows added, removed and changed per table, the first of each."""
    with warehouse(read_settings()) as engine:
        found = diff(engine, old, new)
    if as_json:
        by_table = {name: {kind: vars(change) for kind, change in kinds.items()} for name, kinds in found.items()}
        click.echo(json.dumps(by_table, indent=2, ensure_ascii=False))
        return
    echo_changes(found)
    if not found:
        click.echo("no table differs")


def echo_changes(found: Mapping[str, Mapping[str, Change]]) -> None:
    """Say per table how many rows each kind of change has, and the first: their keys, the old and new values."""
    for name, kinds in found.items():
        click.echo(f"{name:<29}{'  '.join(f'{change.rows:,} {kind}' for kind, change in kinds.items())}")
        for kind, change in kinds.items():
            for row in change.first:
                key = " ".join(str(value) for column, value in row.items() if column != "columns")
                columns = (f"{column}: {old} → {new}" for column, (old, new) in row.get("columns", {}).items())
                click.echo(f"    {kind} {key}  {'; '.join(columns)}".rstrip())


@click.command("rollback")
@click.option("--to", type=int, metavar="ID", help="A kept release; by default the last one whose contents differ.")
def rollback_command(to: int | None) -> None:
    """Serve an earlier release again, in one step. It is a release of its own in the record."""
    settings = read_settings()
    with publishing(settings) as engine:
        release = rollback(engine, to, keep=settings.keep_releases)
        export_release(engine, settings.exports, keep=settings.keep_releases, progress=click.echo)
    click.echo(f"release {release.id} serves what was served before; `mobiville status` shows it")


@click.command("unlock")
@click.option("--yes", is_flag=True, help="Do not ask.")
def unlock_command(yes: bool) -> None:
    """End whoever holds the warehouse's lock: a refresh that hangs, and everything that waits for it."""
    with warehouse(read_settings()) as engine:
        found = holder(engine)
        if found is None:
            click.echo("nobody holds the lock")
            return
        number, who = found
        yes or click.confirm(f"End {who}?", abort=True)
        unlock(engine, number)
        click.echo(f"ended {who}")


def _as_json(release: Release) -> dict[str, Any]:
    return {
        "release": release.id,
        "geography": geography(release.files),
        "sample": _is_sample(release),
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
                "max_age_days": table.max_age.days,
                "stale": table.is_stale(),
                "sources": [vars(source) for source in table.sources],
            }
            for table in release.tables.values()
        ],
    }


def _is_sample(release: Release) -> bool:
    return is_sample({file.sha256 for file in release.files})


def _as_text(release: Release) -> str:
    lines = [f"Release {release.id}, published {release.published_at} UTC by {release.started_by}"]
    lines += [f"Geography: {words}", ""] if (words := geography(release.files)) else [""]
    if _is_sample(release):
        lines.insert(1, "SAMPLE: données d'essai, inventées")
    for table in release.tables.values():
        lines.append(f"{table.name:<29}{table.rows:>9,} rows   loaded {table.loaded_at} UTC")
        if table.is_stale():
            lines.append(f"    STALE: its contents may be {table.max_age.days} days old; look for newer files")
        lines += [
            f"    {source.file_name}  vintage {source.vintage}  sha256 {source.sha256[:12]}…"
            for source in table.sources
        ]
    return "\n".join(lines)
