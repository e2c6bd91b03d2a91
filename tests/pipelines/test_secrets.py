"""No password of a setting reaches what a run writes, or anything that the UI's GraphQL answers."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import SOAK

SECRET = "hunter2"

ASK = Path(__file__).with_name("ui_answers.py")
TOLD = {
    "allTopLevelResourceDetailsOrError": "MOBIVILLE_WAREHOUSE_URL",
    "utilizedEnvVarsOrError": "MOBIVILLE_WAREHOUSE_URL",
    "workspaceOrError": "__repository__",
    "sensorsOrError": "failure_alert",
    "runConfigSchemaOrError": "rootDefaultYaml",
    "instance": "run_monitoring",
    "runOrError": "AssetMaterializationPlannedEvent_",
    "logsForRun": "MaterializationEvent_",
    "assetsOrError": "dagster/row_count",
}
"""Root fields of the UI's GraphQL that are asked for in `make test`, and what shows that the question reached them.
In `make soak` it is all of them.
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
    command = [str(Path(sys.executable).parent / "mobiville"), "refresh", "--only", "helps"]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert SECRET not in ran.stdout + ran.stderr
    written = [path for path in (tmp_path / "var").rglob("*") if path.is_file()]
    assert any("dagster" in path.parts for path in written)
    assert [path for path in written if SECRET.encode() in path.read_bytes()] == []
    asked = [sys.executable, "-W", "ignore", str(ASK), *([] if SOAK else TOLD)]
    environment["DAGSTER_HOME"] = str(tmp_path / "var" / "dagster")
    told = subprocess.run(asked, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
    answers = dict(line.split(" ", 1) for line in told.splitlines() if line[0].islower())
    assert {field: seen for field, seen in TOLD.items() if seen not in answers[field]} == {}
    assert [line[:60] for line in told.splitlines() if SECRET in line] == []
