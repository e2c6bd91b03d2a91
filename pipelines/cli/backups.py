"""Backups and exports of what is served, and tables of an earlier version."""

import json
from pathlib import Path

import click

from pipelines.cli.common import json_option, read_settings
from pipelines.cli.publishing import publishing, warehouse


@click.command("backup")
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="Folder; by default MOBIVILLE_BACKUPS.")
def backup_command(to: Path | None) -> None:
    """Copy what is served to a compressed file, from one moment, with its sha256 beside it.

    It also stands as the file of its weekday and of its quarter; of the dated ones the last few are kept.
    """
    from warehouse.backup import backup

    settings = read_settings()
    with warehouse(settings) as engine:
        file = backup(engine, to or settings.backups, keep=settings.keep_backups, progress=click.echo)
    click.echo(file)


@click.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
def verify_command(file: Path) -> None:
    """Restore a backup in a scratch database, and compare it with what was backed up."""
    from warehouse.backup import verify

    with warehouse(read_settings()) as engine:
        verify(engine, file, progress=click.echo)


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
def restore_command(file: Path) -> None:
    """Load a backup beside what is served, check it, and serve it in one step. `rollback` undoes it."""
    from resources.exports import export_release
    from warehouse.backup import restore

    settings = read_settings()
    with publishing(settings) as engine:
        restore(engine, file, keep=settings.keep_releases, progress=click.echo)
        export_release(engine, settings.exports, keep=settings.keep_releases, progress=click.echo)


@click.command("export")
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="Folder; by default MOBIVILLE_EXPORTS.")
@json_option
def export_command(to: Path | None, as_json: bool) -> None:
    """Write what is served to files, for others to read: every table as Parquet and as CSV, with what describes them.

    They stand in a folder named by the release; `latest` points at it. A refresh does this by itself.
    """
    from resources.exports import export_release
    from warehouse.datapackage import packages

    settings = read_settings()
    say = (lambda message: click.echo(message, err=True)) if as_json else click.echo
    with warehouse(settings) as engine:
        folder = export_release(engine, to or settings.exports, keep=settings.keep_releases, progress=say)
    if as_json:
        package = packages(folder.parent)[int(folder.name)]
        facts = ("table", "path", "rows", "bytes", "hash")
        files = [{name: file[name] for name in facts} for file in package["resources"]]
        click.echo(json.dumps({"release": int(folder.name), "folder": str(folder), "files": files}, indent=2))
    else:
        click.echo(folder)


@click.command("migrate")
def migrate_command() -> None:
    """Bring the tables of an earlier version forward; what is served stays served."""
    from warehouse.migrate import migrate

    with warehouse(read_settings()) as engine:
        click.echo(f"the warehouse is at revision {migrate(engine)}")
