import math

import numpy as np
import pandas as pd
import pytest

from assets.common.geography import nearest, stands_for, weighted_mean
from warehouse.geography import EARTH_RADIUS_KM

PLACES = pd.DataFrame(
    {"latitude": [48.8566, 43.2965, -20.88, 48.39], "longitude": [2.3522, 5.3698, 55.45, -4.49]},
    index=["Paris", "Marseille", "Saint-Denis", "Brest"],
)
SHORES = pd.DataFrame({"latitude": [49.49, 43.29, -20.87], "longitude": [0.1, 5.35, 55.44]})


def great_circle(a: pd.Series, b: pd.Series) -> float:
    """The haversine formula, on its own: the tree in three dimensions has to agree with it."""
    lat1, lon1, lat2, lon2 = map(math.radians, (a["latitude"], a["longitude"], b["latitude"], b["longitude"]))
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(h))


def test_nearest_agrees_with_haversine_over_every_pair() -> None:
    distance, position = nearest(PLACES, SHORES)
    for i, (_, place) in enumerate(PLACES.iterrows()):
        each = [great_circle(place, shore) for _, shore in SHORES.iterrows()]
        assert position[i] == int(np.argmin(each))
        assert distance[i] == pytest.approx(min(each), abs=1e-6)


def test_a_place_without_coordinates_has_no_distance() -> None:
    places = PLACES.copy()
    places.loc["Paris", "longitude"] = None
    distance, position = nearest(places, SHORES)
    assert np.isnan(distance[0])
    assert position[0] == -1
    assert not np.isnan(distance[1:]).any()


def test_a_mean_is_weighted_plain_without_weights_and_the_value_itself_where_it_is_alone() -> None:
    means = weighted_mean(
        pd.Series(["a", "a", "a", "b", "b", "c", "d", "d", None], dtype="str"),
        pd.Series([10.0, 20.0, None, 1.0, 2.0, 0.1, 3.0, 5.0, 9.0]),
        pd.Series([3.0, 1.0, 50.0, 0.0, None, 0.3, 0.0, 2.0, 1.0]),
    )
    assert means.to_dict() == {"a": 12.5, "b": 1.5, "c": 0.1, "d": 5.0}


def test_of_communes_that_became_one_that_of_its_code_stands_for_it_else_the_most_populous() -> None:
    rows = pd.DataFrame(
        {"insee_com": ["1", "1", "2", "2", "3"], "insee_com_of_file": ["9", "1", "7", "8", "6"]},
        index=[10, 11, 12, 13, 14],
    )
    inhabitants = pd.Series([90.0, 1.0, 1.0, 5.0], index=["9", "1", "7", "8"])
    stands = stands_for(rows, "insee_com", inhabitants)
    assert stands.index[stands].tolist() == [11, 13, 14]
