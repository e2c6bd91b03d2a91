"""Communes of France, with what life is like there: sea, mountain, weather, housing."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from assets.common.expectations import Expectation, in_set, some_rows
from assets.common.geography import check_cities, nearest
from assets.common.plots import map_of_communes
from assets.common.staging_asset import Import, staging_asset
from assets.common.weather import mean_temperature, stations_with_temperature
from resources.clients.jsonl_cache import CacheEntry
from resources.errors import SourceError
from resources.raw_data import RawData
from resources.sources.audit import Reading, Reject, RowAudit
from warehouse import tables
from warehouse.geography import CITIES_OF_DISTRICTS, CITY_OF_DISTRICT, FIRST_DISTRICTS
from warehouse.text import without_accents

NO_SHEET = Reject("no climate sheet with temperatures is there for the station", is_error=False)
NO_TEMPERATURE = Reject("the sheet has no monthly mean temperatures", is_error=False)
NO_STATION = Reject("the sheet's station is not in the list of stations", is_error=False)
NO_ARTICLE = Reject("Wikipedia has no article on the commune", is_error=False)
NO_COMMUNE = Reject("the commune is not among the communes", is_error=False)


def communes_of_2015(raw: pd.DataFrame, old_regions: pd.DataFrame) -> pd.DataFrame:
    """The 2015 export as columns of `cities`; regions before 2016 become those since.

    `geo_point_2d` is "lat, lon"; population is in thousands, area in hectares, altitude in metres.
    """
    point = raw["geo_point_2d"].str.split(",", n=1, expand=True).reindex(columns=[0, 1]).astype("float64")
    new_codes = old_regions.set_index("former_code")["new_code"]
    same = ["insee_com", "nom_comm", "code_dept", "nom_dept", "nom_region", "statut", "postal_code", "id_geofla"]
    same += ["code_cant", "code_arr", "z_moyen", "superficie", "population", "total_social_housing"]
    return raw[same].assign(
        code_comm=_within_department(raw["insee_com"]),
        new_code_region=raw["old_region"].map(new_codes),
        geo_point_2d_x=point[0],
        geo_point_2d_y=point[1],
    )


def communes_of_2025(raw: pd.DataFrame) -> pd.DataFrame:
    """communes-france-2025 as columns of `cities`: regions are those since 2016, population is in persons.

    Where the centre has no coordinates, those of the town hall stand for it; so they do for Paris, Lyon and Marseille,
    whose centres the file mixes up.
    """
    whole = raw["insee_com"].isin(list(CITIES_OF_DISTRICTS))
    latitude, longitude = (
        raw[name].mask(whole & raw[f"{name}_mairie"].notna()).fillna(raw[f"{name}_mairie"])
        for name in ("latitude", "longitude")
    )
    same = ["insee_com", "code_dept", "nom_dept", "statut", "z_moyen", "superficie"]
    return raw[same].assign(
        code_cant=raw["canton"],
        code_comm=_within_department(raw["insee_com"]),
        nom_comm=raw["nom_comm"].map(_in_capitals),
        postal_code=_without_cedex(raw),
        new_code_region=raw["new_region"].astype("Int64"),
        population=raw["persons"] / 1000,
        geo_point_2d_x=latitude,
        geo_point_2d_y=longitude,
    )


def _within_department(insee: pd.Series) -> pd.Series:
    """The commune's code within its department: the last three characters, overseas two."""
    return insee.str[2:].mask(insee.str.startswith("97"), insee.str[3:])


def _without_cedex(raw: pd.DataFrame) -> pd.Series:
    """Postal codes, joined by /: the commune's own first, then those of the list that only a large town's quarters have
    (06100, 06200), for the list has CEDEX codes too. Paris, Lyon and Marseille have one per district.
    """
    listed = raw["postal_codes"].fillna("").str.findall(r"\b\d\d[0-6]00\b")
    codes = [
        "/".join(dict.fromkeys([own, *sorted(code for code in more if code[:2] == own[:2])])) if own == own else own
        for own, more in zip(raw["postal_code"], listed, strict=True)
    ]
    by_district = {
        code: "/".join(f"{code[:2]}{n:03}" for n in range(1, city.districts + 1))
        for code, city in CITIES_OF_DISTRICTS.items()
    }
    return raw["insee_com"].map(by_district).fillna(pd.Series(codes, raw.index, dtype="str"))


def _in_capitals(name: str) -> str:
    """As the 2015 export writes names: capitals, no accents."""
    spelt = name.replace("œ", "oe").replace("Œ", "OE").replace("’", "'")
    return without_accents(spelt).upper()


def city_of(insee: pd.Series) -> pd.Series:
    """The city (75056, 69123, 13055) of which each commune is a district; NA for what is none."""
    return insee.map(CITY_OF_DISTRICT).astype("str")


def with_whole_cities(communes: pd.DataFrame) -> pd.DataFrame:
    """Add PARIS, LYON and MARSEILLE where only their districts are there, and give districts their city's population.

    Area and social housing are the sum of its districts', altitude the mean weighted by area, postal codes all of
    theirs; what else the city has is what its first district has. `inhabitants` is the population that the file gives.
    """
    communes = communes.assign(inhabitants=communes["population"], line=communes.index)
    firsts = {first: city for city, first in FIRST_DISTRICTS.items() if city not in set(communes["insee_com"])}
    added = communes[communes["insee_com"].isin(list(firsts))]
    added = added.assign(insee_com=added["insee_com"].map(firsts))
    added = added.assign(
        nom_comm=added["insee_com"].map(lambda code: CITIES_OF_DISTRICTS[code].name),
        population=added["insee_com"].map(lambda code: CITIES_OF_DISTRICTS[code].population),
    )
    added = added.assign(**_of_districts(communes, added["insee_com"]))
    cities = pd.concat([communes, added]) if len(added) else communes
    whole = cities[cities["insee_com"].isin(list(CITIES_OF_DISTRICTS))].set_index("insee_com")["population"]
    population = city_of(cities["insee_com"]).map(whole).astype("float64").fillna(cities["population"])
    return cities.assign(population=population).sort_values("insee_com", ignore_index=True)


def _of_districts(communes: pd.DataFrame, cities: pd.Series) -> dict[str, pd.Series]:
    """Of cities (INSEE codes) that the file lacks, the columns that are made from all their districts."""
    districts = communes.sort_values("insee_com").groupby(city_of(communes["insee_com"]).rename("city"))
    made: dict[str, pd.Series] = {"code_comm": cities.str[2:]}
    for column in communes.columns.intersection(["superficie", "total_social_housing"]):
        made[column] = cities.map(districts[column].sum(min_count=1))
    if "z_moyen" in communes:
        weighted = communes.assign(weight=communes["superficie"].where(communes["z_moyen"].notna()))
        made["z_moyen"] = cities.map(_mean(weighted, "z_moyen", "weight")).round().astype("Int64")
    if "postal_code" in communes:
        made["postal_code"] = cities.map(districts["postal_code"].agg(lambda codes: "/".join(codes.dropna().unique())))
    return made


def _mean(communes: pd.DataFrame, column: str, weight: str) -> pd.Series:
    """By city, the mean of its districts' values, weighted; the plain one where the weights are not known."""
    known = communes.assign(city=city_of(communes["insee_com"])).dropna(subset=["city", column])
    weights = known[weight].astype("float64").fillna(0)
    groups = known.assign(weight=weights, product=weights * known[column].astype("float64")).groupby("city")
    sums = groups[["product", "weight"]].sum()
    return (sums["product"] / sums["weight"].where(sums["weight"] > 0)).fillna(groups[column].mean())


def communes_named(cities: pd.DataFrame, names: pd.Series) -> pd.Series:
    """The INSEE code of the commune that each name is of, NA where none: capitals, `-` read as a space.

    A name that several communes have is that of the most populous one; a district has none.
    """
    whole = cities.assign(key=cities["nom_comm"].map(_rent_key))[city_of(cities["insee_com"]).isna()]
    largest = whole.sort_values(["population", "insee_com"], ascending=[False, True]).drop_duplicates("key")
    return names.map(_rent_key).map(largest.set_index("key")["insee_com"])


def with_city_rents(cities: pd.DataFrame, rents: pd.DataFrame | None) -> pd.DataFrame:
    """Rents of two and four rooms (EUR per month) by `insee_com`; a district takes its city's rent."""
    if rents is None:
        return cities.assign(rent_t2=None, rent_t4=None)
    rents = rents.set_index("insee_com")
    code = city_of(cities["insee_com"]).fillna(cities["insee_com"])
    return cities.assign(**{name: code.map(rents[name]) for name in ("rent_t2", "rent_t4")})


def _rent_key(name: str) -> str:
    return _in_capitals(name).replace("-", " ").strip()


def with_value_per_commune(
    cities: pd.DataFrame, column: str, values: pd.Series | None, *, whole: bool = False
) -> pd.DataFrame:
    """A column from a file's values by INSEE code: 0 where the file has none.

    PARIS, LYON and MARSEILLE take their own value where the file has one, where not the mean of their districts'
    weighted by `inhabitants`; a district without a value takes its city's. No file at all (None): NULL.
    """
    if values is None:
        return cities.assign(**{column: None})
    values = values.dropna()
    code = cities["insee_com"]
    of_districts = values.rename("value").rename_axis("insee_com").reset_index()
    of_districts["inhabitants"] = of_districts["insee_com"].map(cities.set_index("insee_com")["inhabitants"])
    found = code.map(values).fillna(city_of(code).map(values))
    found = found.fillna(code.map(_mean(of_districts, "value", "inhabitants"))).fillna(0)
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
    """Every vertex (latitude, longitude, degrees) of a GeoJSON feature collection, which has longitude first.

    Raises SourceError when it is none, or a position is not on the globe.
    """

    def positions(coordinates: Any) -> Iterator[tuple[float, float]]:
        if coordinates and isinstance(coordinates[0], int | float):
            yield float(coordinates[1]), float(coordinates[0])
            return
        for part in coordinates:
            yield from positions(part)

    try:
        found = [p for feature in outline["features"] for p in positions(feature["geometry"]["coordinates"])]
    except (KeyError, TypeError, IndexError, ValueError, RecursionError) as error:
        raise SourceError(f"{file}: expected a GeoJSON FeatureCollection. Fetch it again") from error
    wrong = next((p for p in found if not (abs(p[0]) <= 90 and abs(p[1]) <= 180)), None)
    if wrong or not found:
        raise SourceError(
            f"{file}: expected positions of longitude and latitude in degrees, found {wrong or 'none'}. Fetch it again"
        )
    return pd.DataFrame(found, columns=["latitude", "longitude"])


def _communes(raw_data: RawData, old_regions: pd.DataFrame) -> Reading[pd.DataFrame]:
    raw, audit = raw_data.table("communes")
    communes = communes_of_2025(raw) if "new_region" in raw.columns else communes_of_2015(raw, old_regions)
    found = with_whole_cities(communes)
    return Reading(found, audit.count(int(found["insee_com"].isin(raw["insee_com"]).sum())))


def _city_rents(raw_data: RawData, cities: pd.DataFrame) -> tuple[pd.DataFrame | None, list[RowAudit]]:
    """Rents by `insee_com`; names that no commune has, or two rows have, are rejected."""
    if not raw_data.has("city_rents"):
        return None, []
    rents, audit = raw_data.table("city_rents")
    rents["insee_com"] = communes_named(cities, rents["city"])
    again = rents["insee_com"].duplicated()
    audit.reject(rents.index[rents["insee_com"].isna()], Reject("city: expected the name of a commune"))
    audit.reject(rents.index[again], Reject("city: expected once, another row names the same commune"))
    found = rents[~again].dropna(subset="insee_com")
    return found, [audit.count(len(found))]


def _coastline(raw_data: RawData) -> tuple[pd.DataFrame | None, list[RowAudit]]:
    if not raw_data.has("coastline"):
        return None, []
    outline = vertices(raw_data.document("coastline"), raw_data.path("coastline").name)
    return outline, [raw_data.audit("coastline", "vertex", len(outline)).count(len(outline))]


def _values(
    raw_data: RawData, source: str, column: str, communes: pd.Series
) -> tuple[pd.Series | None, list[RowAudit]]:
    """Numbers by INSEE code from an optional source, rows of other communes rejected; None without the source."""
    if not raw_data.has(source):
        return None, []
    raw, audit = raw_data.table(source)
    there = raw["insee_com"].isin([*communes, *CITY_OF_DISTRICT])
    other_year = "the commune is not in the communes file, which is of another year"
    audit.reject(raw.index[~there], Reject(other_year, is_error=not there.any()))
    return raw[there].set_index("insee_com")[column].astype("float64"), [audit.count(int(there.sum()))]


def _stations(raw_data: RawData) -> tuple[pd.DataFrame | None, list[RowAudit]]:
    """The weather stations that have a climate sheet with temperatures; None where list or sheets are not there."""
    there = [name for name in ("weather_sheets", "weather_stations") if raw_data.has(name)]
    if len(there) < 2:
        return None, [raw_data.audit(name) for name in there]
    texts, of_sheets = raw_data.texts("weather_sheets")
    sheets = {name: mean_temperature(sheet) for name, sheet in texts.items()}
    raw, of_stations = raw_data.table("weather_stations")
    stations = stations_with_temperature(raw, sheets)
    warm = stations["temperature"].notna()
    of_stations.reject(stations.index[~warm], NO_SHEET)
    used = set(stations["sheet"][warm])
    of_sheets.reject([name for name, mean in sheets.items() if mean is None], NO_TEMPERATURE)
    of_sheets.reject([name for name in sheets if name not in used], NO_STATION)
    audits = [of_stations.count(int(warm.sum())), of_sheets.count(len(used))]
    return stations[warm].reset_index(drop=True), audits


def with_descriptions(cities: pd.DataFrame, described: Mapping[str, CacheEntry]) -> pd.DataFrame:
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


def _described(raw_data: RawData, codes: pd.Series) -> tuple[dict[str, CacheEntry], list[RowAudit]]:
    """The communes that Wikipedia has an article on."""
    if not raw_data.has("city_descriptions"):
        return {}, []
    answered, audit = raw_data.entries("city_descriptions")
    known = set(codes)
    audit.reject([code for code, entry in answered.items() if not entry.get("description")], NO_ARTICLE)
    audit.reject([code for code in answered if code not in known], NO_COMMUNE)
    found = {code: entry for code, entry in answered.items() if code not in audit.rejected}
    return found, [audit.count(len(found))]


def expected(new_regions: pd.DataFrame, departements: pd.DataFrame) -> list[Expectation]:
    """Every commune lies in a region and a department that are there."""
    return [
        some_rows(),
        in_set("the region is in new_regions", "new_code_region", new_regions["code"], error=True),
        in_set("the department is in departements", "code_dept", departements["code"], error=True),
    ]


@staging_asset(
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
    picture=map_of_communes,
)
def cities(raw_data: RawData, old_regions: pd.DataFrame) -> Import:
    """Communes and districts, and PARIS, LYON and MARSEILLE made from theirs: where, how high, how large, how far from
    the sea, how warm, what housing costs, and what Wikipedia says of them.
    """
    found, of_communes = _communes(raw_data, old_regions)
    codes = found["insee_com"]
    city_rents, of_city_rents = _city_rents(raw_data, found)
    coastline, of_coastline = _coastline(raw_data)
    stations, of_weather = _stations(raw_data)
    prices, of_prices = _values(raw_data, "house_prices", "price", codes)
    rents, of_rents = _values(raw_data, "house_rents", "rent", codes)
    zones, of_zones = _values(raw_data, "housing_zones", "frais", codes)
    descriptions, of_descriptions = _described(raw_data, codes)
    found = with_city_rents(found, city_rents)
    found = with_distance_from_sea(found, coastline)
    found = with_temperature(found, stations)
    found = with_value_per_commune(found, "average_houseselled", prices)
    found = with_value_per_commune(found, "average_houserent", rents)
    found = with_value_per_commune(found, "city_house_tension", zones, whole=True)
    if "total_social_housing" in found:
        check_cities(found.set_index("insee_com")["total_social_housing"], "social housing")
    audits = [of_communes, *of_city_rents, *of_coastline, *of_weather, *of_prices, *of_rents, *of_zones]
    found = with_descriptions(found, descriptions).drop(columns="inhabitants").set_index("line")
    return Import(found, [*audits, *of_descriptions])
