"""docs/settings.md is what `Settings` says. To write it again: `python -m tests.docs.test_settings`."""

from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr

from resources.settings import Settings
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "settings.md"
GROUPS = {
    "raw_data": "Files and databases",
    "nightly_cron": "Schedules and sensors",
    "alert_webhook": "Alerts",
    "executor": "Where the steps run",
    "downloads": "Fetching files",
    "http_timeout": "Requests to services",
    "ft_client_id": "France Travail",
    "wikidata_url": "Wikipedia",
    "operator_name": "Legal pages",
}
"""The title of each group of settings, by its first setting."""
INTRODUCTION = """# Settings

Every setting is an environment variable; an empty one counts as not set. Relative paths start from the folder where the
command is started. [deployment.md](deployment.md) says how they reach Docker, Kubernetes and GitLab. This page is
made from `resources/settings.py`: `python -m tests.docs.test_settings` writes it.
"""


def page() -> str:
    """The page that describes the settings."""
    lines = [INTRODUCTION]
    for name, field in Settings.model_fields.items():
        if name in GROUPS:
            lines += [*([""] if lines[1:] else []), f"## {GROUPS[name]}\n"]
            lines += ["| variable | meaning | default |", "|---|---|---|"]
        choices = [choice for choice in get_args(field.annotation) if isinstance(choice, str)]
        meaning = f"{field.description}{': one of ' + ', '.join(f'`{c}`' for c in choices) if choices else ''}"
        secret = " (secret)" if SecretStr in get_args(field.annotation) else ""
        lines.append(f"| `MOBIVILLE_{name.upper()}` | {meaning}{secret} | {shown(field.default)} |")
    return "\n".join(lines) + "\n"


def shown(default: Any) -> str:
    """A default value; a path of this project is given from its root."""
    if isinstance(default, Path) and default.is_absolute():
        default = default.relative_to(ROOT)
    return f"`{default}`" if default not in (None, "") else ""


def test_the_page_of_settings_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it again: python -m tests.docs.test_settings"


def test_every_setting_is_in_a_group() -> None:
    assert set(GROUPS) <= set(Settings.model_fields)
    assert next(iter(Settings.model_fields)) in GROUPS


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
