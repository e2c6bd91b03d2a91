"""The `mobiville` command line, one module per group of commands."""

import importlib
import logging
import os
import signal
import sys
from contextlib import suppress
from typing import Any, NoReturn

import click

from pipelines.cli.common import INTERRUPTED

COMMANDS = {
    "refresh": "refresh.refresh",
    "fetch": "refresh.fetch",
    "preview": "preview.preview_command",
    "status": "releases.status",
    "releases": "releases.releases",
    "diff": "releases.diff_command",
    "rollback": "releases.rollback_command",
    "unlock": "releases.unlock_command",
    "backup": "backups.backup_command",
    "verify": "backups.verify_command",
    "restore": "backups.restore_command",
    "export": "backups.export_command",
    "migrate": "backups.migrate_command",
    "config": "inspect.config",
    "doctor": "inspect.doctor",
    "rejects": "inspect.rejects_command",
    "ui": "serve.ui",
    "api": "serve.api",
}
"""The commands, and where in this package each is: it is imported when it is asked for."""


class Commands(click.Group):
    """A group whose commands end with one line and exit code 130 when they are interrupted (Ctrl-C, SIGTERM)."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all, as the help lists them."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name; None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(".")
        command: click.Command = getattr(importlib.import_module(f"pipelines.cli.{module}"), name)
        return command

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
