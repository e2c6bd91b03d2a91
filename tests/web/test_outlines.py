"""The outlines of the basins and of the communes, beside where the warehouse says that its cities are."""

import csv
import gzip
import json
from collections import defaultdict
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.path import Path as Outline
from sqlalchemy import create_engine, text

from tests.conftest import ROOT

FILE = ROOT / "web" / "page" / "basins.json"
COMMUNES = ROOT / "web" / "page" / "communes"
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


def is_at(ring: Outline, x: float, y: float) -> bool:
    """Whether the point is beside the ring, which may be smaller than the steps of `is_within`."""
    return bool((np.hypot(*(np.asarray(ring.vertices) - (x, y)).T) < NEAR_DEGREES[-1]).any())


def joined(arcs: list[Any], numbers: list[int]) -> list[tuple[float, float]]:
    """The points of a ring, whose arcs are told by number: ~n is the arc n from its end."""
    return [at for arc in numbers for at in (arcs[arc] if arc >= 0 else arcs[~arc][::-1])]


def read(file: Path, name: str) -> list[tuple[dict[str, Any], list[Outline]]]:
    """The shapes of an object of a topology, each with its outer rings, read as TopoJSON says."""
    topology = json.loads(file.read_text(encoding="utf-8"))
    scale, start = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = [
        [
            (x * scale[0] + start[0], y * scale[1] + start[1])
            for x, y in accumulate(arc, lambda at, by: (at[0] + by[0], at[1] + by[1]))
        ]
        for arc in topology["arcs"]
    ]
    found = []
    for shape in topology["objects"][name]["geometries"]:
        if shape["type"] == "MultiPolygon":
            found.append((shape, [Outline(joined(arcs, outer)) for outer, *_ in shape["arcs"]]))
    return found


@pytest.fixture(scope="module")
def outlines() -> dict[Piece, list[Outline]]:
    """The outer rings of each piece."""
    rings: dict[Piece, list[Outline]] = defaultdict(list)
    for piece, of_piece in read(FILE, "pieces"):
        rings[tuple(piece["properties"][name] for name in ("basin", "departement", "region"))] += of_piece
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


def test_every_city_lies_in_its_own_outline(warehouse: str) -> None:
    engine = create_engine(warehouse)
    with engine.connect() as connection:
        cities = [tuple(row) for row in connection.execute(text(OF_CITIES))]
    engine.dispose()
    shapes = {
        shape["id"]: rings
        for departement in sorted({city[2] for city in cities})
        for shape, rings in read(COMMUNES / f"{departement}.json", "communes")
    }
    known = [city for city in cities if city[0] in shapes]
    without = {city[1] for city in cities} - {city[1] for city in known}
    assert all("Arrondissement" in name for name in without), without
    assert len(known) > 300
    outside = [
        name
        for insee, name, *_, longitude, latitude in known
        if not any(is_within(ring, longitude, latitude) or is_at(ring, longitude, latitude) for ring in shapes[insee])
    ]
    assert outside == []


def test_the_outlines_of_a_department_are_light() -> None:
    assert {path.stem for path in COMMUNES.iterdir()} >= {"01", "2A", "2B", "95", "971", "976"}
    assert max(len(gzip.compress(path.read_bytes())) for path in COMMUNES.iterdir()) < MOST_BYTES / 2
