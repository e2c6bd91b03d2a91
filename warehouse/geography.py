"""Facts of geography that several rooms need."""

from typing import NamedTuple

EARTH_RADIUS_KM = 6371.0


class CityOfDistricts(NamedTuple):
    """A city whose districts (arrondissements) have INSEE codes of their own. Population: thousands, INSEE."""

    name: str
    population: float
    district_prefix: str
    first_district: str
    districts: int


CITIES_OF_DISTRICTS = {
    "75056": CityOfDistricts("PARIS", 2161.0, "751", "75101", 20),
    "69123": CityOfDistricts("LYON", 513.2, "6938", "69381", 9),
    "13055": CityOfDistricts("MARSEILLE", 861.6, "132", "13201", 16),
}
"""By the INSEE code of the whole commune. Many files have these cities by their districts only."""

DISTRICT_PREFIXES = {code: city.district_prefix for code, city in CITIES_OF_DISTRICTS.items()}
FIRST_DISTRICTS = {code: city.first_district for code, city in CITIES_OF_DISTRICTS.items()}
CITY_OF_DISTRICT = {
    str(int(city.first_district) + n): code for code, city in CITIES_OF_DISTRICTS.items() for n in range(city.districts)
}
"""The city of each of the 45 districts, by their INSEE codes: other codes begin like theirs (13200)."""

OVERSEAS_COLLECTIVITIES = ("975", "977", "978", "984", "986", "987", "988", "989")
"""Their department codes, in the COG: they are in no region."""
