"""Dagster's web server with Data Docs, a page per table of its rules and what was last found of each, and pictures.

Both are made when they are looked at, of what the checks told and of what is staged: a refresh makes nothing for them.
"""

from datetime import UTC, datetime
from html import escape
from typing import Any

import dagster as dg
import dagster_webserver.app
from dagster._core.storage.asset_check_execution_record import (
    COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES,
    AssetCheckExecutionRecord,
)
from dagster._core.storage.event_log import EventLogStorage
from dagster_webserver import cli
from dagster_webserver.webserver import DagsterWebserver
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from assets.common.checks import DATA_DOCS, FIRST_ROWS
from assets.common.plots import ADDRESS, PICTURES, png
from resources.settings import Settings

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}: Data Docs</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; color: #1c2230 }}
table {{ border-collapse: collapse; margin: .5rem 0 }}
td, th {{ border: 1px solid #cdd2da; padding: .3rem .6rem; text-align: left; vertical-align: top }}
th {{ background: #f2f4f7 }}
.failed {{ color: #a4262c; font-weight: 600 }} .warned {{ color: #8a5a00; font-weight: 600 }}
.passed {{ color: #1a6b37 }}
</style>
<h1>{title}</h1>
<p>{summary} <a href="/assets/{title}?view=checks">The checks in Dagster</a></p>
<table>
<tr><th>rule</th><th>expected</th><th>found</th><th>share</th><th>looked at (UTC)</th></tr>
{rules}
</table>
{rows}
</html>
"""
ABSENT = "<!doctype html><title>Data Docs</title><p>No asset {title} has rules. <a href='/assets'>The assets</a>"


def _row(cells: list[str], tag: str = "td") -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def _first_rows(name: str, evaluation: dg.AssetCheckEvaluation) -> str:
    """The first failing rows of a rule as a table; nothing where it has none."""
    table = evaluation.metadata.get(FIRST_ROWS)
    if not isinstance(table, dg.TableMetadataValue):
        return ""
    columns = [column.name for column in table.schema.columns]
    body = "\n".join(_row([str(record.data[column]) for column in columns]) for record in table.records)
    return f"<h2>{escape(name)}: the first failing rows</h2>\n<table>\n{_row(columns, 'th')}\n{body}\n</table>"


def _rule(rule: Any, record: AssetCheckExecutionRecord | None) -> tuple[str, str, str]:
    """How a rule came out (failed, warned, passed, or not looked at), its line of the page, and its first rows."""
    evaluation = record.evaluation if record else None
    if not evaluation or not record:
        state, found, share, when, rows = "not looked at", "", "", "", ""
    else:
        state = "passed" if evaluation.passed else "failed" if rule.blocking else "warned"
        found = evaluation.description or "as expected"
        share = str(evaluation.metadata["share"].value) if "share" in evaluation.metadata else "0.00%"
        when = f"{datetime.fromtimestamp(record.create_timestamp, UTC):%Y-%m-%d %H:%M}"
        rows = _first_rows(rule.name, evaluation)
    name = f'<td id="{escape(rule.name)}">{escape(rule.name)}<br><span class="{state}">{state}</span></td>'
    cells = _row([rule.description or "", found, share, when]).removeprefix("<tr>")
    return state, f"<tr>{name}{cells}", rows


def page(title: str, rules: list[tuple[Any, AssetCheckExecutionRecord | None]]) -> str:
    """The page (HTML) of an asset: its checks, as Dagster describes them, each with its last execution."""
    told = [_rule(rule, record) for rule, record in rules]
    states = [state for state, _, _ in told]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(sorted(states)))
    lines, rows = "\n".join(line for _, line, _ in told), "\n".join(filter(None, (rows for _, _, rows in told)))
    return PAGE.format(title=escape(title), summary=f"{len(rules)} rules: {counts}.", rules=lines, rows=rows)


def last_execution(storage: EventLogStorage, key: dg.AssetCheckKey) -> AssetCheckExecutionRecord | None:
    """The last execution of a check that came to an end: one that is under way has told nothing yet."""
    ended = storage.get_asset_check_execution_history(
        key, limit=1, status=COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES
    )
    return next(iter(ended), None)


def picture(request: Request) -> Response:
    """The picture (PNG) of a table as it is staged now, in the folder that this process's own settings name; 404 in
    words where it has none, or is not there.
    """
    from resources.errors import StagingError  # with pandas, which takes a second to import
    from resources.staging import Staging

    name = request.path_params["name"]
    if name not in PICTURES:
        return PlainTextResponse(f"{name} has no picture", 404)
    try:
        rows = Staging(folder=str(Settings().staging)).rows(name)
    except StagingError as error:
        return PlainTextResponse(str(error), 404)
    return Response(png(PICTURES[name], rows), media_type="image/png", headers={"Cache-Control": "no-cache"})


class Webserver(DagsterWebserver[Any, Any]):
    """Dagster's own, and the pages of Data Docs and the pictures."""

    def build_static_routes(self) -> list[BaseRoute]:
        """Below `DATA_DOCS` the page of an asset, at its key; below `ADDRESS` the picture of a table, at its name."""
        ours = [Route(f"{DATA_DOCS}/{{path:path}}", self.data_docs), Route(f"{ADDRESS}/{{name}}", picture)]
        return [*ours, *super().build_static_routes()]  # type: ignore[no-untyped-call]

    def data_docs(self, request: Request) -> HTMLResponse:
        """The page of an asset; 404 of one that has no rules."""
        title = request.path_params["path"]
        with self.request_context(request) as context:
            nodes = context.asset_graph.remote_asset_check_nodes_by_key
            asset = dg.AssetKey(title.split("/"))
            found = {key: node.asset_check for key, node in nodes.items() if key.asset_key == asset}
            if not found:
                return HTMLResponse(ABSENT.format(title=escape(title)), 404)
            storage = context.instance.event_log_storage
            return HTMLResponse(
                page(title, [(rule, last_execution(storage, key)) for key, rule in sorted(found.items())])
            )


dagster_webserver.app.DagsterWebserver = Webserver  # type: ignore[attr-defined]

if __name__ == "__main__":
    cli.main()  # type: ignore[no-untyped-call]
