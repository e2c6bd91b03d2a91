"""Housing, facilities and mobility aids."""

import io
import json
import zipfile
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from tests.sample_maker.drawing import (
    CITIES,
    FACTS,
    cells,
    comma,
    communes,
    facts,
    is_district,
    pick,
    plain,
    rng_of,
    shuffled,
    table,
    unpadded,
    whole_cities,
)

RENT_CITIES = cells(
    "Paris,Marseille,Lyon,Toulouse,Nice,Nantes,Strasbourg,Montpellier,Bordeaux,Rennes,Le Havre,Reims,Lille,"
    "Saint-Étienne,Toulon,Grenoble,Dijon,Brest,Le Mans,Clermont-Ferrand,Amiens,Aix-en-Provence,Limoges,Nîmes,Tours,"
    "Villeurbanne,Metz,Besançon,Perpignan,Boulogne-Billancourt,Versailles,Vincennes,Rouen,Montreuil,Nancy,"
    "La Rochelle,Courbevoie,Annecy,Issy-les-Moulineaux,Montrouge,Clichy,Caen,Saint-Ouen,Rueil-Malmaison,"
    "Neuilly-sur-Seine,Puteaux,Cannes,Pantin,Suresnes",
    ",",
)
BPE_COLUMNS = cells(
    "AAV2020 AN BV2012 DEP DEPCOM DOM EPCI DCIRIS LAMBERT_X LAMBERT_Y QP QUALI_IRIS QUALI_QP QUALI_QVA "
    "QUALI_ZFU QUALI_ZUS QUALITE_XY QVA REG SDOM TYPEQU UU2020 ZFU ZUS"
)
BPE_ROWS = 60_000


def city_rents_csv() -> bytes:
    """Rents of the big cities, by name in upper case without hyphen or accent; the rents are invented."""
    rng = rng_of("cities_rent")
    rows: list[Sequence[object]] = [("city", "rent_t2", "rent_t4")]
    for name in RENT_CITIES:
        rent = int(rng.integers(400, 1400))
        rows.append((plain(name).replace("-", " "), rent, int(rent * (1.4 + 0.3 * rng.random()))))
    return table(rows).encode()


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
