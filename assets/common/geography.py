"""Distances on the sphere, what holds of cities and their districts, and of communes that became one."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from resources.errors import ValidationError
from resources.sources.geography import OF_FILE
from warehouse.geography import CITY_OF_DISTRICT, EARTH_RADIUS_KM

Floats = NDArray[np.float64]
POINT = ["geo_point_2d_x", "geo_point_2d_y"]
"""The columns of `cities` with latitude and longitude, degrees."""


def nearest(points: pd.DataFrame, targets: pd.DataFrame) -> tuple[Floats, NDArray[np.int64]]:
    """For each point, the great-circle distance (km) to its nearest target, and that target's position.

    Both frames have columns latitude and longitude, in degrees. The nearest by chord is the nearest by great circle,
    so that a tree in three dimensions finds it. A point without coordinates has distance NaN and position -1.
    """
    known = points[["latitude", "longitude"]].notna().all(axis=1).to_numpy()
    distance, position = np.full(len(points), np.nan), np.full(len(points), -1)
    if known.any() and len(targets):
        from scipy.spatial import cKDTree  # a third of a second, which whatever measures no distance does without

        chord, position[known] = cKDTree(_on_sphere(targets)).query(_on_sphere(points[known]))
        distance[known] = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2, 1))
    return distance, position


def places(cities: pd.DataFrame) -> pd.DataFrame:
    """The points of `cities` as columns latitude and longitude, degrees."""
    return cities[POINT].set_axis(["latitude", "longitude"], axis=1)


def city_of(insee: pd.Series) -> pd.Series:
    """The city (75056, 69123, 13055) of which each commune is a district; NA for what is none."""
    return insee.map(CITY_OF_DISTRICT).astype("str")


def stands_for(rows: pd.DataFrame, column: str, inhabitants: pd.Series) -> pd.Series:
    """Of the rows whose communes became one (`column` is today's code), whether it is the one that stands for it: that
    of the commune whose code it still has, else of the most populous. `inhabitants`: by the code in the file.
    """
    own = rows[f"{column}{OF_FILE}"]
    order = pd.DataFrame({"code": rows[column], "other": own != rows[column], "own": own})
    order["fewer"] = -own.map(inhabitants[~inhabitants.index.duplicated()]).astype("float64").fillna(0)
    repeated = order["code"].duplicated(keep=False)  # most stand alone
    first = order[repeated].sort_values(["code", "other", "fewer", "own"]).drop_duplicates("code").index
    stands: pd.Series = ~repeated | pd.Series(order.index.isin(first), order.index)
    return stands


def weighted_mean(groups: pd.Series, values: pd.Series, weights: pd.Series) -> pd.Series:
    """Of each group (NA is none) the mean of its values, weighted; a row without a value does not count. The plain mean
    where the weights are unknown or add up to nothing. The value itself, to the last bit, of a group that has one.
    """
    rows = pd.DataFrame({"group": groups, "value": values.astype("float64"), "weight": weights.astype("float64")})
    rows = rows.dropna(subset=["group", "value"]).fillna({"weight": 0}).reset_index(drop=True)
    alone = ~rows["group"].duplicated(keep=False)
    several = rows[~alone].assign(product=rows["value"] * rows["weight"]).groupby("group")
    sums = several[["product", "weight"]].sum()
    means = (sums["product"] / sums["weight"].where(sums["weight"] > 0)).fillna(several["value"].mean())
    found: pd.Series = pd.concat([rows[alone].set_index("group")["value"], means])
    return found


def check_cities(numbers: pd.Series, what: str) -> None:
    """Raise ValidationError when a district of Paris, Lyon or Marseille has more than its city.

    `numbers`: by INSEE code, NA is 0.
    """
    numbers = numbers.astype("float64").fillna(0)
    districts = numbers.index.intersection(list(CITY_OF_DISTRICT))
    of_city = {code: numbers.get(CITY_OF_DISTRICT[code], 0) for code in districts}
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
