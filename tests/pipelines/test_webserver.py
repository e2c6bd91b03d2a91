"""What our web server adds: Data Docs, with every check and what it last found, and pictures of what is staged."""

import io
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pandas as pd
import pytest
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from dagster._core.events import DagsterEvent, DagsterEventType
from PIL import Image
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from assets.common.checks import FIRST_ROWS, check_specs, evaluations
from assets.common.expectations import Expectation, Finding
from assets.common.lineage import staged_key
from pipelines.webserver import last_execution, page, picture

KEY = staged_key("helps")
RULES = [Expectation("slug_is_unique", "slug stands once"), Expectation("a_is_in_b", "a is in <b>", error=False)]


def executions(*findings: Finding) -> list[tuple[Any, Any]]:
    told = evaluations(KEY, RULES, findings, ())
    specs = check_specs(KEY, RULES)
    return [
        (spec, SimpleNamespace(evaluation=evaluation, create_timestamp=0.0))
        for spec, evaluation in zip(specs, told, strict=True)
    ]


def test_a_page_says_of_each_rule_what_was_expected_and_found() -> None:
    row = {"line": 7, "slug": "<script>"}
    html = page(
        "staged/helps", executions(Finding("slug_is_unique", "slug stands once", True, 2, 0.5, [row], positions=[8]))
    )
    assert "<title>staged/helps: Data Docs</title>" in html
    assert "2 rules: 1 failed, 1 passed." in html
    assert "slug stands once. An error: the table is not staged." in html
    assert "slug stands once: 2 rows (50.00%) fail" in html
    assert "<td>50.00%</td>" in html
    assert "1970-01-01 00:00" in html
    assert "slug_is_unique: the first failing rows" in html
    assert "a is in &lt;b&gt;. A warning." in html
    assert "as expected" in html
    assert (
        "<tr><th>row</th><th>line</th><th>slug</th></tr>\n<tr><td>9</td><td>7</td><td>&lt;script&gt;</td></tr>" in html
    )
    assert "<script" not in html  # what stands in a file is text
    assert "http" not in html  # nobody else is asked


def test_a_warning_is_told_apart_and_a_rule_that_was_not_looked_at_is_there() -> None:
    found = executions(Finding("a_is_in_b", "a is in <b>", False, 1, 0.1, []))
    assert '<span class="warned">warned</span>' in page("staged/helps", found)
    assert "2 not looked at" in page("staged/helps", [(rule, None) for rule, _ in found])


@pytest.mark.parametrize(
    "finding", [[], [Finding("slug_is_unique", "slug stands once", True, 1, 1.0, [{"slug": "a"}], positions=[0])]]
)
def test_a_check_links_to_the_page_of_its_asset(finding: list[Finding]) -> None:
    (first, _) = evaluations(KEY, RULES, finding, ())
    assert first.metadata["Data Docs"] == dg.MetadataValue.url("/data-docs/staged/helps")
    assert (FIRST_ROWS in first.metadata) == bool(finding)


def test_it_is_dagsters_own_web_server_otherwise() -> None:
    command = [sys.executable, "-m", "pipelines.webserver", "--help"]
    assert "Run dagster-webserver" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_while_a_check_is_under_way_the_page_has_what_it_found_before() -> None:
    @dg.multi_asset_check(specs=check_specs(KEY, RULES[:1]))
    def check() -> Any:
        yield from evaluations(KEY, RULES[:1], [], {dg.AssetCheckKey(KEY, "slug_is_unique")})

    key, instance = dg.AssetCheckKey(KEY, "slug_is_unique"), dg.DagsterInstance.ephemeral()
    assert last_execution(instance.event_log_storage, key) is None
    assert dg.materialize([dg.AssetSpec(KEY), check], instance=instance, selection=dg.AssetSelection.checks(check))
    before = last_execution(instance.event_log_storage, key)
    assert before
    assert before.evaluation
    assert before.evaluation.passed
    planned = AssetCheckEvaluationPlanned(asset_key=KEY, check_name=key.name)
    kind = DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
    instance.report_dagster_event(DagsterEvent(kind.value, "again", event_specific_data=planned), run_id="another")
    assert last_execution(instance.event_log_storage, key) == before


def test_a_picture_is_drawn_of_what_is_staged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOBIVILLE_STAGING", str(tmp_path))
    client = TestClient(Starlette(routes=[Route("/pictures/{name}", picture)]))
    absent = client.get("/pictures/equipments")
    assert absent.status_code == 404
    assert absent.text.startswith("equipments is not staged yet: materialize it first")
    pd.DataFrame({"typequ": ["A101", "A104"], "total": [3, 1]}).to_parquet(tmp_path / "equipments.parquet")
    answer = client.get("/pictures/equipments")
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).width > 400
    unknown = client.get("/pictures/nope")
    assert (unknown.status_code, unknown.text) == (404, "nope has no picture")
