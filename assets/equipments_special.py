"""Facilities of Paris, Lyon and Marseille: the sum of their districts'."""

import pandas as pd

from assets.common.staging_asset import Import, staging_asset
from warehouse import tables
from warehouse.geography import DISTRICT_PREFIXES


def sum_of_districts(equipments: pd.DataFrame, communes: pd.Series) -> pd.DataFrame:
    """Facilities (depcom, typequ, total) of 75056, 69123 and 13055, per type, by both.

    `communes`: the INSEE codes of the communes and districts that exist.
    """
    cities = {
        code: city
        for city, districts in DISTRICT_PREFIXES.items()
        for code in communes[communes.str.startswith(districts) & (communes != city)]
    }
    of_districts = equipments[equipments["depcom"].isin(list(cities))]
    of_cities = of_districts.assign(depcom=of_districts["depcom"].map(cities))
    return of_cities.groupby(["depcom", "typequ"])["total"].sum().reset_index()


@staging_asset(tables.equipments, group="life", expect=lambda: [])
def equipments_special(equipments: pd.DataFrame, cities: pd.DataFrame) -> Import:
    """Facilities of Paris, Lyon and Marseille per type, summed over their districts."""
    return Import(sum_of_districts(equipments, cities["insee_com"]))
