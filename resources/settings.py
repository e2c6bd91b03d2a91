"""The settings, from environment variables. `docs/settings.md` is made from them."""

import os
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from upath import UPath

import raw_data

VAR = Path("var")
"""The default place for everything that is written: `var/` in the folder where the command is started."""


PREFIX = "MOBIVILLE_"
CRON = [
    rf"(\*|{one}(-{one})?)(/\d+)?(,{one}(-{one})?)*"
    for one in (
        r"[0-5]?\d",
        r"([01]?\d|2[0-3])",
        r"(0?[1-9]|[12]\d|3[01])",
        r"(0?[1-9]|1[0-2])",
        r"([0-7]|[A-Za-z]{3})",
    )
]
"""Minute, hour, day, month, weekday, as a schedule has them."""


def unknown_names() -> list[str]:
    """The variables of the environment that are named like settings and are none."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    return sorted(name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known)


class Settings(BaseSettings):
    """Every setting; the environment variable is the name in capitals after `MOBIVILLE_`."""

    model_config = SettingsConfigDict(env_prefix="MOBIVILLE_", env_ignore_empty=True)

    raw_data: Path = Field(raw_data.SAMPLE, description="folder of the raw files; the default is the bundled sample")
    dumps: Path | None = Field(
        None, description="folder of the datalake's dumps; by default datalake/ in the raw files"
    )
    staging: Annotated[UPath, BeforeValidator(str)] = Field(
        UPath(VAR / "staging"),
        description="folder of the staged Parquet files; it may be in an object store: `s3://BUCKET/FOLDER`",
    )
    warehouse_url: str = Field(
        f"sqlite:///{VAR / 'warehouse.db'}",
        description="SQLAlchemy URL of the warehouse: `sqlite:///FILE` or `mariadb+pymysql://USER:PASSWORD@HOST/DATABASE`",
    )
    api_database_url: str | None = Field(
        None, description="the same warehouse with the API's read-only account; by default the warehouse's URL"
    )
    backups: Path = Field(VAR / "backups", description="folder of the backups")
    keep_backups: int = Field(7, ge=1, description="number of dated backups kept, beside one per weekday and quarter")
    exports: Path = Field(
        VAR / "exports",
        description="folder of the files to download: a folder per release, and `latest`, that of the newest",
    )
    keep_releases: int = Field(1, ge=1, description="number of earlier releases that are kept for a rollback")
    keep_record: int = Field(1000, ge=1, description="number of releases that the record of releases goes back")
    keep_runs: int = Field(200, ge=1, description="number of ended runs whose history Dagster keeps")
    nightly_cron: str = Field(
        "30 2 * * *",
        pattern=f"^{' '.join(CRON)}$",
        description="when the nightly refresh runs: cron, Paris time",
    )
    sensor_seconds: int = Field(60, ge=1, description="seconds between two ticks of a sensor")
    alert_webhook: SecretStr | None = Field(None, description="URL that failures are posted to, as JSON")
    alert_email: str | None = Field(None, description="e-mail address for failures; it needs MOBIVILLE_SMTP_URL")
    smtp_url: SecretStr | None = Field(None, description="mail server: `smtp://USER:PASSWORD@HOST:587`, or `smtps://…`")
    alert_urls: SecretStr | None = Field(
        None, description="addresses for failures, apart by spaces, as apprise writes them (e-mail, Teams, Matrix, SMS)"
    )
    ui_url: str = Field("http://127.0.0.1:3000", description="URL of the Dagster UI, for the links in alerts")
    executor: Literal["in_process", "multiprocess", "celery", "k8s"] = Field(
        "in_process", description="where the steps of runs from the UI and from schedules execute"
    )
    celery_broker: SecretStr | None = Field(
        None, description="broker of the celery executor: `redis://…` or `amqp://…`", validate_default=True
    )

    @field_validator("celery_broker")
    @classmethod
    def _there_when_needed(cls, broker: SecretStr | None, others: ValidationInfo) -> SecretStr | None:
        if broker is None and others.data.get("executor") == "celery":
            raise ValueError("MOBIVILLE_EXECUTOR=celery needs it: redis://… or amqp://…")
        return broker

    downloads: Path = Field(
        VAR / "raw_data", description="folder of the fetched files: a dated folder per fetch, and `current`, the newest"
    )
    cache: Path = Field(VAR / "cache", description="folder of the cached responses of services (ROME, descriptions)")
    contact: str = Field("", description="e-mail address or web page of the operator, sent to services (User-Agent)")
    mirror: str | None = Field(
        None,
        description="URL of a mirror of the official files, instead of `https://` (the host becomes a folder); a "
        "password for it belongs in `~/.netrc`",
    )
    largest_file_mb: int = Field(2_000, ge=1, description="largest file that is downloaded or unpacked, MB")
    pace: float = Field(1.0, ge=0, description="seconds between two requests to a service that gets many of them")
    http_timeout: float = Field(30.0, gt=0, description="seconds without any byte after which a request fails")
    http_deadline: float = Field(120.0, gt=0, description="seconds that a whole response may take (files excepted)")
    http_tries: int = Field(5, ge=1, description="number of tries per request, the first included")
    http_pause: float = Field(1.0, ge=0, description="seconds before the second try, doubled for each next one")
    http_longest_wait: float = Field(120.0, ge=0, description="longest Retry-After that is accepted, seconds")
    ft_client_id: str | None = Field(None, description="client identifier of the application at francetravail.io")
    ft_client_secret: SecretStr | None = Field(None, description="client secret of the application")
    ft_token_url: str = Field(
        "https://entreprise.francetravail.fr/connexion/oauth2/access_token?realm=%2Fpartenaire",
        description="URL that issues tokens",
    )
    ft_api_url: str = Field("https://api.francetravail.io/partenaire", description="base of France Travail's APIs")
    ft_rome: Literal["4", "1"] = Field("4", description="version of the ROME API, 4 (rome-metiers) or 1 (the old one)")
    ft_scope_rome: str = Field("api_rome-metiersv1 nomenclatureRome", description="scope of the ROME API")
    ft_scope_offers: str = Field("api_offresdemploiv2 o2dsoffre", description="scope of Offres d'emploi v2")
    ft_scope_market: str = Field(
        "api_stats-offres-demandes-emploiv1 offresetdemandesemploi", description="scope of Marché du travail"
    )
    ft_scope_hiring: str = Field(
        "api_stats-perspectives-retour-emploiv1 retouremploi", description="scope of Accès à l'emploi"
    )
    ft_scope_companies: str = Field("search office api_labonneboitev2", description="scope of La Bonne Boîte v2")
    wikidata_url: str = Field("https://query.wikidata.org/sparql", description="Wikidata's query service")
    wikipedia_url: str = Field("https://fr.wikipedia.org/w/api.php", description="French Wikipedia's API")
    descriptions_minutes: float = Field(
        30.0, gt=0, description="longest time that one run may spend on requests to Wikipedia, minutes"
    )

    operator_name: str = Field("", description="who publishes the site, for its legal pages: name and address")
    operator_contact: str = Field("", description="e-mail address or telephone number that its readers may use")
    operator_host: str = Field("", description="who hosts it: name, address, telephone number")

    @model_validator(mode="before")
    @classmethod
    def _no_typing_mistakes(cls, values: Any) -> Any:
        """A misspelt setting would have its default: the sample published where real files were meant."""
        names = [name.upper() for name in cls.model_fields]
        for name in unknown_names():
            meant = get_close_matches(name.upper().removeprefix(PREFIX), names, 1, cutoff=0.85)
            if meant:
                raise ValueError(f"{name} is no setting; {PREFIX}{meant[0]} is. Correct the name, or unset it")
        return values

    @property
    def dumps_folder(self) -> Path:
        """The folder of the datalake's dumps."""
        return self.dumps or self.raw_data / "datalake"
