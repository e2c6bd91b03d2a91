"""Communes of France, with what life is like there: sea, mountain, weather, housing."""

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from assets.expectations import Expectation, known, some_rows
from assets.geography import nearest
from assets.staged import staged
from assets.weather import stations_with_temperature
from resources.raw_data import RawData, numbers, whole_numbers
from resources.raw_files import SourceError
from resources.store import Entry
from warehouse import tables
from warehouse.tables import CITIES_OF_DISTRICTS

WHOLE_CITIES = {"75056": ("PARIS", 2161.0), "69123": ("LYON", 513.2), "13055": ("MARSEILLE", 861.6)}
"""Name and population (thousands, INSEE) of the cities that the communes file has by their districts only."""

FIRST_DISTRICTS = {"75056": "75101", "69123": "69381", "13055": "13201"}


def communes_of_2015(raw: pd.DataFrame, old_regions: pd.DataFrame) -> pd.DataFrame:
    """The 2015 export as columns of `cities`; regions before 2016 become those since.

    `geo_point_2d` is "lat, lon"; population is in thousands, area in hectares, altitude in metres.
    """
    point = raw["geo_point_2d"].str.split(",", n=1, expand=True).reindex(columns=[0, 1]).astype("str")
    point = point.apply(lambda part: part.str.strip())
    point.attrs = raw.attrs
    new_codes = old_regions.set_index(old_regions["former_code"].str.zfill(2))["new_code"]
    same = ["nom_dept", "statut", "nom_region", "postal_code", "id_geofla", "code_comm", "code_cant", "code_arr"]
    return raw[same].assign(
        insee_com=raw["insee_com"].str.zfill(5),
        code_dept=raw["code_dept"].str.zfill(2),
        nom_comm=raw["nom_comm"],
        new_code_region=raw["old_region"].str.zfill(2).map(new_codes),
        z_moyen=whole_numbers(raw["z_moyen"]),
        superficie=whole_numbers(raw["superficie"]),
        population=numbers(raw["population"]),
        geo_point_2d_x=numbers(point[0].rename("geo_point_2d")),
        geo_point_2d_y=numbers(point[1].rename("geo_point_2d")),
        total_social_housing=whole_numbers(raw["total_social_housing"]),
    )


def communes_of_2025(raw: pd.DataFrame) -> pd.DataFrame:
    """communes-france-2025 as columns of `cities`: regions are those since 2016, population is in persons.

    Where the centre has no coordinates (Paris, Lyon, Marseille), those of the town hall stand for it.
    """
    latitude, longitude = (
        numbers(raw[name]).fillna(numbers(raw[f"{name}_mairie"])) for name in ("latitude", "longitude")
    )
    return raw[["nom_dept", "statut", "code_cant"]].assign(
        insee_com=raw["insee_com"].str.zfill(5),
        code_dept=raw["code_dept"].str.zfill(2),
        code_comm=raw["insee_com"].str.zfill(5).str[2:],
        nom_comm=raw["nom_comm"].map(_in_capitals),
        postal_code=raw["postal_code"].str.replace(r"\s*,\s*", "/", regex=True),
        new_code_region=whole_numbers(raw["new_region"]),
        z_moyen=whole_numbers(raw["z_moyen"]),
        superficie=whole_numbers(raw["superficie"]),
        population=numbers(raw["persons"]) / 1000,
        geo_point_2d_x=latitude,
        geo_point_2d_y=longitude,
    )


def _in_capitals(name: str) -> str:
    """As the 2015 export writes names: capitals, no accents."""
    spelt = name.replace("œ", "oe").replace("Œ", "OE").replace("’", "'")
    return "".join(c for c in unicodedata.normalize("NFD", spelt) if not unicodedata.combining(c)).upper()


def city_of(insee: pd.Series) -> pd.Series:
    """The city (75056, 69123, 13055) of which each commune is a district; NA for what is none."""
    city = pd.Series(pd.NA, index=insee.index, dtype="str")
    for code, districts in CITIES_OF_DISTRICTS.items():
        city = city.mask(insee.str.startswith(districts) & (insee != code), code)
    return city


def with_whole_cities(communes: pd.DataFrame) -> pd.DataFrame:
    """Add PARIS, LYON and MARSEILLE where only their districts are there, and give districts their city's population.

    What the city has is what its first district has, save its code, name and population.
    """
    firsts = {first: city for city, first in FIRST_DISTRICTS.items() if city not in set(communes["insee_com"])}
    added = communes[communes["insee_com"].isin(list(firsts))]
    added = added.assign(insee_com=added["insee_com"].map(firsts))
    added = added.assign(
        nom_comm=added["insee_com"].map(lambda code: WHOLE_CITIES[code][0]),
        population=added["insee_com"].map(lambda code: WHOLE_CITIES[code][1]),
    )
    cities = pd.concat([communes, added]) if len(added) else communes
    whole = cities[cities["insee_com"].isin(list(WHOLE_CITIES))].set_index("insee_com")["population"]
    population = city_of(cities["insee_com"]).map(whole).astype("float64").fillna(cities["population"])
    return cities.assign(population=population).sort_values("insee_com", ignore_index=True)


def with_city_rents(cities: pd.DataFrame, rents: pd.DataFrame | None) -> pd.DataFrame:
    """Rents of two and four rooms (EUR per month) by name: capitals, `-` read as a space.

    A district takes its city's rent; a name that several communes have goes to the most populous one only.
    """
    if rents is None:
        return cities.assign(rent_t2=None, rent_t4=None)
    city = city_of(cities["insee_com"])
    whole = cities.assign(key=cities["nom_comm"].map(_rent_key))[city.isna()]
    largest = whole.sort_values(["population", "insee_com"], ascending=[False, True]).drop_duplicates("key")
    code_of = largest.set_index("key")["insee_com"]
    rents = rents.assign(insee_com=rents["city"].map(_rent_key).map(code_of)).dropna(subset="insee_com")
    rents = rents.drop_duplicates("insee_com").set_index("insee_com")
    code = city.fillna(cities["insee_com"])
    return cities.assign(**{name: code.map(numbers(rents[name])) for name in ("rent_t2", "rent_t4")})


def _rent_key(name: str) -> str:
    return _in_capitals(name).replace("-", " ").strip()


def with_value_per_commune(
    cities: pd.DataFrame, column: str, values: pd.Series | None, *, whole: bool = False
) -> pd.DataFrame:
    """A column from a file's values by INSEE code (which may have lost its zero): 0 where the file has none.

    PARIS, LYON and MARSEILLE take their own value where the file has one, their first district's where not. No file
    at all (None): NULL.
    """
    if values is None:
        return cities.assign(**{column: None})
    values = values.dropna()
    values.index = values.index.str.zfill(5)
    values = values[~values.index.duplicated()]
    code = cities["insee_com"]
    own = code.map(values)
    found = own.fillna(code.replace(FIRST_DISTRICTS).map(values)).fillna(0)
    return cities.assign(**{column: found.round().astype("Int64") if whole else found.astype("float64")})


def with_distance_from_sea(cities: pd.DataFrame, outline: pd.DataFrame | None) -> pd.DataFrame:
    """Great-circle distance (whole km) to the nearest vertex (latitude, longitude) of the sea-side outline."""
    if outline is None:
        return cities.assign(distance_from_sea=None)
    distance, _ = nearest(_places(cities), outline)
    return cities.assign(distance_from_sea=pd.Series(distance, cities.index).round().astype("Int64"))


def with_temperature(cities: pd.DataFrame, stations: pd.DataFrame | None) -> pd.DataFrame:
    """Mean temperature (deg C) of the nearest of the stations (latitude, longitude, temperature)."""
    if stations is None or stations.empty:
        return cities.assign(average_temperature=None)
    _, position = nearest(_places(cities), stations)
    temperature = stations["temperature"].reindex(position).to_numpy()
    return cities.assign(average_temperature=pd.Series(temperature, cities.index).round(2))


def _places(cities: pd.DataFrame) -> pd.DataFrame:
    return cities[["geo_point_2d_x", "geo_point_2d_y"]].set_axis(["latitude", "longitude"], axis=1)


def vertices(outline: Any, file: str) -> pd.DataFrame:
    """Every vertex (latitude, longitude, degrees) of a GeoJSON feature collection, which has longitude first."""

    def positions(coordinates: Any) -> Iterator[tuple[float, float]]:
        if coordinates and isinstance(coordinates[0], int | float):
            yield float(coordinates[1]), float(coordinates[0])
            return
        for part in coordinates:
            yield from positions(part)

    try:
        found = [p for feature in outline["features"] for p in positions(feature["geometry"]["coordinates"])]
    except (KeyError, TypeError, IndexError) as error:
        raise SourceError(f"{file}: expected a GeoJSON FeatureCollection. Fetch it again") from error
    return pd.DataFrame(found, columns=["latitude", "longitude"])


def _communes(raw_data: RawData, old_regions: pd.DataFrame) -> pd.DataFrame:
    raw = raw_data.table("communes")
    return communes_of_2025(raw) if "new_region" in raw.columns else communes_of_2015(raw, old_regions)


def _values(raw_data: RawData, source: str, column: str) -> pd.Series | None:
    """Numbers by INSEE code from an optional source, `NA` read as none; None without the source."""
    if not raw_data.has(source):
        return None
    raw = raw_data.records(source, "zonageCommunes") if source == "housing_zones" else raw_data.table(source)
    text = raw[column]
    if not pd.api.types.is_numeric_dtype(text.dtype):
        text = text.mask(text == "NA")
    values = numbers(text)
    return values.set_axis(raw["insee_com"])


def _stations(raw_data: RawData) -> pd.DataFrame | None:
    sheets = raw_data.texts("weather_sheets")
    if not sheets or not raw_data.has("weather_stations"):
        return None
    by_station = {name.removeprefix("FICHECLIM_").removesuffix(".data"): sheet for name, sheet in sheets.items()}
    return stations_with_temperature(raw_data.table("weather_stations"), by_station)


def with_descriptions(cities: pd.DataFrame, described: Mapping[str, Entry]) -> pd.DataFrame:
    """Description, photo and their attribution, by INSEE code, as Wikipedia had them; NULL where it had none."""
    columns = {
        "description": "description",
        "photo": "photo",
        "description_url": "url",
        "description_revision": "revision",
        "description_licence": "licence",
        "photo_page": "photo_page",
    }
    found = cities["insee_com"].map(lambda code: described.get(code, {}))
    values = {name: found.map(lambda entry, key=key: entry.get(key)).astype("object") for name, key in columns.items()}
    values["description_revision"] = values["description_revision"].astype("Int64")
    return cities.assign(**values)


def expected(new_regions: pd.DataFrame, departements: pd.DataFrame) -> list[Expectation]:
    """Every commune lies in a region and a department that are there."""
    return [
        some_rows(),
        known("the region is in new_regions", "new_code_region", new_regions["code"], error=True),
        known("the department is in departements", "code_dept", departements["code"], error=True),
    ]


@staged(
    tables.cities,
    sources=[
        "communes",
        "city_rents",
        "coastline",
        "weather_stations",
        "weather_sheets",
        "house_prices",
        "house_rents",
        "housing_zones",
        "city_descriptions",
    ],
    group="territory",
    expect=expected,
)
def cities(raw_data: RawData, old_regions: pd.DataFrame) -> pd.DataFrame:
    """Communes and districts, and PARIS, LYON and MARSEILLE made from theirs: where, how high, how large, how far from
    the sea, how warm, what housing costs, and what Wikipedia says of them.
    """
    rents = raw_data.table("city_rents") if raw_data.has("city_rents") else None
    outline = vertices(raw_data.document("coastline"), "coastline") if raw_data.has("coastline") else None
    found = with_whole_cities(_communes(raw_data, old_regions))
    found = with_city_rents(found, rents)
    found = with_distance_from_sea(found, outline)
    found = with_temperature(found, _stations(raw_data))
    found = with_value_per_commune(found, "average_houseselled", _values(raw_data, "house_prices", "price"))
    found = with_value_per_commune(found, "average_houserent", _values(raw_data, "house_rents", "rent"))
    zones = _values(raw_data, "housing_zones", "frais")
    found = with_value_per_commune(found, "city_house_tension", zones, whole=True)
    return with_descriptions(found, raw_data.entries("city_descriptions"))
