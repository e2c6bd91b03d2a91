"""Regions, departments, communes, coast and weather."""

import csv
import hashlib
import json
import re
from collections.abc import Sequence

import numpy as np

from tests.sample_maker.drawing import (
    CITIES,
    Rng,
    Row,
    cells,
    communes,
    department_of,
    facts,
    is_district,
    plain,
    rng_of,
    shuffled,
    table,
    unpadded,
    whole_cities,
)

CITY_HEADER = cells(
    "Code INSEE;Code Postal;Commune;Département;Région;Statut;Altitude Moyenne;Superficie;Population;geo_point_2d;"
    "ID Geofla;Code Commune;Code Canton;Code Arrondissement;Code Département;Code Région;LGT SOCIAUX",
    ";",
)
STATION_HEADER = (  # its quotes are the publisher's
    'Numéro,Nom de station,Altitude,"Type de Station","Ouvert / Fermé",Latitude,Longitude,Précipitations,Température,'
    "Vent,Nombre de jours de vent …,Rayonnement,Insolation,Nombre de jours avec fraction d’insolation …,"
    "Occurrence de Brouillard,Orage,Grêle,Neige"
)
# the published populations carry the noise of their floats
FLOAT_NOISE = {
    "0.3": "0.30000000000000004",
    "0.6": "0.6000000000000001",
    "0.7": "0.7000000000000001",
    "1.7": "1.7000000000000002",
}


def regions_json() -> bytes:
    """Old to new regions: each old region stands on several records, one per (invented) SIREN."""
    name = "anciennes-nouvelles-regions"
    rng = rng_of(name)
    new_names = {row["code"]: row["name"] for row in facts("regions")}
    records = []
    for row in facts("old_regions"):
        new_name = new_names[row["new_code"]]
        merged = sum(other["new_code"] == row["new_code"] for other in facts("old_regions"))
        for number in range(1 if row["code"] in {"03", "06"} else merged + 1):
            fields: dict[str, object] = {"new_name": new_name}
            if row["code"] != "06":  # the published file gives none for Mayotte
                fields["siren"] = 990_000_000 + int(row["new_code"]) * 100 + number
            fields |= {
                "former_name_normalized": plain(row["name"]).lower().replace("-", " "),
                "new_code": row["new_code"],
                "former_code": row["code"],
                "region": plain(new_name).replace("-", " ").replace("'", " "),
                "new_name_normalized": plain(new_name).lower().replace("-", " "),
                "former_name": row["name"],
            }
            key = f"{row['code']}/{number}"
            record = {"datasetid": name, "recordid": hashlib.sha1(key.encode()).hexdigest(), "fields": fields}
            records.append(record | {"record_timestamp": "2020-08-20T14:20:08.015+02:00"})
    return (json.dumps({"regions": shuffled(rng, records)}, indent=2) + "\n").encode()


def social_housing_json() -> bytes:
    """Months to obtain social housing per new region: invented, none for Mayotte."""
    rng = rng_of("regions-social-housing")
    rows: list[dict[str, object]] = []
    for row in facts("regions"):
        delay = int(rng.integers(5, 36))
        rows.append(
            {"region_code": unpadded(row["code"]), "socialHousingDelay": None if row["code"] == "06" else delay}
        )
    return (json.dumps(rows, indent=4)).encode()


def departments_csv() -> bytes:
    """Departments, codes without leading zeros; rents are invented."""
    rng = rng_of("departements")
    rows: list[Sequence[object]] = [("code", "name", "rent_t2", "rent_t4")]
    for row in facts("departments"):
        rent = int(rng.integers(7, 20)) * 45
        rows.append((unpadded(row["code"]), row["name"], rent, rent * 16 // 9))
    return table(rows).encode()


def city_name(name: str) -> str:
    """Return a commune's name as the communes file spells it (districts are padded to one width)."""
    city, *rest = plain(name).split("-")
    if city in {"LYON", "MARSEILLE"} and rest and rest[-1] == "ARRONDISSEMENT":
        number, suffix = rest[0].removesuffix("ER").removesuffix("E"), "ER" if rest[0] == "1ER" else "E-"
        return f"{city}-{number:->2}{suffix}-ARRONDISSEMENT"
    return plain(name)


def status_of(row: Row, seats: set[str], prefectures: set[str]) -> str:
    """Return a commune's administrative status; below the prefectures it is a guess from its population."""
    if row["code"] == "75101":
        return "Capitale d'état"
    if row["code"] in seats:
        return "Préfecture de région"
    if row["code"] in prefectures:
        return "Préfecture"
    return "Chef-lieu canton" if float(row["population"]) >= 10 else "Commune simple"


def cities_csv() -> bytes:
    """Communes of France in the layout of 2015, with the old regions and the districts of the three cities."""
    rng = rng_of("cities-france")
    departments = {row["code"]: plain(row["name"]) for row in facts("departments")} | {"974": "REUNION"}
    regions = {row["code"]: plain(row["name"]) for row in facts("old_regions")} | {"04": "REUNION"}
    seats = {row["seat"] for row in facts("old_regions")}
    prefectures = {row["prefecture"] for row in facts("departments")}
    rows: list[Sequence[object]] = [CITY_HEADER]
    for number, row in enumerate(shuffled(rng, communes()), start=1):
        people = f"{float(row['population']):.1f}"
        housing = int(float(people) * (20 + 120 * rng.random()))
        rows.append(
            (
                row["code"],
                row["postal_codes"],
                city_name(row["name"]),
                departments[row["dept"]],
                regions[row["old"]],
                status_of(row, seats, prefectures),
                f"{float(row['altitude']):.1f}",
                f"{float(row['area']):.1f}",
                FLOAT_NOISE.get(people, people),
                f"{float(row['lat'])}, {float(row['lon'])}",
                number,
                row["code"][len(row["dept"]) :],
                int(rng.integers(1, 40)),
                int(rng.integers(1, 5)),
                row["dept"],
                row["old"],
                housing if housing >= 20 else "",
            )
        )
    return table(rows, quoting=csv.QUOTE_NONE).encode()


def cog_json() -> bytes:
    """The official code of 2026: today's communes and districts, and of a few what was in them before.

    A commune that nothing is said of has the name, postal codes and inhabitants of the communes file.
    """
    said = facts("cog")
    gone = {row["code"] for row in said if row["code"] != row["current"]}
    known = {row["code"]: row for row in (*communes(), *whole_cities()) if row["code"] not in gone}
    for row in said:
        if row["type"] == "commune-actuelle":
            known[row["code"]] = known.get(row["code"], {}) | {name: value for name, value in row.items() if value}
    records = [_commune_of_cog(row, said) for row in known.values()]
    records += [
        {"code": row["code"], "nom": row["name"], "type": row["type"], "chefLieu": row["current"]} | _place(row["code"])
        for row in said
        if row["type"] in ("commune-deleguee", "commune-associee")
    ]
    return json.dumps(sorted(records, key=lambda record: (record["code"], record["type"])), ensure_ascii=False).encode()


def _commune_of_cog(row: Row, said: list[Row]) -> dict[str, object]:
    """A current commune or district, as the official code has it."""
    code = row["code"]
    record: dict[str, object] = {"code": code, "nom": row["name"], "type": "commune-actuelle"} | _place(code)
    if is_district(code):
        city = next(city for city, prefix in CITIES.items() if code.startswith(prefix))
        name = re.sub(r"-(\d+er?)-A", r" \1 A", row["name"])
        record |= {"nom": name, "type": "arrondissement-municipal", "commune": city}
    if former := sorted({one["code"] for one in said if one["current"] == code != one["code"]}):
        record["anciensCodes"] = former
    record["codesPostaux"] = row["postal_codes"].split("/")
    return record | {"population": round(float(row["population"]) * 1000)}


def _place(code: str) -> dict[str, object]:
    """The department and the region of a commune; of a collectivity, which has none, its own code."""
    department = department_of(code)
    old = next(row["old_region"] for row in facts("departments") if row["code"] == department)
    news = {row["code"]: row["new_code"] for row in facts("old_regions")}
    return {"departement": department, "region": news.get(old, department)}


def coast_json() -> bytes:
    """The sea side of France as a coarse outline: one ring per line of the coast."""
    lines: dict[str, list[list[float]]] = {}
    for row in facts("coast"):
        lines.setdefault(row["line"], []).append([float(row["lon"]), float(row["lat"])])
    geometry = {"type": "MultiPolygon", "coordinates": [[points + points[:1]] for points in lines.values()]}
    feature = {"type": "Feature", "properties": {"name": "France", "note": "coarse outline"}, "geometry": geometry}
    return json.dumps({"type": "FeatureCollection", "features": [feature]}, indent=2).encode()


def coordinate(text: str) -> str:
    """Return a coordinate as the stations file has it: a decimal comma, or a bare integer."""
    number = float(text)
    return str(int(number)) if number.is_integer() else f"{number}".replace(".", ",")


def stations_csv() -> bytes:
    """Weather stations; which measures each one has is invented."""
    rng = rng_of("stations")
    rows: list[Sequence[object]] = []
    for row in facts("stations"):
        measures = ["Complet", "Complet"] + [("Complet", "Partiel", "Absent")[i] for i in rng.integers(0, 3, 9)]
        height = f"{int(row['altitude']):04d} m"
        place = (coordinate(row["lat"]), coordinate(row["lon"]))
        rows.append((row["number"], row["name"], height, row["type"], row["open"], *place, *measures))
    body = table(rows, delimiter=",", end="\r\n")
    return f"{STATION_HEADER}\r\n{body}".removesuffix("\r\n").encode()


def climate_sheet(row: Row, rng: Rng) -> bytes:
    """One station's climate sheet; its temperatures come from a rough formula, not from measures."""
    title = f"FICHE CLIMATOLOGIQUE;{row['name']} ({row['number']});Alt : {row['altitude']}m"
    months = cells("Janv. Févr. Mars Avril Mai Juin Juil. Août Sept. Oct. Nov. Déc. Année")
    if row["number"] == "83137001":
        return (title + "\r\nDonnées non disponibles\r\n").encode()
    latitude, height = float(row["lat"]), float(row["altitude"])
    mean = 30.5 - 0.38 * abs(latitude) - 0.0055 * height + 0.4 * rng.random()
    swing = 8.5 if latitude > 30 else (-2.5 if latitude < 0 else 1.0)
    monthly = [round(mean - swing * float(np.cos(2 * np.pi * (month - 0.5) / 12)), 1) for month in range(12)]
    year = round(sum(monthly) / 12, 1)
    numbers = ";".join(f"{value:.1f}" for value in [*monthly, year])
    period = ["Statistiques établies sur la période 1981-2010"] if int(row["number"]) % 2 else []
    highs = ";".join(f"{value + 4:.1f}" for value in [*monthly, year])
    lows = ";".join(f"{value - 4:.1f}" for value in [*monthly, year])
    lines = [title, "Statistiques 1981-2010 et records (valeurs inventées)", ";" + ";".join(months)]
    lines += ["Température maximale (moyenne en °C)", *period, ";" + highs]
    lines += ["Température moyenne (moyenne en °C)", *period, ";" + numbers]
    lines += ["Température minimale (moyenne en °C)", *period, ";" + lows]
    return ("\r\n".join(lines) + "\r\n").encode()


def climate_sheets() -> dict[str, bytes]:
    """The climate sheets of the stations that have one, and one sheet without data."""
    rng = rng_of("weather")
    wanted = [row for row in facts("stations") if row["sheet"] == "1" or row["number"] == "83137001"]
    return {f"weather/FICHECLIM_{row['number'].zfill(8)}.data": climate_sheet(row, rng) for row in wanted}
