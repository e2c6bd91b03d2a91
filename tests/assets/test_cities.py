from typing import Any

import pandas as pd
import pytest

from assets.cities import (
    communes_named,
    vertices,
    with_city_rents,
    with_distance_from_sea,
    with_temperature,
    with_value_per_commune,
)
from assets.common.communes import communes_of_2015, communes_of_2025, of_today, with_whole_cities
from assets.common.geography import check_cities
from resources.errors import SourceError, ValidationError

OLD_REGIONS = pd.DataFrame({"former_code": ["31", "01"], "new_code": pd.array([32, 1], "Int64")})
EXPORT = {
    "insee_com": "62079",
    "insee_com_of_file": "62079",
    "postal_code": "62450/62451",
    "nom_comm": "BANCOURT",
    "nom_dept": "PAS-DE-CALAIS",
    "nom_region": "NORD-PAS-DE-CALAIS",
    "statut": "Commune simple",
    "z_moyen": 60,
    "superficie": 457,
    "population": 0.1,
    "geo_point_2d": "50.10327, 2.89348",
    "code_dept": "62",
    "old_region": "31",
    "id_geofla": "1",
    "code_comm": "079",
    "code_cant": "20",
    "code_arr": "3",
    "total_social_housing": None,
}


def cities(*rows: tuple[str, str, float]) -> pd.DataFrame:
    made = pd.DataFrame(rows, columns=["insee_com", "nom_comm", "population"])
    return made.assign(inhabitants=made["population"], insee_com_of_file=made["insee_com"])


def test_the_2015_export_becomes_columns_of_cities() -> None:
    raw = pd.DataFrame([EXPORT, EXPORT | {"insee_com": "01004", "code_dept": "01", "old_region": "01"}])
    first, second = communes_of_2015(raw, OLD_REGIONS).to_dict("records")
    assert first["new_code_region"] == 32
    assert (first["geo_point_2d_x"], first["geo_point_2d_y"]) == (50.10327, 2.89348)
    assert (first["z_moyen"], first["superficie"], first["population"]) == (60, 457, 0.1)
    assert first["postal_code"] == "62450/62451"
    assert pd.isna(first["total_social_housing"])
    assert (second["insee_com"], second["code_dept"], second["new_code_region"]) == ("01004", "01", 1)


def test_a_commune_without_point_has_no_coordinates() -> None:
    raw = pd.DataFrame([EXPORT | {"geo_point_2d": None}]).astype({"geo_point_2d": "str"})
    assert communes_of_2015(raw, OLD_REGIONS)[["geo_point_2d_x", "geo_point_2d_y"]].isna().all(axis=None)


def test_the_2025_layout_has_new_regions_and_whole_persons() -> None:
    row = {
        "insee_com": "01004",
        "insee_com_of_file": "01004",
        "postal_code": "01500",
        "postal_codes": "01500, 01501, 01200, 69100",
        "nom_comm": "Ambérieu-en-Bugey",
        "code_dept": "01",
        "new_region": "84",
        "persons": 15934.0,
        "latitude": float("nan"),
        "longitude": 5.36,
        "latitude_mairie": 45.96,
        "longitude_mairie": 5.0,
        "nom_dept": "Ain",
        "statut": "commune",
        "z_moyen": 379,
        "superficie": 2460,
        "canton": "0101",
    }
    (city,) = communes_of_2025(pd.DataFrame([row])).to_dict("records")
    assert (city["insee_com"], city["nom_comm"], city["postal_code"]) == ("01004", "AMBERIEU-EN-BUGEY", "01500/01200")
    assert (city["population"], city["new_code_region"], city["code_comm"]) == (15.934, 84, "004")
    assert (city["geo_point_2d_x"], city["geo_point_2d_y"]) == (45.96, 5.36)


def test_paris_is_made_from_its_first_district_and_districts_hold_its_population() -> None:
    made = with_whole_cities(
        cities(("75102", "PARIS-2E", 20.0), ("75101", "PARIS-1ER", 17.0), ("13300", "NOT A DISTRICT?", 1.0)).assign(
            code_dept=["75b", "75a", "13"]
        )
    ).set_index("insee_com")
    assert made.index.tolist() == ["13300", "75056", "75101", "75102"]
    assert made["population"].tolist() == [1, 2161, 2161, 2161]
    paris = made.loc[["75056"]]
    assert (paris["nom_comm"].item(), paris["code_dept"].item()) == ("PARIS", "75a")


def test_a_city_that_the_file_has_is_not_added_again() -> None:
    made = with_whole_cities(cities(("75056", "PARIS", 2100.0), ("75101", "PARIS-1ER", 16.0)))
    assert made["insee_com"].tolist() == ["75056", "75101"]
    assert made["population"].tolist() == [2100, 2100]


HOMONYMS = cities(
    ("75056", "PARIS", 2161),
    ("75106", "PARIS-6E-ARRONDISSEMENT", 2161),
    ("42218", "SAINT-ETIENNE", 170),
    ("00001", "SAINT-ETIENNE", 0.2),
    ("00002", "AUTRE", 1),
)


def test_a_name_is_that_of_the_most_populous_commune_that_has_it() -> None:
    names = pd.Series(["PARIS", "SAINT ETIENNE", "NULLE PART", "PARIS 6E ARRONDISSEMENT"], dtype="str")
    assert communes_named(HOMONYMS, names)["insee_com"].fillna("none").tolist() == ["75056", "42218", "none", "none"]


def test_rents_go_from_a_city_to_its_districts() -> None:
    rents = pd.DataFrame({"insee_com": ["75056", "42218"], "rent_t2": [1401.0, 409.0], "rent_t4": [2410.0, 610.0]})
    given = with_city_rents(HOMONYMS, rents).set_index("insee_com")
    assert given["rent_t2"].dropna().to_dict() == {"75056": 1401, "75106": 1401, "42218": 409}
    assert given["rent_t4"].dropna().to_dict() == {"75056": 2410, "75106": 2410, "42218": 610}


def test_values_per_commune_are_0_where_none_is_given() -> None:
    values = pd.Series([2500.0, None, 10969.0], index=["01004", "2A004", "75101"])
    given = with_value_per_commune(
        cities(("01004", "a", 1), ("2A004", "b", 1), ("75056", "PARIS", 1), ("75101", "d", 1), ("75102", "e", 1)),
        "average_houseselled",
        values,
    )
    assert given["average_houseselled"].tolist() == [2500, 0, 10969, 10969, 0]


def test_a_city_has_the_mean_of_its_districts_by_their_inhabitants_and_a_district_its_citys() -> None:
    placed = cities(
        ("69123", "LYON", 60), ("69381", "a", 30), ("69382", "b", 10), ("75056", "PARIS", 9), ("75102", "c", 1)
    )
    given = with_value_per_commune(placed, "rent", pd.Series([10.0, 20.0, 8.0], index=["69381", "69382", "75056"]))
    assert given["rent"].tolist() == [12.5, 10, 20, 8, 8]


def test_without_the_districts_in_the_communes_file_the_mean_is_the_plain_one() -> None:
    prices = pd.Series([10.0, 20.0], index=["75101", "75102"])
    assert with_value_per_commune(cities(("75056", "PARIS", 9)), "price", prices)["price"].tolist() == [15]


def test_what_is_summed_over_districts_is_and_altitude_is_weighted_by_area() -> None:
    districts = cities(("69381", "LYON-1ER", 29), ("69382", "LYON-2E", 31), ("69380", "no district", 1)).assign(
        superficie=pd.array([100, 300, 7], "Int64"),
        total_social_housing=pd.array([5, pd.NA, 1], "Int64"),
        z_moyen=pd.array([200, 160, 9], "Int64"),
        postal_code=["69001", "69002", "69000"],
        code_comm=["381", "382", "380"],
    )
    lyon = with_whole_cities(districts).set_index("insee_com").loc["69123"]
    assert (lyon["superficie"], lyon["total_social_housing"], lyon["z_moyen"]) == (400, 5, 170)
    assert (lyon["postal_code"], lyon["code_comm"], lyon["nom_comm"]) == ("69001/69002", "123", "LYON")


def test_a_district_with_more_than_its_city_is_an_error() -> None:
    check_cities(pd.Series([9], index=["01004"]), "homes")
    check_cities(pd.Series([5, 5, 9], index=["75056", "75101", "01004"]), "homes")
    with pytest.raises(ValidationError, match="homes: 75056 has 4 and its district 75101 5: expected at least as many"):
        check_cities(pd.Series([4, 5], index=["75056", "75101"]), "homes")


def test_a_city_keeps_its_own_price_where_the_file_has_one() -> None:
    values = pd.Series([9000.0, 10969.0], index=["75056", "75101"])
    given = with_value_per_commune(cities(("75056", "PARIS", 1), ("75101", "d", 1)), "average_houseselled", values)
    assert given["average_houseselled"].tolist() == [9000, 10969]


@pytest.mark.parametrize(
    ("column", "enriched"),
    [
        ("average_houserent", lambda c: with_value_per_commune(c, "average_houserent", None)),
        ("distance_from_sea", lambda c: with_distance_from_sea(c, None)),
        ("average_temperature", lambda c: with_temperature(c, None)),
        ("rent_t4", lambda c: with_city_rents(c, None)),
    ],
)
def test_without_its_source_a_column_is_null(column: str, enriched: Any) -> None:
    assert enriched(cities(("01004", "a", 1.0)))[column].isna().all()


def test_distance_is_in_whole_km_and_unknown_without_coordinates() -> None:
    placed = cities(("76351", "LE HAVRE", 170), ("x", "nowhere", 1)).assign(
        geo_point_2d_x=[49.5, float("nan")], geo_point_2d_y=[0.1, float("nan")]
    )
    outline = pd.DataFrame({"latitude": [49.4], "longitude": [0.1]})  # a tenth of a degree is 11.1 km
    assert with_distance_from_sea(placed, outline)["distance_from_sea"].tolist() == [11, pd.NA]


def test_temperature_is_the_nearest_stations() -> None:
    placed = cities(("a", "a", 1), ("b", "b", 1)).assign(geo_point_2d_x=[49.0, 43.0], geo_point_2d_y=[0.0, 5.0])
    stations = pd.DataFrame({"latitude": [43.1, 48.9], "longitude": [5.0, 0.0], "temperature": [15.5, 11.1]})
    assert with_temperature(placed, stations)["average_temperature"].tolist() == [11.1, 15.5]


def test_the_outline_gives_its_vertices_latitude_first() -> None:
    outline = {
        "features": [
            {"geometry": {"type": "MultiLineString", "coordinates": [[[1.0, 50.0], [2.0, 51.0]]]}},
            {"geometry": {"type": "Point", "coordinates": [3.0, 52.0]}},
        ]
    }
    assert vertices(outline, "f").to_numpy().tolist() == [[50, 1], [51, 2], [52, 3]]
    with pytest.raises(SourceError, match=r"f: expected a GeoJSON FeatureCollection"):
        vertices([], "f")
    beyond: Any
    for beyond in (True, {}, {"features": [{"geometry": {"coordinates": [[200.0, 50.0]]}}]}, {"features": []}):
        with pytest.raises(SourceError, match=r"f: expected"):
            vertices(beyond, "f")


COG = (
    pd.DataFrame(
        [
            ("01033", "Valserhône", "commune-actuelle", "01", 84, "01200", 16712),
            ("75056", "Paris", "commune-actuelle", "75", 11, "75001/75116", 2103778),
            ("75101", "Paris 1er Arrondissement", "arrondissement-municipal", "75", 11, "75001", 15114),
            ("98735", "Papeete", "commune-actuelle", "987", 987, "98714", 26654),
        ],
        columns=["code", "name", "type", "department", "region", "postal_codes", "persons"],
    )
    .astype({"region": "Int64", "persons": "Int64"})
    .assign(former_name=None)
)


def test_todays_communes_are_made_of_those_that_are_in_them_now() -> None:
    file = cities(
        ("01033", "BELLEGARDE-SUR-VALSERINE", 11.6),
        ("01033", "CHATILLON-EN-MICHAILLE", 3.3),
        ("01033", "LANCRANS", 1.0),
        ("75101", "PARIS--1ER-ARRONDISSEMENT", 17.0),
    ).assign(
        insee_com_of_file=["01033", "01091", "01205", "75101"],
        superficie=pd.array([1500, 3000, 500, 181], "Int64"),
        z_moyen=pd.array([400, 700, pd.NA, 31], "Int64"),
        total_social_housing=pd.array([2000, pd.NA, 7, 1596], "Int64"),
        geo_point_2d_x=[46.1, 46.2, 46.3, 48.8],
        statut=["Chef-lieu canton", "Commune simple", "Commune simple", "Capitale d'état"],
    )
    made = of_today(file, COG).set_index("insee_com")
    assert made.index.tolist() == COG["code"].tolist()
    valserhone = made.loc["01033"]
    assert (valserhone["name"], valserhone["nom_comm"], valserhone["code_comm"]) == ("Valserhône", "VALSERHONE", "033")
    assert (valserhone["superficie"], valserhone["total_social_housing"], valserhone["z_moyen"]) == (5000, 2007, 600)
    assert valserhone["inhabitants"] == pytest.approx(15.9)
    assert (valserhone["population"], valserhone["postal_code"]) == (16.712, "01200")
    assert (valserhone["geo_point_2d_x"], valserhone["statut"]) == (46.1, "Chef-lieu canton")
    assert list(made.loc["75101", ["population", "nom_comm"]]) == [2103.778, "PARIS--1ER-ARRONDISSEMENT"]
    papeete = made.loc["98735"]
    assert (papeete["code_dept"], papeete["population"], papeete["code_comm"]) == ("987", 26.654, "735")
    assert papeete[["new_code_region", "geo_point_2d_x", "superficie"]].isna().all()


def test_without_the_commune_that_gave_its_code_the_most_populous_stands_for_it() -> None:
    file = cities(("01033", "SMALL", 1.0), ("01033", "LARGE", 9.0)).assign(
        insee_com_of_file=["01091", "01205"], geo_point_2d_x=[46.1, 46.2]
    )
    assert list(of_today(file, COG[:1])["geo_point_2d_x"]) == [46.2]


def test_a_district_that_no_file_has_is_named_as_the_file_would() -> None:
    made = of_today(cities(("75056", "PARIS", 2100.0)), COG[1:3])
    assert list(made["nom_comm"]) == ["PARIS", "PARIS-1ER-ARRONDISSEMENT"]
