"""No password of a setting reaches what a run writes, or what the UI is told of the code location."""

import json
import os
import subprocess
import sys
from pathlib import Path

SECRET = "hunter2"

TELL = """
import dagster as dg
from dagster._core.remote_representation.external_data import RepositorySnap
from pipelines.definitions import defs
print(dg.serialize_value(RepositorySnap.from_def(defs.get_repository_def())))
"""


def test_no_secret_reaches_dagster(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MOBIVILLE_", "DAGSTER_"))}
    environment |= {
        "MOBIVILLE_WAREHOUSE_URL": f"sqlite:///{tmp_path / SECRET / 'warehouse.db'}",  # stands for a password
        "MOBIVILLE_FT_CLIENT_SECRET": SECRET,
        "MOBIVILLE_SMTP_URL": f"smtp://a:{SECRET}@127.0.0.1:9",
        "MOBIVILLE_ALERT_WEBHOOK": f"http://127.0.0.1:9/{SECRET}",
        "MOBIVILLE_ALERT_URLS": f"json://a:{SECRET}@127.0.0.1:9",
        "MOBIVILLE_CELERY_BROKER": f"redis://:{SECRET}@127.0.0.1:9",
    }
    told = subprocess.run(
        [sys.executable, "-c", TELL], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert "MOBIVILLE_WAREHOUSE_URL" in json.dumps(told.stdout)
    assert SECRET not in told.stdout
    command = [str(Path(sys.executable).parent / "mobiville"), "refresh", "--only", "helps"]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert SECRET not in ran.stdout + ran.stderr
    written = [path for path in (tmp_path / "var").rglob("*") if path.is_file()]
    assert any("dagster" in path.parts for path in written)
    assert [path for path in written if SECRET.encode() in path.read_bytes()] == []
