"""The outlines of the regions, beside where the warehouse says that its cities are."""

import json

import pytest
from matplotlib.path import Path as Outline
from sqlalchemy import create_engine, select

from tests.conftest import ROOT
from warehouse.tables import cities

NEAR_DEGREES = [step / 100 for step in range(-3, 4)]
"""What simplifying and rounding may move a coast by: 3 km each way."""


def is_within(ring: Outline, x: float, y: float) -> bool:
    """Whether the point is in the ring, or hardly outside."""
    around = [(x + east, y + north) for east in NEAR_DEGREES for north in NEAR_DEGREES]
    return bool(ring.contains_points(around).any())


@pytest.fixture(scope="module")
def outlines() -> dict[int, list[Outline]]:
    """The outer rings of each region, by code."""
    features = json.loads((ROOT / "web" / "page" / "regions.json").read_text(encoding="utf-8"))["features"]
    return {
        feature["properties"]["code"]: [Outline(polygon[0]) for polygon in feature["geometry"]["coordinates"]]
        for feature in features
    }


def test_every_city_is_in_its_region_and_no_other(warehouse: str, outlines: dict[int, list[Outline]]) -> None:
    engine = create_engine(warehouse)
    columns = (cities.c.nom_comm, cities.c.new_code_region, cities.c.geo_point_2d_y, cities.c.geo_point_2d_x)
    with engine.connect() as connection:
        known = connection.execute(select(*columns).where(cities.c.geo_point_2d_y.is_not(None))).all()
    engine.dispose()
    assert {city.new_code_region for city in known} == outlines.keys()
    outside = [
        name
        for name, region, longitude, latitude in known
        if not any(is_within(ring, longitude, latitude) for ring in outlines[region])
    ]
    assert outside == ["ILE-D'AIX", "ILE-DE-SEIN"]  # 1 km2 and less: they are not drawn
    for region, rings in outlines.items():
        others = [city for city in known if city.new_code_region != region]
        points = [(longitude, latitude) for _, _, longitude, latitude in others]
        inside = sum(ring.contains_points(points).sum() for ring in rings)
        assert inside <= len(others) / 100, f"{inside} cities of other regions are in region {region}"
