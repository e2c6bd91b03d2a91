"""What the last whole refresh was made from, so that one with nothing new ends at once."""

import json

from sqlalchemy import Engine

from assets.common.code_version import all_versions
from resources.atomic_files import whole_file
from resources.settings import Settings
from resources.sources.files import RawFiles
from warehouse.database import shown
from warehouse.release import current_release


class LastRefresh:
    """The inputs of the last whole refresh (rules, files, warehouse), beside the staged tables it left."""

    def __init__(self, settings: Settings) -> None:
        self.path = settings.staging / "refresh.json"
        self.inputs = {
            "rules": all_versions(),
            "versions": RawFiles(str(settings.raw_data), str(settings.dumps_folder), str(settings.cache)).versions(),
            "warehouse": shown(settings.warehouse_url),
        }
        self.release = 0

    def is_served(self, engine: Engine) -> bool:
        """Whether the served release is the one that the same inputs made."""
        try:
            known = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        release = current_release(engine)
        self.release = release.id if release else 0
        return bool(known == self.inputs | {"release": self.release})

    def remember(self, engine: Engine) -> None:
        """Note that the served release was made from these inputs."""
        release = current_release(engine)
        text = json.dumps(self.inputs | {"release": release.id if release else 0})
        with whole_file(self.path) as file:
            file.write(text.encode())
