#!/usr/bin/env python3
"""Write the sample of Mobiville's inputs: small files, each in its publisher's exact format.

What is true comes from the tables in facts/ (codes, names, places, populations); everything else
(offers, tensions, facilities, prices, rents, temperatures...) is drawn from a fixed seed. The same
code always writes the same bytes. Never take a figure about France from these files.
"""

from __future__ import annotations

import argparse
import bz2
import csv
import hashlib
import io
import json
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd


def cells(line: str, delimiter: str | None = None) -> list[str]:
    """Return the cells of a line such as a header."""
    return line.split(delimiter)


HERE = Path(__file__).resolve().parent
FACTS = HERE / "facts"
SEED = 2021
CITIES = {"75056": "751", "13055": "132", "69123": "6938"}  # whole cities and the prefix of their districts
BPE_COLUMNS = cells(
    "AAV2020 AN BV2012 DEP DEPCOM DOM EPCI DCIRIS LAMBERT_X LAMBERT_Y QP QUALI_IRIS QUALI_QP QUALI_QVA "
    "QUALI_ZFU QUALI_ZUS QUALITE_XY QVA REG SDOM TYPEQU UU2020 ZFU ZUS"
)
BPE_ROWS = 60_000
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
RENT_CITIES = cells(
    "Paris,Marseille,Lyon,Toulouse,Nice,Nantes,Strasbourg,Montpellier,Bordeaux,Rennes,Le Havre,Reims,Lille,"
    "Saint-Étienne,Toulon,Grenoble,Dijon,Brest,Le Mans,Clermont-Ferrand,Amiens,Aix-en-Provence,Limoges,Nîmes,Tours,"
    "Villeurbanne,Metz,Besançon,Perpignan,Boulogne-Billancourt,Versailles,Vincennes,Rouen,Montreuil,Nancy,"
    "La Rochelle,Courbevoie,Annecy,Issy-les-Moulineaux,Montrouge,Clichy,Caen,Saint-Ouen,Rueil-Malmaison,"
    "Neuilly-sur-Seine,Puteaux,Cannes,Pantin,Suresnes",
    ",",
)

Row = dict[str, str]
Rng = np.random.Generator


def rng_of(name: str) -> Rng:
    """Return the random generator of one file, so that a file never depends on the others."""
    return np.random.default_rng([SEED, zlib.crc32(name.encode())])


def facts(name: str) -> list[Row]:
    """Return the rows of facts/<name>.csv."""
    with (FACTS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def plain(text: str) -> str:
    """Return the text in upper case, without accents."""
    decomposed = unicodedata.normalize("NFD", text.replace("œ", "oe").replace("Œ", "OE"))
    return "".join(char for char in decomposed if not unicodedata.combining(char)).upper()


def department_of(insee: str) -> str:
    """Return the department's code: two characters, three overseas."""
    return insee[:3] if insee.startswith("97") else insee[:2]


def unpadded(code: str) -> str:
    """Return a code without its leading zeros, as several publishers write it."""
    return code.lstrip("0")


def comma(number: float, digits: int) -> str:
    """Return a number with a decimal comma."""
    return f"{number:.{digits}f}".replace(".", ",")


def pick(rng: Rng, weights: Sequence[float] | np.ndarray[Any, Any], size: int) -> np.ndarray[Any, Any]:
    """Return `size` positions drawn in proportion to the weights."""
    edges = np.cumsum(np.asarray(weights, dtype=float))
    found: np.ndarray[Any, Any] = np.searchsorted(edges, rng.random(size) * edges[-1], side="right")
    return found


def shuffled(rng: Rng, items: Sequence[Any]) -> list[Any]:
    """Return the items in a random order."""
    return [items[i] for i in np.argsort(rng.random(len(items)), kind="stable")]


def table(
    rows: Iterable[Sequence[object]],
    *,
    delimiter: str = ";",
    end: str = "\n",
    quoting: Literal[0, 1, 2, 3] = csv.QUOTE_MINIMAL,
) -> str:
    """Return the rows as delimited text."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    return out.getvalue()


def communes() -> list[Row]:
    """Return the communes, each with its department (dept) and its old (old) and new (new) region."""
    new_region = {row["code"]: row["new_code"] for row in facts("old_regions")}
    old_region = {row["code"]: row["old_region"] for row in facts("departments")}
    rows = facts("communes")
    for row in rows:
        row["dept"] = department_of(row["code"])
        row["old"] = old_region[row["dept"]]
        row["new"] = new_region[row["old"]]
    return rows


def is_district(insee: str) -> bool:
    """Tell whether a code is that of a district of Paris, Lyon or Marseille."""
    return insee.startswith(tuple(CITIES.values()))


def whole_cities() -> list[Row]:
    """Return Paris, Lyon and Marseille as rows of communes."""
    by_code = {row["code"]: row for row in communes()}
    basins = {"75056": "1107", "13055": "9306", "69123": "8428"}
    people = {"75056": "2234.1", "13055": "850.6", "69123": "479.8"}
    rows = []
    for code, prefix in CITIES.items():
        first = by_code[(prefix + "01")[:5] if len(prefix) == 3 else prefix + "1"]
        name = first["name"].split("-")[0]
        rows.append(first | {"code": code, "name": name, "basin": basins[code], "population": people[code]})
    return rows


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


def city_rents_csv() -> bytes:
    """Rents of the big cities, by name in upper case without hyphen or accent; the rents are invented."""
    rng = rng_of("cities_rent")
    rows: list[Sequence[object]] = [("city", "rent_t2", "rent_t4")]
    for name in RENT_CITIES:
        rent = int(rng.integers(400, 1400))
        rows.append((plain(name).replace("-", " "), rent, int(rent * (1.4 + 0.3 * rng.random()))))
    return table(rows).encode()


def lexicon_rows() -> list[Row]:
    """Return the communes that have a basin, the three cities whole, in the order of their codes."""
    rows = [row for row in communes() if row["basin"]] + whole_cities()
    return sorted(rows, key=lambda row: (row["dept"][0] == "2" and row["dept"][1] in "AB", row["code"]))


def basins_csv() -> bytes:
    """Commune to basin. Two basins have a second spelling; region codes lose their zeros, departments do not."""
    basins = {row["code"]: row for row in facts("basins")}
    credoc = {"01": "G", "02": "K", "03": "H", "04": "Q", "06": "Q", "11": "J", "24": "D"}
    credoc |= {"27": "B", "28": "L", "32": "I", "44": "F", "52": "P", "53": "C", "75": "M", "76": "N"}
    credoc |= {"84": "A", "93": "O", "94": "E"}
    rows: list[Sequence[object]] = [cells("CODE_COMMUNE_INSEE REG_CREDOC REG DEP CCOMMUNE NOMCOM BE19 NOMBE19")]
    seen: dict[str, int] = {}
    for row in lexicon_rows():
        basin = basins[row["basin"]]
        seen[basin["code"]] = seen.get(basin["code"], 0) + 1
        spelling = basin["other_spelling"] if seen[basin["code"]] % 2 == 0 and basin["other_spelling"] else ""
        name = row["name"].replace("L'", "L' ", 1) if row["name"].startswith("L'") else row["name"]
        code, region = row["code"], unpadded(row["new"])
        line = (code, credoc[row["new"]], region, row["dept"], code, name, basin["code"], spelling or basin["name"])
        rows.append(line)
    return table(rows, delimiter=",", end="\r\n").removesuffix("\r\n").encode()


def tensions_csv() -> bytes:
    """Tensions per ROME and basin: invented. Overseas basins lose their zero."""
    rng = rng_of("cities-tension")
    labels = {row["code"]: row["label"] for row in facts("rome")}
    labels["A1203"] = "Entretien des espaces verts"  # another label than the referential's, as published
    labels["N9901"] = "Métier absent du référentiel"
    rows: list[Sequence[object]] = [cells("annee ROME rome_label cbassin lib_bassin_bmo19 oee defm_abc ind_tension_d")]
    for basin in sorted((row for row in facts("basins") if row["has_tension"] == "1"), key=lambda row: row["name"]):
        chosen = rng.random(len(labels)) < 0.32
        for (code, label), keep in zip(labels.items(), chosen, strict=True):
            offers, seekers = int(1 + 60 * rng.random() ** 3), int(1 + 120 * rng.random() ** 3)
            tension = 1 + int(pick(rng, (22, 9, 12, 13, 44), 1)[0])
            if keep or (code in {"A1203", "L1510", "N9901"} and basin["code"] in {"0101", "1107", "8428"}):
                rows.append(("2020", code, label, unpadded(basin["code"]), basin["name"], offers, seekers, tension))
    return table(rows).encode()


def pcs_csv() -> bytes:
    """FAP, PCS and ROME: an empty cell equals the one above; titles and notes stand among the cells."""
    rows = [(row["fap"], row["pcs"], row["rome"]) for row in facts("pcs_rome")]
    return table(rows, end="\r\n").encode()


def rome_xml() -> bytes:
    """ROME codes and labels; the OGR numbers are invented."""
    lines = ["<ogr>"]
    for number, row in enumerate(facts("rome"), start=6):
        lines.append("<item_referentiel_code_rome>")
        lines.append(f"<code_ogr>{number}</code_ogr>")
        lines.append(f"<code_rome>{row['code']}</code_rome>")
        lines.append(f"<libelle>{row['label']}</libelle>")
        lines.append("<statut1>1</statut1>")
        lines.append("</item_referentiel_code_rome>")
    return ("\n".join([*lines, "</ogr>"]) + "\n").encode()


def quoted(rows: Iterable[Sequence[object]]) -> bytes:
    """Return a table of the ROME open data: commas, every cell quoted, a byte order mark."""
    return table(rows, delimiter=",", quoting=csv.QUOTE_ALL).encode("utf-8-sig")


def appellations_csv() -> bytes:
    """Names of jobs per ROME; the OGR numbers are invented."""
    rows: list[Sequence[object]] = [("code_ogr", "libelle_appellation_long", "libelle_appellation_court", "code_rome")]
    number = 10_000
    for row in facts("rome"):
        for label in row["appellations"].split("|"):
            number += 1
            rows.append((number, label, label, row["code"]))
    return quoted(rows)


def skill_numbers() -> dict[str, int]:
    """Return the (invented) OGR number of each skill; a skill may serve several ROME codes."""
    labels = dict.fromkeys(label for row in facts("rome") for label in row["skills"].split("|"))
    return {label: 100_001 + position for position, label in enumerate(labels)}


def skills_csv() -> bytes:
    """Skills, with their OGR number and category: invented."""
    rows: list[Sequence[object]] = [("code_ogr", "libelle_competence", "cat_comp")]
    rows += [(number, label, 1 + number % 2) for label, number in skill_numbers().items()]
    return quoted(rows)


def coherence_csv() -> bytes:
    """Which item (skill or name of a job) belongs to which ROME, and whether it is at its heart."""
    numbers = skill_numbers()
    rows: list[Sequence[object]] = [("code_rome", "code_ogr", "coeur_metier")]
    for row in facts("rome"):
        for position, label in enumerate(row["skills"].split("|")):
            rows.append((row["code"], numbers[label], "1" if position == 0 else ""))
    return quoted(rows)


def helps_json() -> bytes:
    """Mobility aids, from facts/helps.json."""
    rows = json.loads((FACTS / "helps.json").read_text(encoding="utf-8"))
    return json.dumps(rows, indent=2, ensure_ascii=False).encode()


def prices_csv() -> bytes:
    """Price per m2 and commune: invented, NA for some and for the three departments the source leaves out."""
    rng = rng_of("dvf-communes")
    rows: list[Sequence[object]] = [
        cells("ID INSEE_COM INSEE_DEP INSEE_REG CODE_EPCI NOM_COM_M POPULATION Nb_Ventes PrixMoyen_M2")
    ]
    mainland = [row for row in communes() if not row["code"].startswith("97")]
    for row in shuffled(rng, mainland + whole_cities()):
        code, district = row["code"], is_district(row["code"])
        people = max(30, int(float(row["population"]) * 1000 + 40 * rng.random()))
        sales = int(people * (0.004 + 0.02 * rng.random()))
        price = int(600 + 4500 * rng.random() ** 2 + (6000 if row["dept"] == "75" else 0))
        none = code in CITIES or row["dept"] in {"57", "67", "68"} or sales < 3 or rng.random() < 0.05
        name = row["name"].replace("-", " ").replace("'", " ")
        epci = "" if district else 200_000_000 + int(rng.integers(0, 99_999))
        identity = f"{'ARR_MUNI' if district else 'COMMUNE_'}00000000{97_000_000 + zlib.crc32(code.encode()) % 999_999}"
        last = ("NA", "NA") if none else (sales, price)
        rows.append((identity, unpadded(code), unpadded(row["dept"]), row["new"], epci, plain(name), people, *last))
    return table(rows, end="\r\n").encode("ascii")


def rents_csv() -> bytes:
    """Rent per m2 and commune, ISO-8859-1 with decimal commas: invented."""
    rng = rng_of("indicateurs-loyers")
    header = "id_zone;INSEE;LIBGEO;DEP;REG;EPCI;TYPPRED;loypredm2;lwr.IPm2;upr.IPm2;R2adj;NBobs_maille;NBobs_commune"
    rows: list[Sequence[object]] = [header.split(";")]
    for row in sorted(communes(), key=lambda row: row["code"]):
        if row["dept"] == "976":
            continue
        rent = 7 + 9 * rng.random() + (18 if row["dept"] == "75" else 0)
        own = int(float(row["population"]) * 60 * rng.random())
        scale = "commune" if own > 500 else ("epci" if rng.random() < 0.25 else "maille")
        name = row["name"].replace("œ", "oe")
        if is_district(row["code"]):
            name = name.replace("-", " ")
        epci = "ZZZZZZZZZ" if name.startswith("Île-de-") or name == "Ouessant" else str(int(rng.integers(2, 9)) * 10**8)
        rows.append(
            (
                int(rng.integers(1, 2500)),
                unpadded(row["code"]),
                name,
                unpadded(row["dept"]),
                unpadded(row["new"]),
                epci,
                scale,
                comma(rent, 8),
                comma(rent * 0.8, 9),
                comma(rent * 1.27, 8),
                comma(0.4 + 0.4 * rng.random(), 9),
                own + int(rng.integers(100, 3000)),
                own,
            )
        )
    return table(rows, end="\r\n").encode("latin-1")


def zoning_json() -> bytes:
    """Zones where housing is short: invented, absent for the small communes."""
    rng = rng_of("zonage")
    zones: list[dict[str, object]] = []
    for row in sorted([*whole_cities(), *communes()], key=lambda row: row["code"]):
        people, fee = float(row["population"]), (8, 10, 13, 15)[int(rng.integers(0, 4))]
        if people >= 15:
            zones.append({"codeInsee": row["code"], "frais": 15 if row["code"] == "75056" else fee})
    return json.dumps({"zonageCommunes": zones}, separators=(",", ":")).encode()


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


def facilities_csv() -> str:
    """One row per facility: the number grows with the population, the rest is drawn."""
    rng = rng_of("bpe")
    rows, kinds = communes(), facts("facilities")
    where = np.sort(pick(rng, [float(row["population"]) + 0.05 for row in rows], BPE_ROWS))
    what = pick(rng, [float(kind["weight"]) for kind in kinds], BPE_ROWS)
    types = np.array([kind["code"] for kind in kinds])[what]
    column: dict[str, Any] = dict.fromkeys(BPE_COLUMNS, "")
    column |= {"AN": "2021", "QUALITE_XY": "Bonne", "QP": "CSZ", "QVA": "CSZ", "ZFU": "CSZ", "ZUS": "CSZ"}
    column["DEPCOM"] = codes = np.array([row["code"] for row in rows])[where]
    column["DEP"] = np.array([row["dept"] for row in rows])[where]
    column["REG"] = np.array([row["new"] for row in rows])[where]
    column["DCIRIS"] = np.char.add(codes, "_0101")
    column |= {"TYPEQU": types, "DOM": types.astype("U1"), "SDOM": types.astype("U2")}
    column["LAMBERT_X"] = rng.integers(1_000, 12_000, BPE_ROWS) * 100.0
    column["LAMBERT_Y"] = rng.integers(60_500, 71_000, BPE_ROWS) * 100.0
    frame = pd.DataFrame(column, index=range(BPE_ROWS), columns=BPE_COLUMNS)
    return frame.to_csv(sep=";", index=False, lineterminator="\n")


def facility_labels_csv() -> str:
    """The labels of the facility types, in the layout of the zip's varmod file."""
    rows: list[Sequence[object]] = [cells("COD_VAR LIB_VAR LIB_VAR_LONG COD_MOD LIB_MOD TYPE_VAR LONG_VAR")]
    for kind in facts("facilities"):
        rows.append(("TYPEQU", "Type d'équipement", "Type d'équipement", kind["code"], kind["label"], "CHAR", 4))
    rows.append(("REG", "Région", "Région d'implantation de l'équipement", "11", "Île-de-France", "CHAR", 2))
    return table(rows)


def bpe_zip() -> bytes:
    """The zip of the facilities, with fixed timestamps."""
    members = {"bpe21_ensemble_xy.csv": facilities_csv(), "varmod_bpe21_ensemble_xy.csv": facility_labels_csv()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in members.items():
            entry = zipfile.ZipInfo(name, date_time=(2022, 7, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            archive.writestr(entry, text.encode(), compresslevel=9)
    return out.getvalue()


def offers_bz2(day: str, size: int) -> bytes:
    """One daily dump of offers per commune and ROME: invented, with the oddities of the real dumps."""
    rng = rng_of(f"offers {day}")
    strangers = ["97501", "97701", "98818", "98735", "55138"]
    codes = [row["code"] for row in communes()] + list(CITIES) + strangers
    weights = [float(row["population"]) + 0.3 for row in communes()] + [60.0] * len(CITIES) + [2.0] * len(strangers)
    romes = [row["code"] for row in facts("rome")]
    where, what = pick(rng, weights, size), rng.integers(0, len(romes), size)
    counts = 1 + (40 * rng.random(size) ** 8).astype(int)
    named: dict[tuple[str, str], set[int]] = {}
    for place, job, count in zip(where, what, counts, strict=True):
        seen = named.setdefault((codes[place], romes[job]), set())
        if len(seen) < 2:  # a commune and ROME stand at most twice, never with equal counts
            seen.add(int(count))
    lines = [f'"{code}";{rome};{count};{day}' for (code, rome), seen in named.items() for count in sorted(seen)]
    blank = [f";{rome};{1 + int(80 * rng.random())};{day}" for rome in romes[: size // 300]]
    null = [f"null;{rome};{1 + int(30 * rng.random())};{day}" for rome in romes[-(size // 400) :]]
    header = '"commune";"dc_rome_id";"nb_offre";"date_extract"'
    text = "".join(f"{line}\r\n" for line in [header, *blank, *shuffled(rng, lines), *null])
    return bz2.compress(text.encode(), 9)


FILES: dict[str, Callable[[], bytes]] = {
    "anciennes-nouvelles-regions.json": regions_json,
    "regions-social-housing.json": social_housing_json,
    "departements.csv": departments_csv,
    "cities-france.csv": cities_csv,
    "cities_rent.csv": city_rents_csv,
    "lexique-bassins.csv": basins_csv,
    "cities-tension-utf8.csv": tensions_csv,
    "table-correspondance-pcs-rome.csv": pcs_csv,
    "unix_referentiel_code_rome_v346_utf8.xml": rome_xml,
    "unix_referentiel_appellation_v346_utf8.csv": appellations_csv,
    "unix_referentiel_competence_v346_utf8.csv": skills_csv,
    "unix_coherence_item_v346_utf8.csv": coherence_csv,
    "helps.json": helps_json,
    "dvf-communes-2019.csv": prices_csv,
    "indicateurs-loyers-appartements.csv": rents_csv,
    "donnees-de-reference_zonage-commune.json": zoning_json,
    "france-shape-side-sea.geo.json": coast_json,
    "french-weather-station-list.csv": stations_csv,
    "bpe21_ensemble_xy_csv.zip": bpe_zip,
    "datalake/20211221_mv_villes_offre_full.csv.bz2": lambda: offers_bz2("2021-12-21", 18_500),
    "datalake/20211220_mv_villes_offre_full.csv.bz2": lambda: offers_bz2("2021-12-20", 4_000),
}


def write_sample(out: Path) -> list[Path]:
    """Write every file of the sample under `out` and return their paths."""
    contents = {name: make() for name, make in FILES.items()} | climate_sheets()
    paths = []
    for name, content in contents.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        paths.append(path)
    return paths


def main() -> None:
    """Read the command line and write the sample."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE / "sample", help="folder to write (default: %(default)s)")
    out: Path = parser.parse_args().out
    paths = write_sample(out)
    print(f"{len(paths)} files, {sum(path.stat().st_size for path in paths):,} bytes in {out}")


if __name__ == "__main__":
    main()
