"""What every answer carries, and what errors look like."""

import gzip
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

import raw_data
from api.app import create_app
from api.middleware import accepts_gzip
from resources.sources.files import RawFiles
from resources.sources.unread import missing
from tests.api.expected import Tables

GETS = ("/cities/criterions", "/cities/load/29019", "/ogrs", "/helps/get-previews", "/health", "/release")
SEARCHES: dict[str, dict[str, Any]] = {
    "/cities/search": {"codeRome": ["D1102"]},
    "/cities/autocomplete": {"query": "b"},
    "/cities/search-by-skill": {"label": "b"},
    "/cities/search-close-cities": {"latitude": 48.4, "longitude": -4.5},
    "/cities/search-similar-cities": {"codeRome": "D1102", "city": {"id": 1, "population": 2}},
}


def test_every_answer_carries_its_release_and_304_says_it_is_still_so(client: TestClient) -> None:
    for route in [*GETS, *SEARCHES]:
        body = SEARCHES.get(route)
        method = "POST" if body else "GET"
        first = client.request(method, route, json=body)
        assert first.status_code == 200
        tag = first.headers["etag"]
        assert (first.headers["x-release"], tag[:5]) == ("1", 'W/"1-')
        assert first.headers["cache-control"] == "public, no-cache"
        for given in (tag, tag.removeprefix("W/"), "*", f'"0", {tag}'):
            again = client.request(method, route, json=body, headers={"If-None-Match": given})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
            assert "Accept-Encoding" in again.headers["vary"]
        other = client.request(method, route, json=body, headers={"If-None-Match": tag.replace("1-", "2-", 1)})
        assert (other.status_code, other.json()) == (200, first.json())


def test_what_is_not_there_is_404_whatever_the_client_has(client: TestClient) -> None:
    for route in ("/cities/load/99999", "/helps/get-previews/nope", "/nope"):
        answer = client.get(route, headers={"If-None-Match": "*"})
        assert answer.status_code == 404
        assert answer.json()["message"]


def test_the_same_routes_are_under_api(client: TestClient) -> None:
    for route in [*GETS, "/docs", "/openapi.json"]:
        assert client.get(f"/api{route}").text == client.get(route).text
    for route, body in SEARCHES.items():
        assert client.post(f"/api{route}", json=body).json() == client.post(route, json=body).json()


def test_answers_are_compressed_where_the_client_accepts_it(client: TestClient) -> None:
    for route in ("/cities/criterions", "/ogrs", "/release"):
        plain = client.get(route, headers={"Accept-Encoding": "identity"})
        packed = client.get(route, headers={"Accept-Encoding": "br, gzip;q=0.5"})
        assert (plain.headers.get("content-encoding"), packed.headers["content-encoding"]) == (None, "gzip")
        assert plain.headers["vary"].lower().count("accept-encoding") == 1
        assert plain.json() == packed.json()
        assert int(packed.headers["content-length"]) < len(plain.content) / 2


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True), ("br, GZIP ;q=0.1", True), ("*", True), ("gzip;q=0", False), ("*;q=0", False), ("", False),
        ("br", False), ("gzip; q=0.000, *", False), ("identity", False),
    ],
)  # fmt: skip
def test_who_accepts_gzip(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


def test_pages_of_anywhere_may_read(client: TestClient) -> None:
    asked = {"Origin": "https://example.org", "Access-Control-Request-Method": "POST"}
    allowed = client.options("/cities/search", headers=asked | {"Access-Control-Request-Headers": "content-type"})
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, "*")
    refused = client.options("/cities/search", headers=asked | {"Access-Control-Request-Method": "DELETE"})
    assert refused.status_code == 400
    read = client.get("/release", headers={"Origin": "https://example.org"})
    assert "ETag" in read.headers["access-control-expose-headers"]


def test_every_answer_has_its_security_headers_and_an_id(client: TestClient) -> None:
    for answer in (client.get("/release"), client.get("/nope"), client.post("/cities/search", json={"index": "x"})):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "DENY"
        assert len(answer.headers["x-request-id"]) == 32
    given = client.get("/release", headers={"X-Request-ID": "from-the-proxy-1"})
    assert given.headers["x-request-id"] == "from-the-proxy-1"
    forged = client.get("/release", headers={"X-Request-ID": 'x", "status": 1'})
    assert len(forged.headers["x-request-id"]) == 32


def test_the_log_says_what_happened_and_nothing_of_who_asked(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"User-Agent": "an agent", "X-Forwarded-For": "192.0.2.7"}
    client.post("/cities/search-by-skill", json={"label": "a secret wish"}, headers=headers)
    client.get("/cities/load/29019?who=me", headers=headers)
    client.get("/not/a/route/of/mine")
    lines = [json.loads(record.getMessage()) for record in caplog.records if record.name == "mobiville.api"]
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        ("POST", "/cities/search-by-skill", 200),
        ("GET", "/cities/load/{insee}", 200),
        ("GET", "none", 404),
    ]
    assert lines[0].keys() == {"request", "method", "route", "status", "ms", "bytes", "release"}
    assert not any(text in caplog.text for text in ("secret", "192.0.2.7", "an agent", "29019", "mine", "testclient"))


def test_head_is_answered_wherever_get_is(client: TestClient) -> None:
    """Uptime monitors ask so."""
    for route in [*GETS, "/", "/docs", "/openapi.json", "/metrics", "/page/app.js", "/nope"]:
        asked, found = client.get(route), client.head(route)
        assert (found.status_code, found.content) == (asked.status_code, b""), route
        if route != "/metrics":
            for name in ("content-type", "content-length", "etag", "vary"):
                assert found.headers.get(name) == asked.headers.get(name), (route, name)


def test_a_trailing_slash_is_no_other_address(client: TestClient) -> None:
    for route in GETS:
        for address in (f"{route}/", f"/api{route}/"):
            found = client.get(address, follow_redirects=False)
            assert (found.status_code, found.content) == (200, client.get(route).content), address
    for route, body in SEARCHES.items():
        assert client.post(f"{route}/", json=body).json() == client.post(route, json=body).json()


@pytest.mark.parametrize("path", ["/api/metrics", "/api/metrics/", "/api/api/metrics", "/api//metrics"])
def test_metrics_are_not_under_api(client: TestClient, path: str) -> None:
    """The proxy strips one /api: a second must not lead there."""
    assert client.get(path).status_code == 404
    assert client.head(path).status_code == 404


@pytest.mark.parametrize("encoding", ["gzip;q=0", "gzip; q=0.0, br", "identity", "*;q=0", ""])
def test_who_refuses_gzip_gets_none(client: TestClient, encoding: str) -> None:
    for route in (*GETS, "/page/basins.json"):
        found = client.get(route, headers={"Accept-Encoding": encoding})
        assert "content-encoding" not in found.headers
        assert found.headers["vary"].count("Accept-Encoding") == 1


def test_a_large_city_is_made_and_compressed_once(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.release.KEPT_BYTES", 2_000)
    made: list[int] = []
    compress = gzip.compress

    def note(data: bytes, *level: int, **options: int) -> bytes:
        made.append(len(data))
        return compress(data, *level, **options)

    monkeypatch.setattr("api.release.gzip.compress", note)
    plain = client.get("/cities/load/75056", headers={"Accept-Encoding": "identity"})
    for _ in range(3):
        packed = client.get("/cities/load/75056", headers={"Accept-Encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.content == plain.content
    assert made == [len(plain.content)]


def test_metrics_count_requests_by_route(client: TestClient) -> None:
    def counted() -> float:
        lines = client.get("/metrics").text.splitlines()
        start = 'mobiville_api_requests_total{method="GET",route="/release",status="200"} '
        return float(next((line.removeprefix(start) for line in lines if line.startswith(start)), 0))

    before = counted()
    client.get("/release")
    assert counted() == before + 1
    text = client.get("/metrics").text
    assert "mobiville_api_seconds_bucket" in text
    assert "process_resident_memory_bytes" in text


def test_a_body_may_have_a_million_bytes(client: TestClient) -> None:
    def chunks(size: int) -> Iterator[bytes]:
        yield b'{"label": "'
        yield from (b"a" * 50_000 for _ in range(size // 50_000 - 1))
        yield b"a" * (50_000 - 13) + b'"}'

    json_type = {"Content-Type": "application/json"}
    whole = b"".join(chunks(1_000_000))
    assert len(whole) == 1_000_000
    assert client.post("/cities/search-by-skill", content=whole, headers=json_type).status_code == 200
    assert client.post("/cities/search-by-skill", content=whole + b" ", headers=json_type).status_code == 413
    assert client.post("/cities/search-by-skill", content=chunks(1_000_000), headers=json_type).status_code == 200
    refused = client.post("/cities/search-by-skill", content=chunks(1_050_000), headers=json_type)
    assert refused.status_code == 413
    assert refused.headers["x-content-type-options"] == "nosniff"


def test_release_says_what_each_table_was_made_from(client: TestClient, served: Tables) -> None:
    release = client.get("/release").json()
    assert {table["table"]: table["rows"] for table in release["tables"]} == {
        name: len(rows) for name, rows in served.items()
    }
    sources = {s["source_id"]: s for table in release["tables"] for s in table["sources"]}
    assert len(sources["bpe"]["sha256"]) == 64
    rows = {f"rows_{what}" for what in ("read", "used", "merged", "rejected")}
    assert sources["bpe"].keys() == {"source_id", "file_name", "vintage", "sha256"} | rows
    health = client.get("/health").json()
    known = {"status": "ok", "release": 1, "published_at": release["published_at"]}
    assert health == known | {"database": "ok", "sample": True}
    assert release["sample"] is True
    assert release["geography"] == "COG 2026"
    files = RawFiles(str(raw_data.SAMPLE), str(raw_data.SAMPLE / "datalake"))
    assert [f"no file for {one['source']}: {one['consequence']}" for one in release["missing"]] == list(missing(files))


def _examples(fields: dict[str, Any], required: list[str]) -> dict[str, Any]:
    """The first example of each field that has one; every field that is required has."""
    found = {name: field["examples"][0] for name, field in fields.items() if "examples" in field}
    assert set(required) <= found.keys()
    return found


def test_each_route_is_called_in_words_and_has_an_example_that_runs(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    assert "/api/ogrs" not in described["paths"]
    for path, methods in described["paths"].items():
        for method, route in methods.items():
            assert route["summary"].count(" ") > 2, path
            assert not route["summary"].endswith("."), path
            assert route["description"].replace("\n", " ").startswith(route["summary"]), path
            asked, body = route.get("parameters", []), None
            given = _examples({p["name"]: p["schema"] for p in asked}, [p["name"] for p in asked if p["required"]])
            query = {p["name"]: given[p["name"]] for p in asked if p["in"] == "query"}
            if method == "post":
                schema = route["requestBody"]["content"]["application/json"]["schema"]
                model = described["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
                body = _examples(model["properties"], model.get("required", []))
                assert body.keys() >= SEARCHES.get(path, {}).keys(), path
            answer = client.request(method, path.format(**given), params=query, json=body)
            assert (answer.status_code, answer.history) == (200, []), path
            assert answer.content not in (b"[]", b"{}"), path
    assert described["components"]["schemas"]["FoundCity"]["properties"]["z_moyen"]["description"].startswith("mean")


def test_docs_explain_the_routes(client: TestClient) -> None:
    """With what the page asks for, of this host alone."""
    for page in ("/docs", "/api/docs"):
        text = client.get(page).text
        asked = re.findall(r"(?:src|href)=\"([^\"]+)\"|url: '([^']+)'", text)
        assert len(asked) == 4
        for address in ("".join(pair) for pair in asked):
            assert client.get(str(httpx.URL(f"http://testserver{page}").join(address))).status_code == 200
            assert not address.startswith(("http", "//"))


def test_before_the_first_release_it_says_so(warehouse_url: str) -> None:
    with TestClient(create_app(warehouse_url)) as client:
        health, route = client.get("/health"), client.get("/cities/criterions")
    assert (health.status_code, route.status_code) == (503, 503)
    known = {"release": None, "published_at": None, "sample": False}
    said = {"sqlite": ("database away", "away"), "mariadb": ("no release", "ok")}[
        warehouse_url.partition(":")[0].partition("+")[0]
    ]
    assert health.json() == known | {"status": said[0], "database": said[1]}
    assert int(route.headers["retry-after"]) > 0
