"""Mean temperatures of Météo-France's stations, from their climate sheets."""

import re
from collections.abc import Mapping

import pandas as pd

from resources.raw_data import numbers

TITLE = "Température moyenne"
MONTHS = 12


def mean_temperature(sheet: str) -> float | None:
    """The mean of the twelve monthly mean temperatures of a climate sheet (deg C); None where it has none.

    The values are on the first line of numbers under the title: an empty field, January to December, the year.
    """
    lines = sheet.splitlines()
    titles = [i for i, line in enumerate(lines) if TITLE in line]
    for line in lines[titles[0] + 1 : titles[0] + 4] if titles else []:
        fields = [field.strip().replace(",", ".") for field in line.split(";")]
        months = [float(field) for field in fields[1 : 1 + MONTHS] if re.fullmatch(r"-?\d+(\.\d+)?", field)]
        if len(months) == MONTHS:
            return sum(months) / MONTHS
    return None


def stations_with_temperature(stations: pd.DataFrame, sheets: Mapping[str, str]) -> pd.DataFrame:
    """Stations (station, latitude, longitude, temperature in deg C) that have a sheet with temperatures.

    `stations`: as the list has them, decimal commas, numbers of seven characters that lost their zero; `sheets`: the
    text of the sheet by station number (eight digits).
    """
    number = stations["station"].str.zfill(8)
    means = pd.Series({name: mean_temperature(sheet) for name, sheet in sheets.items()}, dtype="float64")
    placed = pd.DataFrame(
        {
            "station": number,
            "latitude": numbers(stations["latitude"]),
            "longitude": numbers(stations["longitude"]),
            "temperature": number.map(means),
        }
    )
    return placed.dropna().reset_index(drop=True)
