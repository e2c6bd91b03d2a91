import io
import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from assets.common import plots as pictures
from warehouse.criteria import CRITERIA

MOST_BYTES = 60_000
N = 35_000


def frames() -> dict[pictures.Picture, pd.DataFrame]:
    """Tables of the size of the real ones."""
    rng = np.random.default_rng(1)
    cities = pd.DataFrame(
        {
            "new_code_region": pd.array(rng.choice([11, 24, 27, 28, 32, 44, 52, 53, 75, 76, 84, 93, 94], N), "Int64"),
            "z_moyen": pd.array(rng.integers(0, 2500, N), "Int64"),
            "distance_from_sea": pd.array(rng.integers(0, 500, N), "Int64"),
            "geo_point_2d_x": rng.uniform(42, 51, N),
            "geo_point_2d_y": rng.uniform(-5, 9, N),
        }
    )
    tensions = pd.DataFrame(
        {
            "rome": [f"A{n % 500:04}" for n in range(N)],
            "lib_rome": [f"Métier {n % 500} au nom plus long que la place qu'il y a sur la figure" for n in range(N)],
            "ind_t": pd.array(rng.integers(1, 6, N), "Int64"),
        }
    )
    keys = [criterion.key for criterion in CRITERIA]
    romes = {f"A{n:04}": {"criterions": keys[: n % 7]} for n in range(300)}
    regions = json.dumps([{"id": "1", "label": f"Région {n}", "romes": romes} for n in range(18)])
    facilities = pd.DataFrame({"typequ": [f"A{n % 180:03}" for n in range(N)], "total": rng.integers(1, 9, N)})
    codes = pd.DataFrame({"code": [f"{n:05}" for n in range(N)], "name": "Nom"})
    codes["current_code"] = [f"{n - n % 3:05}" for n in range(N)]
    weeks = pd.DataFrame({"week": [date(2021, 12, 6), date(2021, 12, 13)]})
    pairs = pd.DataFrame({"code_region": [11, 84], "rome_id": ["A1101", "N4101"]})
    history = weeks.merge(pairs, "cross").assign(number=pd.array([3, 5, 8, 1], "Int64"))
    return {
        pictures.map_of_communes: cities,
        pictures.bars_of_tensions: tensions,
        pictures.heat_of_criteria: pd.DataFrame({"json": [regions]}),
        pictures.bars_of_facilities: facilities,
        pictures.bars_of_communes: codes,
        pictures.lines_of_offers: history,
    }


def test_every_picture_is_drawn_here() -> None:
    assert set(frames()) == set(pictures.PICTURES.values())


@pytest.mark.parametrize(("picture", "frame"), frames().items(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_picture_is_a_small_png_that_shows_something(picture: pictures.Picture, frame: pd.DataFrame) -> None:
    image = pictures.png(picture, frame)
    assert len(image) < (MOST_BYTES if picture is not pictures.map_of_communes else 3 * MOST_BYTES)  # noise packs badly
    drawn = Image.open(io.BytesIO(image)).convert("L")
    assert drawn.width > 400
    assert np.asarray(drawn).std() > 10


def test_columns_that_nothing_fills_leave_their_panel_empty() -> None:
    cities = frames()[pictures.map_of_communes].assign(distance_from_sea=pd.array([None] * N, "Int64"))
    assert pictures.png(pictures.map_of_communes, cities)


@pytest.mark.parametrize("picture", frames().keys() - {pictures.heat_of_criteria})  # of one row always
def test_a_table_without_rows_has_a_picture_too(picture: pictures.Picture) -> None:
    assert pictures.png(picture, frames()[picture].head(0))
