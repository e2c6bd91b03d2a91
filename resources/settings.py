"""The settings, from the environment."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from upath import UPath

import raw_data

VAR = Path("var")
"""Where the project writes when nothing else is set: `var/` of the folder it is started in."""


class Settings(BaseSettings):
    """Every setting; the environment variable is the name in capitals after `MOBIVILLE_`."""

    model_config = SettingsConfigDict(env_prefix="MOBIVILLE_", env_ignore_empty=True)

    raw_data: Path = Field(raw_data.SAMPLE, description="folder of the raw files; by default the bundled sample")
    dumps: Path | None = Field(None, description="folder of the datalake's dumps; by default datalake/ in the raw data")
    staging: Annotated[UPath, BeforeValidator(str)] = Field(
        UPath(VAR / "staging"),
        description="folder of the staged Parquet files, or the address of one: s3://BUCKET/FOLDER",
    )
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
    nightly_cron: str = Field(
        "30 2 * * *", pattern=r"^\S+( \S+){4}$", description="when the nightly refresh runs, Europe/Paris"
    )
    sensor_seconds: int = Field(60, ge=1, description="how often the folders and the runs are looked at, seconds")
    alert_webhook: SecretStr | None = Field(None, description="address that failures are posted to, as JSON")
    alert_email: str | None = Field(None, description="address that failures are mailed to, through SMTP_URL")
    smtp_url: SecretStr | None = Field(None, description="mail server: smtp://USER:PASSWORD@HOST:587, or smtps://")
    ui_url: str = Field("http://127.0.0.1:3000", description="where the Dagster UI is, for the links in alerts")
    executor: Literal["in_process", "multiprocess", "celery", "k8s"] = Field(
        "in_process", description="where the steps of runs from the UI and of schedules are run"
    )
    celery_broker: SecretStr | None = Field(
        None, description="of the celery executor: redis://… or amqp://…", validate_default=True
    )

    @field_validator("celery_broker")
    @classmethod
    def _there_when_needed(cls, broker: SecretStr | None, others: ValidationInfo) -> SecretStr | None:
        if broker is None and others.data.get("executor") == "celery":
            raise ValueError("MOBIVILLE_EXECUTOR=celery needs it: redis://… or amqp://…")
        return broker

    @property
    def dumps_folder(self) -> Path:
        """The folder of the datalake's dumps."""
        return self.dumps or self.raw_data / "datalake"
