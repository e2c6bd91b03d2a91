"""The settings, from the environment."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

import raw_data

VAR = Path("var")
"""Where the project writes when nothing else is set: `var/` of the folder it is started in."""


class Settings(BaseSettings):
    """Every setting; the environment variable is the name in capitals after `MOBIVILLE_`."""

    model_config = SettingsConfigDict(env_prefix="MOBIVILLE_", env_ignore_empty=True)

    raw_data: Path = Field(raw_data.SAMPLE, description="folder of the raw files; by default the bundled sample")
    dumps: Path | None = Field(None, description="folder of the datalake's dumps; by default datalake/ in the raw data")
    staging: Path = Field(VAR / "staging", description="folder of the staged Parquet files")
    warehouse_url: str = Field(
        f"sqlite:///{VAR / 'warehouse.db'}",
        description="SQLAlchemy URL of the warehouse: sqlite:///FILE or mariadb+pymysql://USER:PASSWORD@HOST/DATABASE",
    )
    api_database_url: str | None = Field(
        None, description="the same warehouse with the read-only account of the API; by default the warehouse's URL"
    )
    backups: Path = Field(VAR / "backups", description="folder of the backups")
    keep_backups: int = Field(7, ge=1, description="how many dated backups are kept, beside weekdays' and quarters'")
    keep_releases: int = Field(1, ge=1, description="how many releases before the served one are kept whole")

    @property
    def dumps_folder(self) -> Path:
        """The folder of the datalake's dumps."""
        return self.dumps or self.raw_data / "datalake"
