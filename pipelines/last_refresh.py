"""The inputs of the last full refresh, so that a refresh without changes ends at once."""

import json
from typing import Any

from sqlalchemy import Engine

from assets.common.code_version import code_digest
from resources.atomic_files import atomic_write
from resources.settings import Settings
from resources.sources.files import RawFiles, hashed, remember
from warehouse.damage import damage
from warehouse.database import shown
from warehouse.datapackage import is_of, latest
from warehouse.release import current_release


class LastRefresh:
    """The inputs of the last full refresh (code, files, warehouse), in `refresh.json` beside the staged tables."""

    def __init__(self, settings: Settings, *, afresh: bool = False) -> None:
        """`afresh`: nothing is known of the last one, and each file is read, whatever its size and times."""
        self.path, self.exports = settings.staging / "refresh.json", settings.exports
        self._last = {} if afresh else self._read()
        self.inputs: dict[str, Any] = {
            "code": code_digest(),
            "versions": RawFiles.from_settings(settings).versions(),
            "warehouse": shown(settings.warehouse_url),
        }
        self.release = 0

    def _read(self) -> dict[str, Any]:
        try:
            last = dict(json.loads(self.path.read_text(encoding="utf-8")))
            remember(last.pop("hashed", []))
        except (OSError, ValueError, TypeError):  # not there, or damaged
            return {}
        return last

    def is_served(self, engine: Engine) -> bool:
        """Whether the current release was made from the same inputs, its tables are whole, and its files written."""
        release = current_release(engine)
        if release is None or not is_of(latest(self.exports), release):
            return False
        self.release = release.id
        return bool(self._last == self.inputs | {"release": self.release}) and not damage(engine, release)

    def changed_sources(self) -> set[str]:
        """The sources whose files are not those of the last refresh; all of them with other code, or `afresh`."""
        known = self._last.get("versions", {}) if self._last.get("code") == self.inputs["code"] else {}
        return {source for source, version in self.inputs["versions"].items() if known.get(source) != version}

    def save(self, engine: Engine) -> None:
        """Record that the current release was made from these inputs."""
        release = current_release(engine)
        text = json.dumps(self.inputs | {"release": release.id if release else 0, "hashed": hashed()})
        with atomic_write(self.path) as file:
            file.write(text.encode())
