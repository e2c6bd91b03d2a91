"""What the scripts beside `mobiville refresh` share: their database, loading a file of rows, how far the sea is."""

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pymysql
from scipy.spatial import cKDTree

from warehouse.geography import EARTH_RADIUS_KM

Cursor = pymysql.cursors.Cursor


def connect() -> "pymysql.Connection[Cursor]":
    """The database of MOBIVILLE_WAREHOUSE_URL."""
    url = urlsplit(os.environ["MOBIVILLE_WAREHOUSE_URL"])
    return pymysql.connect(
        host=url.hostname or "127.0.0.1",
        port=url.port or 3306,
        user=unquote(url.username or ""),
        password=unquote(url.password or ""),
        database=url.path.lstrip("/"),
        local_infile=True,
    )


def load_file(cursor: Cursor, table: str, path: Path, columns: Iterable[str], form: str) -> None:
    """Load a file into a table. `form`: how its fields and lines end, in LOAD DATA's words."""
    names = ", ".join(f"`{column}`" for column in columns)
    cursor.execute(
        f"LOAD DATA LOCAL INFILE '{path.as_posix()}' INTO TABLE {table} CHARACTER SET utf8mb4 {form} ({names})"
    )
    cursor.connection.commit()


def distances_from_sea(outline: Path) -> Callable[[pa.Array, pa.Array], pa.Array]:
    """From latitudes and longitudes to great-circle distances to the outline's nearest vertex, whole km."""
    pairs = re.findall(r"\[\s*(-?[\d.]+),\s*(-?[\d.]+)\s*\]", outline.read_text("utf-8"))
    nearest = cKDTree(on_sphere(np.array(pairs, dtype="float64")[:, ::-1]))

    def distances(latitude: pa.Array, longitude: pa.Array) -> pa.Array:
        places = np.column_stack([latitude.to_numpy(False), longitude.to_numpy(False)])
        known = ~np.isnan(places).any(axis=1)
        chord = nearest.query(on_sphere(places[known]))[0]
        distance = np.full(len(places), np.nan)
        distance[known] = np.round(2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2, 1)))
        return pc.cast(pa.array(distance, from_pandas=True), pa.int64())

    return distances


def on_sphere(places: Any) -> Any:
    """Latitude and longitude (degrees) as points of the unit sphere."""
    latitude, longitude = np.radians(places).T
    return np.column_stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    )
