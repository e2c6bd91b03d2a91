"""The `mobiville` command line, one module per group of commands."""

import logging
import os
import signal
import sys
from contextlib import suppress
from typing import Any, NoReturn

import click

from pipelines.cli import backups, inspect, preview, refresh, releases, serve
from pipelines.cli.common import INTERRUPTED


class Commands(click.Group):
    """A group whose commands end with one line and exit code 130 when they are interrupted (Ctrl-C, SIGTERM)."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        # A connection that was interrupted cannot be used again: it is closed, and of that nothing needs to be said.
        logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mobiville-warehouse")
def main() -> None:
    """The data engine of Mobiville: from raw files to the warehouse that the web tier reads.

    \b
    Exit codes:
      0    done
      1    failed, and nothing changed
      2    wrong usage
      3    published, but something after it failed
      130  interrupted
    """


def run() -> NoReturn:
    """`main`, ended without taking the interpreter down, which takes a second after a refresh."""
    code: object = 0
    try:
        main()
    except SystemExit as ended:
        code = ended.code
    with suppress(OSError):  # nobody reads any more
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(bool(code)))


for command in (
    refresh.refresh,
    refresh.fetch,
    preview.preview_command,
    releases.status,
    releases.releases,
    releases.diff_command,
    releases.rollback_command,
    releases.unlock_command,
    backups.backup_command,
    backups.verify_command,
    backups.restore_command,
    backups.export_command,
    backups.migrate_command,
    inspect.config,
    inspect.doctor,
    inspect.rejects_command,
    serve.ui,
    serve.api,
):
    main.add_command(command)
