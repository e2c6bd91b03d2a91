"""Distances on the sphere, and what holds of cities and their districts."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from resources.errors import ValidationError
from warehouse.geography import CITY_OF_DISTRICT, EARTH_RADIUS_KM

Floats = NDArray[np.float64]


def nearest(points: pd.DataFrame, targets: pd.DataFrame) -> tuple[Floats, NDArray[np.int64]]:
    """For each point, the great-circle distance (km) to its nearest target, and that target's position.

    Both frames have columns latitude and longitude, in degrees. The nearest by chord is the nearest by great circle,
    so that a tree in three dimensions finds it. A point without coordinates has distance NaN and position -1.
    """
    known = points[["latitude", "longitude"]].notna().all(axis=1).to_numpy()
    distance, position = np.full(len(points), np.nan), np.full(len(points), -1)
    if known.any() and len(targets):
        chord, position[known] = cKDTree(_on_sphere(targets)).query(_on_sphere(points[known]))
        distance[known] = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2, 1))
    return distance, position


def check_cities(numbers: pd.Series, what: str) -> None:
    """Raise ValidationError when a district of Paris, Lyon or Marseille has more than its city.

    `numbers`: by INSEE code, NA is 0.
    """
    numbers = numbers.astype("float64").fillna(0)
    of_city = {code: numbers.get(CITY_OF_DISTRICT[code], 0) for code in numbers.index if code in CITY_OF_DISTRICT}
    more = [code for code, number in of_city.items() if numbers[code] > number]
    if more:
        code = more[0]
        raise ValidationError(
            f"{what}: {CITY_OF_DISTRICT[code]} has {of_city[code]:,.0f} and its district {code} {numbers[code]:,.0f}: "
            f"expected at least as many. {len(more)} districts are so; is the file whole?"
        )


def _on_sphere(points: pd.DataFrame) -> Floats:
    """Points of the unit sphere, three coordinates each."""
    latitude, longitude = np.radians(points[["latitude", "longitude"]].to_numpy("float64")).T
    return np.column_stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    )
