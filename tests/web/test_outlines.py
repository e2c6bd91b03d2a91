"""The outlines of the basins, beside where the warehouse says that its cities are."""

import csv
import gzip
import json
from collections import defaultdict
from itertools import accumulate

import pytest
from matplotlib.path import Path as Outline
from sqlalchemy import create_engine, text

from tests.conftest import ROOT

FILE = ROOT / "web" / "page" / "basins.json"
MOST_BYTES = 90_000
NEAR_DEGREES = [step / 100 for step in range(-3, 4)]
"""What simplifying and rounding may move a coast by: 3 km each way."""
Piece = tuple[int, str, int]
"""Codes of a basin, a department and a region."""
OF_CITIES = """
    SELECT insee_com, name, code_dept, new_code_region, geo_point_2d_y, geo_point_2d_x
    FROM cities WHERE geo_point_2d_y IS NOT NULL
"""


def is_within(ring: Outline, x: float, y: float) -> bool:
    """Whether the point is in the ring, or hardly outside."""
    around = [(x + east, y + north) for east in NEAR_DEGREES for north in NEAR_DEGREES]
    return bool(ring.contains_points(around).any())


@pytest.fixture(scope="module")
def outlines() -> dict[Piece, list[Outline]]:
    """The outer rings of each piece, read as TopoJSON says."""
    topology = json.loads(FILE.read_text(encoding="utf-8"))
    scale, start = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = [
        [
            (x * scale[0] + start[0], y * scale[1] + start[1])
            for x, y in accumulate(arc, lambda at, by: (at[0] + by[0], at[1] + by[1]))
        ]
        for arc in topology["arcs"]
    ]
    rings = defaultdict(list)
    for piece in topology["objects"]["pieces"]["geometries"]:
        if piece["type"] == "MultiPolygon":
            key = tuple(piece["properties"][name] for name in ("basin", "departement", "region"))
            for outer, *_ in piece["arcs"]:
                points = [point for arc in outer for point in (arcs[arc] if arc >= 0 else arcs[~arc][::-1])]
                rings[key].append(Outline(points))
    return rings


def test_every_city_is_in_its_department_and_basin(warehouse: str, outlines: dict[Piece, list[Outline]]) -> None:
    engine = create_engine(warehouse)
    with engine.connect() as connection:
        cities = [tuple(row) for row in connection.execute(text(OF_CITIES))]
    engine.dispose()
    with (ROOT / "raw_data" / "sample" / "lexique-bassins.csv").open(encoding="utf-8-sig", newline="") as file:
        lexicon = {row["CODE_COMMUNE_INSEE"]: int(row["BE19"]) for row in csv.DictReader(file)}
    real = {basin for basin, _, _ in outlines}  # most basins of the sample are invented
    basin_of = {insee: basin for insee, basin in lexicon.items() if basin in real}
    assert len(basin_of) > 20
    outside = []
    for insee, name, *where, longitude, latitude in cities:
        own = [
            ring
            for (basin, *others), rings in outlines.items()
            if others == where and basin_of.get(insee, basin) == basin
            for ring in rings
        ]
        if not any(is_within(ring, longitude, latitude) for ring in own):
            outside.append(name)
    assert outside == ["Île-d'Aix", "Île-de-Sein"]  # 1 km2 and less: they are not drawn
    for (basin, departement, _), rings in outlines.items():
        others = [city for city in cities if basin_of.get(city[0], basin) != basin or city[2] != departement]
        inside = sum(ring.contains_points([city[4:] for city in others]).sum() for ring in rings)
        assert inside <= len(others) / 100, f"{inside} cities of elsewhere are in {basin}, {departement}"


def test_the_outlines_are_light() -> None:
    assert len(gzip.compress(FILE.read_bytes())) < MOST_BYTES
