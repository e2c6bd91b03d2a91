"""Facilities of Paris, Lyon and Marseille: the sum of their districts'."""

import pandas as pd

from assets.common.expectations import Expectation, in_set
from assets.common.geography import check_cities
from assets.common.staging_asset import Import, staging_asset
from resources.sources.geography import among
from warehouse import tables
from warehouse.geography import CITIES_OF_DISTRICTS, CITY_OF_DISTRICT


def sum_of_districts(equipments: pd.DataFrame) -> pd.DataFrame:
    """Facilities (depcom, typequ, total) of 75056, 69123 and 13055 by both: the sum over their districts of each type
    of which the city itself has none.
    """
    own = equipments[equipments["depcom"].isin(list(CITIES_OF_DISTRICTS))]
    districts = equipments[among(equipments["depcom"], CITY_OF_DISTRICT)]
    of_cities = districts.assign(depcom=districts["depcom"].map(CITY_OF_DISTRICT))
    made = of_cities.groupby(["depcom", "typequ"])["total"].sum()
    return made.drop(own.set_index(["depcom", "typequ"]).index, errors="ignore").reset_index()


def expected(cities: pd.DataFrame) -> list[Expectation]:
    """The three are among the communes."""
    return [in_set("the commune is in cities", "depcom", cities["insee_com"], error=False)]


@staging_asset(tables.equipments, group="life", expect=expected, priority=1)
def equipments_special(equipments: pd.DataFrame) -> Import:
    """Facilities of Paris, Lyon and Marseille per type, summed over their districts.

    Raises ValidationError when a city has fewer facilities, or types of them, than one of its districts.
    """
    made = sum_of_districts(equipments)
    by_commune = pd.concat([equipments, made]).groupby("depcom")["total"]
    check_cities(by_commune.size(), "types of facilities")
    check_cities(by_commune.sum(), "facilities")
    return Import(made)
