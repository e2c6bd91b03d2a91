"""The communes file as columns of `cities`: its layouts, whole cities, and today's communes made of them."""

import pandas as pd

from assets.common.geography import city_of, stands_for, weighted_mean
from warehouse.geography import CITIES_OF_DISTRICTS, FIRST_DISTRICTS, OVERSEAS_COLLECTIVITIES
from warehouse.text import without_accents


def communes_of_2015(raw: pd.DataFrame, old_regions: pd.DataFrame) -> pd.DataFrame:
    """The 2015 export as columns of `cities`; regions before 2016 become those since.

    `geo_point_2d` is "lat, lon"; population is in thousands, area in hectares, altitude in metres.
    """
    point = raw["geo_point_2d"].str.split(",", n=1, expand=True).reindex(columns=[0, 1]).astype("float64")
    new_codes = old_regions.set_index("former_code")["new_code"]
    same = ["insee_com", "insee_com_of_file", "nom_comm", "code_dept", "nom_dept", "nom_region", "statut"]
    same += ["postal_code", "id_geofla", "code_cant", "code_arr", "z_moyen", "superficie", "population"]
    same += ["total_social_housing"]
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
    same = ["insee_com", "insee_com_of_file", "code_dept", "nom_dept", "statut", "z_moyen", "superficie"]
    return raw[same].assign(
        code_cant=raw["canton"],
        code_comm=_within_department(raw["insee_com"]),
        nom_comm=raw["nom_comm"].map(in_capitals),
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


def in_capitals(name: str) -> str:
    """As the 2015 export writes names: capitals, no accents."""
    spelt = name.replace("œ", "oe").replace("Œ", "OE").replace("’", "'")
    return without_accents(spelt).upper()


def with_whole_cities(communes: pd.DataFrame) -> pd.DataFrame:
    """Add PARIS, LYON and MARSEILLE where only their districts are there, and give districts their city's population.

    Area and social housing are the sum of its districts', altitude the mean weighted by area, postal codes all of
    theirs; what else the city has is what its first district has. `inhabitants` is the population that the file gives.
    """
    communes = communes.assign(inhabitants=communes["population"], line=communes.index)
    firsts = {first: city for city, first in FIRST_DISTRICTS.items() if not (communes["insee_com"] == city).any()}
    added = communes[communes["insee_com"].isin(list(firsts))]
    added = added.assign(insee_com=added["insee_com"].map(firsts))
    added = added.assign(
        insee_com_of_file=added["insee_com"],
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
        means = weighted_mean(city_of(communes["insee_com"]), communes["z_moyen"], communes["superficie"])
        made["z_moyen"] = cities.map(means).round().astype("Int64")
    if "postal_code" in communes:
        made["postal_code"] = cities.map(districts["postal_code"].agg(lambda codes: "/".join(codes.dropna().unique())))
    return made


def of_today(communes: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """One row per commune and district of the COG, by code, made of the rows of `communes` that are in it now.

    `communes`: columns of `cities`, insee_com being today's code and insee_com_of_file the row's own; `now`: what `cog`
    holds of these. Area, social housing and inhabitants are summed, altitude is
    the mean weighted by area; name, population, postal codes, department and region (NULL of overseas collectivities)
    are the COG's; all else is that of the row whose code it still has, else of the most populous. What no row has is
    NULL.
    """
    code, groups = communes["insee_com"], communes.groupby("insee_com")
    kept = communes[stands_for(communes, "insee_com", communes.set_index("insee_com_of_file")["inhabitants"])]
    kept = kept.set_index("insee_com")
    now = now.set_index("code").sort_index()
    for column in kept.columns.intersection(["superficie", "total_social_housing", "inhabitants"]):
        kept[column] = groups[column].sum(min_count=1)
    if "z_moyen" in kept:
        kept["z_moyen"] = weighted_mean(code, communes["z_moyen"], communes["superficie"]).round().astype("Int64")
    kept = kept.reindex(now.index)
    districts = city_of(pd.Series(now.index, now.index))
    capitals = now["name"].map(in_capitals)
    persons = now["persons"].astype("float64")
    return kept.assign(
        name=now["name"],
        former_name=now["former_name"],
        nom_comm=capitals.where(districts.isna(), kept["nom_comm"].fillna(capitals.str.replace(" ", "-"))),
        code_comm=now.index.str[2:],
        population=districts.map(persons).fillna(persons) / 1000,
        postal_code=now["postal_codes"],
        code_dept=now["department"],
        new_code_region=now["region"].mask(now["department"].isin(OVERSEAS_COLLECTIVITIES)),
    ).reset_index(names="insee_com")
