"""What a refresh would change, before it does: staged in a scratch area, loaded beside what is served, compared."""

from collections.abc import Callable
from dataclasses import dataclass

import dagster as dg
from sqlalchemy import Engine

from assets.common.staleness import whole
from assets.common.trial import Trial, staged_aside
from assets.warehouse import contents_of, refuse_sample, volumes
from resources.errors import ValidationError
from resources.settings import Settings
from resources.sources.files import RawFiles
from resources.sources.unread import missing, unread
from resources.staging import Staging
from resources.warehouse import Warehouse
from warehouse.preview import Difference, preview

FIRST = 3
"""Rows of each kind that are shown."""


@dataclass(frozen=True)
class Preview:
    """Why the refresh would be refused (nothing if it would not), what it would warn of, what it would change."""

    refused: list[str]
    warnings: list[str]
    difference: Difference


def preview_refresh(settings: Settings, engine: Engine, progress: Callable[[str], None]) -> Preview:
    """What `mobiville refresh` would do with the same settings. Neither the staging area nor what is served changes.

    Where an asset fails no table is compared, as nothing would be published.
    """
    files = RawFiles.from_settings(settings)
    with staged_aside(settings) as aside:
        trial = Trial(aside)
        plan = whole(trial.graph, aside)
        progress(f"staging aside {len(plan.staged)} assets that other files or rules make otherwise")
        failures, checks = trial.run(plan.staged)
        refused = [f"{step}: {words}" for step, words in failures.items()]
        warnings = [*missing(files), *unread(files)]
        warnings += [
            f"{check.asset_key.path[-1]}: {check.description}"
            for check in checks
            if check.severity is dg.AssetCheckSeverity.WARN
        ]
        if refused:
            return Preview(refused, warnings, Difference({}, []))
        contents = contents_of(Staging(folder=str(aside.staging)), sorted(plan.tables))
        try:
            before = Warehouse(url=settings.warehouse_url).rows()
            for check in volumes(contents, before, ()):
                warnings += [] if check.passed else [str(check.description)]
            refuse_sample(contents, settings.warehouse_url)
        except ValidationError as error:
            refused.append(str(error))
        return Preview(refused, warnings, preview(engine, contents, first=FIRST, progress=progress))
