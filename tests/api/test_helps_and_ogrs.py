"""Aids and job titles beside the tables."""

import pytest
from fastapi.testclient import TestClient

from api.models import PREVIEW
from tests.api.expected import Tables


def test_previews_of_all_aids(client: TestClient, served: Tables) -> None:
    keys = [*PREVIEW, "visibility_boost"]
    assert client.get("/helps/get-previews").json() == [{key: row[key] for key in keys} for row in served["helps"]]


def test_an_aid_whole_and_its_views_are_not_counted(client: TestClient, served: Tables) -> None:
    for row in served["helps"]:
        for slug in (row["slug"], row["slug"].upper()):
            assert client.get(f"/helps/get-previews/{slug}").json() == row


@pytest.mark.parametrize("slug", ["nope", "' OR 1=1 --", "%00", "%25", "_" * 4_000])
def test_an_unknown_slug_is_not_found(client: TestClient, slug: str) -> None:
    assert client.get(f"/helps/get-previews/{slug}").status_code == 404


def test_ogrs(client: TestClient, served: Tables) -> None:
    labels = {row["code"]: row["label"] for row in served["rome_codes"]}
    romes = {row["rome"] for row in served["tensions"]}
    expected = [
        {"rome": row["code_rome"], "romeLabel": labels.get(row["code_rome"]), "ogrLabel": row["ogr_label"]}
        for row in sorted(served["romeogrs"], key=lambda row: (row["code_rome"], row["code_ogr"]))
        if row["code_rome"] in romes
    ]
    assert client.get("/ogrs").json() == expected != []
