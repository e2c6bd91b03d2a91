"""Small releases in which everything says which release it is of."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from tests.warehouse.factories import contents, done
from warehouse import tables


def publish_release(engine: Engine, folder: Path, number: int, only: set[str] | None = None) -> None:
    """Publish such a release; `only`: the tables that are published."""
    parts = folder / "parts"
    parts.mkdir(exist_ok=True)
    cities: list[dict[str, Any]] = [
        {"insee_com": f"{n:05}", "nom_comm": f"CITY-{n}", "new_code_region": 53, "total_social_housing": number}
        | {"population": float(n), "geo_point_2d_x": 48.0, "geo_point_2d_y": 2.0}
        for n in range(1001, 1041)
    ]
    insees = [city["insee_com"] for city in cities]
    rows: dict[str, list[dict[str, Any]]] = {
        "cities": cities,
        "tensions": [{"rome": "A1101", "rome_label": f"R{number}", "bassin_id": 101, "ind_t": 1}],
        "cities_jobs": [{"insee_code": insee, "rome_id": "A1101", "number": number} for insee in insees],
        "new_regions": [{"code": 53, "name": f"R{number}"}],
        "regions_tensions_criterions": [{"json": f'[{{"id": "{number}", "label": "x", "romes": {{}}}}]'}],
        "romeogrs": [{"code_rome": "A1101", "code_ogr": 1, "ogr_label": f"title {number}"}],
    }
    if number == 1:  # the same in every release
        rows["bassins"] = [{"code_commune_insee": insee, "bassin_id": 101} for insee in insees]
        rows |= {name: [] for name in ("equipments", "departements", "helps", "rome_codes")}
    done(engine, *(contents(parts, tables.metadata.tables[n], r) for n, r in rows.items() if only is None or n in only))


def looks() -> dict[tuple[str, str, str], Callable[[Any], set[str]]]:
    """Requests, and what in their answers says which release it is of."""
    search = '{"codeRome": ["A1101"]}'
    return {
        ("POST", "/cities/search", search): lambda a: {
            text
            for c in a["list"]
            for text in (str(c["total_social_housing"]), str(c["citiesJobs.number"]), c["newRegion.name"][1:])
        },
        ("GET", "/cities/criterions", ""): lambda a: {a["regions"][0]["id"], a["codeRomes"][0]["label"][1:]},
        ("GET", "/cities/load/01001", ""): lambda a: {str(a["total_social_housing"]), a["newRegion"]["name"][1:]},
        ("GET", "/ogrs", ""): lambda a: {a[0]["ogrLabel"].split()[1]},
        ("POST", "/cities/search-by-skill", '{"label": "titl"}'): lambda a: {a[0]["label"].split()[1]},
        ("GET", "/release", ""): lambda a: {str(a["id"])},
    }
