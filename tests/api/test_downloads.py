"""The files to download, as programs and people ask for them."""

import hashlib
import html
import io
import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import duckdb
import duckdb_extension_httpfs
import pandas as pd
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser

from api.app import create_app
from tests.api.conftest import Tables
from tests.conftest import ARTEFACTS
from warehouse import tables


@pytest.fixture
def address(serve: Any, api_url: str, exports: Path, tmp_path: Path) -> str:
    """The address of a server of its own."""
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "exports").symlink_to(exports)
    return f"http://127.0.0.1:{serve(api_url).port}"


def test_the_index_names_every_table_twice_and_each_file_is_what_it_says(client: TestClient, served: Tables) -> None:
    index = client.get("/downloads").json()
    assert {name: index[name] for name in ("release", "releases", "sample", "latest")} == {
        "release": 1,
        "releases": [1],
        "sample": True,
        "latest": "downloads/latest",
    }
    rows = {(file["table"], file["format"]): file["rows"] for file in index["files"]}
    assert rows == {(name, kind): len(found) for name, found in served.items() for kind in ("csv", "parquet")}
    for file in index["files"]:
        for path in (f"/{file['path']}", f"/api/{file['path']}", f"/downloads/latest/{file['path'].rsplit('/')[-1]}"):
            answer = client.get(path)
            assert answer.status_code == 200, path
            assert answer.headers["content-type"].partition(";")[0] == file["mediatype"]
            assert "content-encoding" not in answer.headers
            assert f"sha256:{hashlib.sha256(answer.content).hexdigest()}" == file["hash"]
            assert len(answer.content) == file["bytes"]
    package = client.get("/downloads/latest/datapackage.json").json()
    said = [source for resource in package["resources"] for source in resource.get("sources", [])]
    assert len(index["sources"]) == len({source["title"] for source in said}) > 5
    assert all(source in said for source in index["sources"])
    assert "datapackage.json" in client.get("/downloads/latest/SHA256SUMS").text
    assert package["name"] == "mobiville"


def test_a_part_of_a_file_is_that_part(client: TestClient, exports: Path) -> None:
    content = (exports / "1" / "cities.parquet").read_bytes()
    whole = client.get("/downloads/1/cities.parquet")
    assert (whole.content, whole.headers["accept-ranges"]) == (content, "bytes")
    size = len(content)
    for asked, start, end in (("0-3", 0, 4), ("-4", size - 4, size), ("10-", 10, size)):
        part = client.get("/downloads/latest/cities.parquet", headers={"Range": f"bytes={asked}"})
        assert (part.status_code, part.content, part.headers["etag"]) == (
            *(206, content[start:end]),
            whole.headers["etag"],
        )
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
    beyond = client.get("/downloads/1/cities.parquet", headers={"Range": f"bytes={size}-"})
    assert beyond.status_code == 416


def test_head_and_etag_spare_the_file(client: TestClient) -> None:
    for name in ("cities.parquet", "cities.csv"):
        whole, head = client.get(f"/downloads/latest/{name}"), client.head(f"/downloads/latest/{name}")
        assert (head.status_code, head.content) == (200, b"")
        for header in ("etag", "content-length", "content-type", "accept-ranges", "last-modified"):
            assert head.headers[header] == whole.headers[header]
        again = client.get(f"/downloads/latest/{name}", headers={"If-None-Match": whole.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        *("../staging/cities.parquet", "%2e%2e/staging/cities.parquet", "1/%2e%2e/%2e%2e/warehouse.db", "/etc/passwd"),
        *("%2fetc%2fpasswd", "latest/nope.csv", "latest", "99/cities.csv", "..%5cwarehouse.db", "link/cities.parquet"),
    ],
)
def test_nothing_but_the_files_is_to_be_had(client: TestClient, exports: Path, sample_folder: Path, path: str) -> None:
    (exports / "link").unlink(missing_ok=True)
    (exports / "link").symlink_to(sample_folder / "staging")
    found = client.get(f"/downloads/{path}")
    assert (found.status_code, set(found.json())) == (404, {"message"})
    assert client.post("/downloads/latest/cities.csv").status_code == 405


def test_before_the_first_files_there_are_none(api_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOBIVILLE_EXPORTS", str(tmp_path / "none"))
    with TestClient(create_app(api_url)) as client:
        for path in ("/downloads", "/dictionary", "/downloads/latest/cities.csv"):
            assert client.get(path).status_code == 404
        assert "a refresh writes them" in client.get("/downloads").json()["message"]


def test_pandas_reads_them_by_their_address(address: str, served: Tables) -> None:
    codes = [row["insee_com"] for row in served["cities"]]
    cities = pd.read_parquet(f"{address}/downloads/latest/cities.parquet")
    assert list(cities["insee_com"]) == codes
    assert any(code.startswith("0") for code in codes)
    read = pd.read_csv(f"{address}/downloads/latest/cities.csv", sep=";", dtype={"insee_com": str, "code_dept": str})
    assert list(read["insee_com"]) == codes
    pd.testing.assert_series_equal(read["population"], cities["population"])


def test_duckdb_reads_them_by_their_address(address: str, served: Tables) -> None:
    (httpfs,) = Path(duckdb_extension_httpfs.__file__).parent.rglob("*.duckdb_extension")
    with duckdb.connect() as connection:
        connection.execute(f"LOAD '{httpfs}'")
        for table in tables.SERVED:
            rows = connection.sql(f"SELECT count(*) FROM '{address}/downloads/latest/{table.name}.parquet'").fetchone()
            assert rows == (len(served[table.name]),)
        first = min(row["insee_com"] for row in served["cities"])
        for source in (f"'{address}/downloads/latest/cities.parquet'", f"read_csv('{address}/downloads/1/cities.csv')"):
            assert connection.sql(f"SELECT min(insee_com) FROM {source}").fetchone() == (first,)


def test_what_is_read_is_what_is_served(client: TestClient, served: Tables) -> None:
    for table in tables.SERVED:
        found = pq.read_table(io.BytesIO(client.get(f"/downloads/latest/{table.name}.parquet").content)).to_pylist()
        names = [column.name for column in tables.contents_columns(table)]
        expected = [{name: row[name] for name in names} for row in served[table.name]]
        if table.name == "regions_tensions_criterions":
            found = [{"json": json.loads(row["json"])} for row in found]
        key = table.info["key"] if set(table.info["key"]) <= set(names) else names[:1]
        assert sorted(found, key=lambda row: str([row[k] for k in key])) == sorted(
            expected, key=lambda row: str([row[k] for k in key])
        )


def test_the_dictionary_has_every_column_with_its_share_of_nulls(client: TestClient, served: Tables) -> None:
    page = client.get("/dictionary").text
    for table in tables.SERVED:
        assert f'<h2 id="{table.name}">' in page
        for column in tables.contents_columns(table):
            assert f"<td>{column.name}</td>" in page
    empty = sum(row["rent_t2"] is None for row in served["cities"]) / len(served["cities"])
    cells = re.search(r"<td>rent_t2</td>(.*?)</tr>", page)
    assert cells
    assert re.findall("<td.*?>(.*?)</td>", cells[1])[1:4] == ["nombre", "EUR per month", "city_rents.rent_t2"]
    assert cells[1].endswith(f"<td>{empty:.0%}</td>")
    assert "Licence Ouverte 2.0" in page
    assert "inventées" in page
    assert client.get("/api/dictionary").text.replace('"../', '"./') == page


def test_no_licence_is_claimed_for_the_offers(client: TestClient) -> None:
    """Nobody states one. Without an entry of its own a table would have those of the whole package."""
    unstated = "licence non précisée"
    package = client.get("/downloads/latest/datapackage.json").json()
    of_offers = [file for file in package["resources"] if file["table"] in ("cities_jobs", "offers_history")]
    assert len(of_offers) == 4
    for file in of_offers:
        licences = {of["title"]: of["licence"] for of in file["sources"] if "datalake" in of["title"]}
        assert set(licences.values()) == {unstated}
        assert unstated in [licence["title"] for licence in file["licenses"]]
    listed = client.get("/downloads").json()["sources"]
    assert {of["licence"] for of in listed if "datalake" in of["title"]} == {unstated}
    assert unstated in client.get("/dictionary").text


def test_what_is_english_in_the_dictionary_is_said_to_be(client: TestClient) -> None:
    """A screen reader reads each word in its language."""
    page = client.get("/dictionary").text
    english = {html.unescape(text) for text in re.findall('lang="en">(.*?)</', page)}
    for table in tables.SERVED:
        columns = tables.contents_columns(table)
        words = {text for column in columns for text in (column.comment, column.info.get("unit")) if text}
        assert words | {f"{table.comment}."} <= english
    assert "sont en anglais" in page


def test_the_dictionary_is_readable_in_a_browser(address: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{address}/dictionary")
    assert page.get_by_role("heading", name="cities", exact=True).is_visible()
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTEFACTS / "dictionary.png")
    page.get_by_role("link", name="Description pour les").click()
    assert said == []
    context.close()
    with urllib.request.urlopen(f"{address}/downloads/latest/datapackage.json") as package:
        assert json.load(package)["version"] == "1"
