"""A file judged by its format's own JSON schema, as check-jsonschema carries it."""

import subprocess
import sys
from pathlib import Path


def refusals(schema: str, file: Path, *options: str) -> str:
    """What the schema `vendor.<schema>` has against a file; empty when it has nothing."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *options, str(file)]
    answer = subprocess.run(command, capture_output=True, text=True)
    return "" if answer.returncode == 0 else answer.stdout + answer.stderr
