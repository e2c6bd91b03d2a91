"""Mean temperatures of Météo-France's stations, from their climate sheets."""

import re
from collections.abc import Mapping

import pandas as pd

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


def stations_with_temperature(stations: pd.DataFrame, means: Mapping[str, float | None]) -> pd.DataFrame:
    """The stations (latitude, longitude), each with the name of its sheet and its temperature (deg C; NA without one).

    `stations`: numbers of seven characters lost their zero; `means`: the mean temperature by the sheet's file name.
    """
    sheet = "FICHECLIM_" + stations["station"].str.zfill(8) + ".data"
    found = sheet.map(pd.Series(means, dtype="float64"))
    return stations[["latitude", "longitude"]].assign(sheet=sheet, temperature=found)
