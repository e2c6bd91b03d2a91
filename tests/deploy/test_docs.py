"""docs/deployment.md names what there is: commands, files, settings, the version of the chart."""

import re
from importlib.metadata import version

from pipelines.cli import COMMANDS
from resources.settings import Settings
from tests.conftest import ROOT
from tests.deploy.test_compose import COMPOSE

PAGE = (ROOT / "docs" / "deployment.md").read_text()


def test_each_command_file_and_setting_on_the_page_is_there() -> None:
    commands = set(re.findall(r"(?:`|code |-- )mobiville ([a-z]+)", PAGE))
    assert {"refresh", "fetch", "restore", "migrate"} <= commands
    assert commands <= set(COMMANDS)
    paths = set(re.findall(r"(?:deploy|tools|raw_data)/[\w./-]+\w", PAGE))
    assert {"tools/deploy.sh", "deploy/kubernetes/mobiville.yaml"} <= paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
    names = set(re.findall(r"MOBIVILLE_\w+", PAGE))
    settings = {f"MOBIVILLE_{name.upper()}" for name in Settings.model_fields}
    assert names <= settings | set(re.findall(r"MOBIVILLE_\w+", COMPOSE.read_text()))


def test_the_chart_is_of_the_version_of_dagster() -> None:
    assert f"--version {version('dagster')} " in PAGE
