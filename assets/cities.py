"""Communes of France, with what life is like there: sea, mountain, weather, housing."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from assets.common.communes import communes_of_2015, communes_of_2025, in_capitals, of_today, with_whole_cities
from assets.common.expectations import Expectation, in_set, some_rows
from assets.common.geography import check_cities, city_of, nearest, places, stands_for, weighted_mean
from assets.common.staging_asset import Import, staging_asset
from assets.common.weather import mean_temperature, stations_with_temperature
from resources.clients.jsonl_cache import CacheEntry
from resources.errors import SourceError
from resources.raw_data import RawData
from resources.sources.audit import Reject, RowAudit
from resources.sources.geography import among
from warehouse import tables
from warehouse.geography import CITY_OF_DISTRICT, OVERSEAS_COLLECTIVITIES

NO_SHEET = Reject("no climate sheet with temperatures is there for the station", is_error=False)
NO_TEMPERATURE = Reject("the sheet has no monthly mean temperatures", is_error=False)
NO_STATION = Reject("the sheet's station is not in the list of stations", is_error=False)
NO_ARTICLE = Reject("Wikipedia has no article on the commune", is_error=False)
NO_COMMUNE = Reject("the commune is not among the communes", is_error=False)
OF_ANOTHER_YEAR = Reject("the commune is not in the communes file, which is of another year", is_error=False)
UNKNOWN = Reject("the commune is not in the COG, neither as a current one nor as a former one", is_error=False)


def communes_named(communes: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    """The commune that each name is of: its code today (insee_com) and in the file (insee_com_of_file), NA where none.

    Capitals, `-` read as a space. A name that several communes have is that of the most populous one; a district has
    none.
    """
    distinct = communes["nom_comm"].dropna().unique()
    keys = communes["nom_comm"].map(dict(zip(distinct, map(_rent_key, distinct), strict=True)))
    whole = communes.assign(key=keys)[city_of(communes["insee_com"]).isna()]
    largest = whole.sort_values(["population", "insee_com"], ascending=[False, True]).drop_duplicates("key")
    codes = ["insee_com", "insee_com_of_file"]
    return largest.set_index("key")[codes].reindex(names.map(_rent_key)).set_axis(names.index)


def with_city_rents(cities: pd.DataFrame, rents: pd.DataFrame | None) -> pd.DataFrame:
    """Rents of two and four rooms (EUR per month) by `insee_com`; a district takes its city's rent."""
    if rents is None:
        return cities.assign(rent_t2=None, rent_t4=None)
    rents = rents.set_index("insee_com")
    code = city_of(cities["insee_com"]).fillna(cities["insee_com"])
    return cities.assign(**{name: code.map(rents[name]) for name in ("rent_t2", "rent_t4")})


def _rent_key(name: str) -> str:
    return in_capitals(name).replace("-", " ").strip()


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
    codes = pd.Series(values.index, values.index)
    of_districts = weighted_mean(city_of(codes), values, codes.map(cities.set_index("insee_com")["inhabitants"]))
    found = code.map(values).fillna(city_of(code).map(values))
    found = found.fillna(code.map(of_districts)).fillna(0)
    return cities.assign(**{column: found.round().astype("Int64") if whole else found.astype("float64")})


def with_distance_from_sea(cities: pd.DataFrame, outline: pd.DataFrame | None) -> pd.DataFrame:
    """Great-circle distance (whole km) to the nearest vertex (latitude, longitude) of the sea-side outline."""
    if outline is None:
        return cities.assign(distance_from_sea=None)
    distance, _ = nearest(places(cities), outline)
    return cities.assign(distance_from_sea=pd.Series(distance, cities.index).round().astype("Int64"))


def with_temperature(cities: pd.DataFrame, stations: pd.DataFrame | None) -> pd.DataFrame:
    """Mean temperature (deg C) of the nearest of the stations (latitude, longitude, temperature)."""
    if stations is None or stations.empty:
        return cities.assign(average_temperature=None)
    _, position = nearest(places(cities), stations)
    temperature = stations["temperature"].reindex(position).to_numpy()
    return cities.assign(average_temperature=pd.Series(temperature, cities.index).round(2))


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


class _Communes(NamedTuple):
    """The rows of `cities`; those of the communes file, with their own codes, names and inhabitants; its audit."""

    rows: pd.DataFrame
    of_file: pd.DataFrame
    audit: RowAudit

    @property
    def inhabitants(self) -> pd.Series:
        """Inhabitants (thousands) by the code in the communes file."""
        return self.of_file.set_index("insee_com_of_file")["inhabitants"]


def _communes(raw_data: RawData, old_regions: pd.DataFrame, cog: pd.DataFrame) -> _Communes:
    """The communes of the COG made of those of the file; without a COG those of the file."""
    raw, audit = raw_data.table("communes")
    communes = communes_of_2025(raw) if "new_region" in raw.columns else communes_of_2015(raw, old_regions)
    found = with_whole_cities(communes)
    of_file = found[among(found["insee_com_of_file"], raw["insee_com_of_file"])]
    if cog.empty:
        return _Communes(found, of_file, audit.count(len(of_file)))
    now = cog[cog["code"] == cog["current_code"]]
    known = among(raw["insee_com"], now["code"])
    audit.reject(raw.index[~known], UNKNOWN)
    rows = of_today(found, now)
    used = raw["insee_com"][known].nunique()
    return _Communes(rows, of_file, audit.count(used, int(known.sum()) - used))


def _city_rents(raw_data: RawData, communes: _Communes) -> tuple[pd.DataFrame | None, list[RowAudit]]:
    """Rents by `insee_com`; names that no commune has, or two rows have, are rejected.

    A name may be one that only the communes file has: of communes that became one, the rents are those of the one that
    stands for it.
    """
    if not raw_data.has("city_rents"):
        return None, []
    rents, audit = raw_data.table("city_rents")
    rows, of_file = communes.rows, communes.of_file
    named = [rows.assign(insee_com_of_file=rows["insee_com"]), of_file.assign(population=of_file["inhabitants"])]
    rents = rents.join(communes_named(pd.concat(named), rents["city"]))
    again = rents["insee_com_of_file"].duplicated()
    audit.reject(rents.index[rents["insee_com"].isna()], Reject("city: expected the name of a commune"))
    audit.reject(rents.index[again], Reject("city: expected once, another row names the same commune"))
    known = rents[~again].dropna(subset="insee_com")
    found = known[stands_for(known, "insee_com", communes.inhabitants)]
    return found, [audit.count(len(found), len(known) - len(found))]


def _coastline(raw_data: RawData) -> tuple[pd.DataFrame | None, list[RowAudit]]:
    if not raw_data.has("coastline"):
        return None, []
    outline = vertices(raw_data.document("coastline"), raw_data.path("coastline").name)
    return outline, [raw_data.audit("coastline", "vertex", len(outline)).count(len(outline))]


def _values(
    raw_data: RawData, source: str, column: str, communes: _Communes
) -> tuple[pd.Series | None, list[RowAudit]]:
    """Numbers by INSEE code from an optional source, rows of other communes rejected; None without the source.

    Of communes that became one it is the mean, weighted by their inhabitants.
    """
    if not raw_data.has(source):
        return None, []
    raw, audit = raw_data.table(source)
    there = among(raw["insee_com"], [*communes.rows["insee_com"], *CITY_OF_DISTRICT])
    unknown = UNKNOWN if raw_data.has("cog") else OF_ANOTHER_YEAR
    audit.reject(raw.index[~there], unknown._replace(is_error=not there.any()))
    raw = raw[there]
    weights = raw["insee_com_of_file"].map(communes.inhabitants)
    used = raw["insee_com"].nunique()
    return weighted_mean(raw["insee_com"], raw[column], weights), [audit.count(used, len(raw) - used)]


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
    entries = {code: [entry.get(key) for key in columns.values()] for code, entry in described.items()}
    found = pd.DataFrame.from_dict(entries, orient="index", columns=[*columns], dtype="object")
    values = found.reindex(cities["insee_com"]).set_axis(cities.index).astype({"description_revision": "Int64"})
    return cities.assign(**values)


def _described(raw_data: RawData, communes: _Communes) -> tuple[dict[str, CacheEntry], list[RowAudit]]:
    """The communes that Wikipedia has an article on; of communes that became one, the article on the one that stands
    for it.
    """
    if not raw_data.has("city_descriptions"):
        return {}, []
    answered, audit = raw_data.entries("city_descriptions")
    codes = pd.DataFrame({"insee_com": pd.Series(list(answered), dtype="str")})
    codes = raw_data.with_todays_codes(codes, ["insee_com"], audit)
    audit.reject([code for code, entry in answered.items() if not entry.get("description")], NO_ARTICLE)
    there = among(codes["insee_com"], communes.rows["insee_com"])
    audit.reject(codes["insee_com_of_file"][~there], NO_COMMUNE)
    known = codes[~codes["insee_com_of_file"].isin(list(audit.rejected))]
    kept = known[stands_for(known, "insee_com", communes.inhabitants)]
    found = {code: answered[own] for code, own in zip(kept["insee_com"], kept["insee_com_of_file"], strict=True)}
    return found, [audit.count(len(found), len(known) - len(found))]


def expected(new_regions: pd.DataFrame, departements: pd.DataFrame, cog: pd.DataFrame) -> list[Expectation]:
    """Every commune lies in a region and a department that are there; overseas collectivities, which only a COG has,
    lie in no region.
    """
    regions, departments = [*new_regions["code"]], [*departements["code"]]
    if len(cog):
        regions, departments = [*regions, pd.NA], [*departments, *OVERSEAS_COLLECTIVITIES]
    return [
        some_rows(),
        in_set("the region is in new_regions", "new_code_region", regions, error=True),
        in_set("the department is in departements", "code_dept", departments, error=True),
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
)
def cities(raw_data: RawData, old_regions: pd.DataFrame, cog: pd.DataFrame) -> Import:
    """Communes and districts, and PARIS, LYON and MARSEILLE made from theirs: where, how high, how large, how far from
    the sea, how warm, what housing costs, and what Wikipedia says of them.
    """
    communes = _communes(raw_data, old_regions, cog)
    found = communes.rows
    city_rents, of_city_rents = _city_rents(raw_data, communes)
    coastline, of_coastline = _coastline(raw_data)
    stations, of_weather = _stations(raw_data)
    prices, of_prices = _values(raw_data, "house_prices", "price", communes)
    rents, of_rents = _values(raw_data, "house_rents", "rent", communes)
    zones, of_zones = _values(raw_data, "housing_zones", "frais", communes)
    descriptions, of_descriptions = _described(raw_data, communes)
    found = with_city_rents(found, city_rents)
    found = with_distance_from_sea(found, coastline)
    found = with_temperature(found, stations)
    found = with_value_per_commune(found, "average_houseselled", prices)
    found = with_value_per_commune(found, "average_houserent", rents)
    found = with_value_per_commune(found, "city_house_tension", zones, whole=True)
    if "total_social_housing" in found:
        check_cities(found.set_index("insee_com")["total_social_housing"], "social housing")
    audits = [communes.audit, *of_city_rents, *of_coastline, *of_weather, *of_prices, *of_rents, *of_zones]
    found = with_descriptions(found, descriptions).drop(columns=["inhabitants", "insee_com_of_file"]).set_index("line")
    return Import(found, [*audits, *of_descriptions])
