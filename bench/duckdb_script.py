"""The rival: the same files to tables of the same rows, as somebody at home in SQL writes it with DuckDB.

Reads and prints what `bench/floor.py` does. Tables are loaded beside those that are served, three at a time, and one
RENAME TABLE swaps all in. No checks, no record, no way back.
"""

import bz2
import json
import os
import re
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
from duckdb.func import ARROW

from bench.database import connect, distances_from_sea, load_file
from warehouse.geography import CITIES_OF_DISTRICTS, CITY_OF_DISTRICT

MACROS = """
CREATE MACRO csv(file, sep := ';', charset := 'utf-8', named := true) AS TABLE
FROM read_csv(file, delim := sep, quote := '"', escape := '"', encoding := charset, header := named,
              all_varchar := true, nullstr := ['', 'NA']);
CREATE MACRO department(code) AS if(length(code) = 1, '0' || code, code)
"""
WHOLE_CITIES = "CREATE TABLE whole_cities AS SELECT unnest(?, recursive := true)"
DISTRICTS = "CREATE TABLE districts AS SELECT unnest(?) AS district, unnest(?) AS city"
"""Paris, Lyon and Marseille and the codes of their districts, from `warehouse.geography`."""

TABLES: dict[str, str] = {}
"""The query of each table; those with the most rows first, which take longest to load."""

TABLES["equipments"] = """
WITH counts AS (SELECT DEPCOM AS depcom, TYPEQU AS typequ, count(*) AS total FROM csv('bpe*.csv') GROUP BY ALL)
FROM counts
UNION ALL
SELECT city, typequ, sum(total) FROM counts JOIN districts ON depcom = district GROUP BY ALL
"""

TABLES["cities_jobs"] = """
SELECT lpad(commune, 5, '0') AS insee_code, dc_rome_id AS rome_id, sum(nb_offre::INT) AS number
FROM csv('dump.csv')
WHERE commune <> 'null' AND dc_rome_id IS NOT NULL
GROUP BY ALL
"""

TABLES["old_regions"] = """
WITH records AS (SELECT unnest(regions).fields AS field FROM read_json('anciennes-nouvelles-regions.json'))
SELECT DISTINCT ON (former_code) former_code, former_name, former_name_normalized, new_code, new_name,
FROM (SELECT field.* FROM records)
"""

TABLES["new_regions"] = """
WITH records AS (SELECT unnest(regions).fields AS field FROM read_json('anciennes-nouvelles-regions.json'))
SELECT DISTINCT field.new_code::INT AS code, field.new_name AS name, field.new_name_normalized AS name_normalized,
    socialHousingDelay AS average_delay_obtain_social_housing,
FROM records LEFT JOIN read_json('regions-social-housing.json') ON region_code::INT = field.new_code::INT
"""

TABLES["departements"] = """
SELECT coalesce(overseas[name], department(code)) AS code, name, rent_t2::DOUBLE AS rent_t2,
    rent_t4::DOUBLE AS rent_t4
FROM csv('departements.csv'), (SELECT MAP {
    'Guadeloupe': '971', 'Martinique': '972', 'Guyane': '973', 'La Réunion': '974', 'Mayotte': '976'} AS overseas)
"""

TABLES["rome_codes"] = r"""
WITH file AS (
    SELECT content, '<code_rome>(.*?)</code_rome>\s*<libelle>(.*?)</libelle>' AS pair
    FROM read_text('unix_referentiel_code_rome_v*.xml'))
SELECT unnest(regexp_extract_all(content, pair, 1)) AS code, unnest(regexp_extract_all(content, pair, 2)) AS label
FROM file
"""

TABLES["bassins"] = """
SELECT CODE_COMMUNE_INSEE AS code_commune_insee, REG_CREDOC AS reg_credoc, REG::INT AS reg, DEP AS dep,
    CCOMMUNE AS code_commune, NOMCOM AS nom_com, BE19::INT AS bassin_id, NOMBE19 AS bassin_name
FROM csv('lexique-bassins.csv', sep := ',')
"""

TABLES["tensions"] = """
WITH lines AS (  -- a blank cell is what stands above it
    SELECT row_number() OVER () AS line, if(length(column0) = 5, column0, NULL) AS fap,
        if(length(column1) = 4, column1, NULL) AS pcs, if(length(column2) = 5, column2, NULL) AS rome
    FROM csv('table-correspondance-pcs-rome.csv', named := false)),
filled AS (
    SELECT line, last_value(fap IGNORE NULLS) OVER above AS fap, last_value(pcs IGNORE NULLS) OVER above AS pcs,
        last_value(rome IGNORE NULLS) OVER above AS rome
    FROM lines WINDOW above AS (ORDER BY line)),
codes AS (SELECT rome, arg_min(fap, line) AS fap, arg_min(pcs, line) AS pcs FROM filled GROUP BY rome)
SELECT rome, cbassin::INT AS bassin_id, lib_bassin_bmo19 AS bassin_lib, rome_label AS lib_rome,
    ind_tension_d::INT AS ind_t, coalesce(label, 'unknow') AS rome_label, fap, pcs, 0 AS defm
FROM csv('cities-tension-utf8.csv') LEFT JOIN rome_codes ON rome = code LEFT JOIN codes USING (rome)
"""

TABLES["cities"] = """
WITH file AS (
    SELECT lpad("Code INSEE", 5, '0') AS insee_com, "Commune" AS nom_comm, "Département" AS nom_dept,
        "Statut" AS statut, "Région" AS nom_region, "Code Postal" AS postal_code, "ID Geofla" AS id_geofla,
        "Code Commune" AS code_comm, "Code Canton" AS code_cant, "Code Arrondissement" AS code_arr,
        department("Code Département") AS code_dept, new_code AS new_code_region, "Population"::DOUBLE AS population,
        "Altitude Moyenne"::DOUBLE::INT AS z_moyen, "Superficie"::DOUBLE::INT AS superficie,
        "LGT SOCIAUX"::DOUBLE::INT AS total_social_housing,
        split_part(geo_point_2d, ',', 1)::DOUBLE AS geo_point_2d_x,
        split_part(geo_point_2d, ',', 2)::DOUBLE AS geo_point_2d_y, city
    FROM csv('cities-france.csv')
    LEFT JOIN old_regions ON lpad(former_code, 2, '0') = lpad("Code Région", 2, '0')
    LEFT JOIN districts ON district = "Code INSEE"),
sums AS (
    SELECT city AS code, sum(superficie) AS superficie, sum(total_social_housing) AS total_social_housing,
        (sum(z_moyen * superficie) / sum(superficie))::INT AS z_moyen,
        string_agg(DISTINCT postal_code, '/' ORDER BY postal_code) AS postal_code
    FROM file WHERE city IS NOT NULL GROUP BY city),
communes AS (  -- districts with the inhabitants of their city; the city as its first district, but for the sums
    SELECT file.* REPLACE (coalesce(whole_cities.population, file.population) AS population)
    FROM file LEFT JOIN whole_cities ON city = code
    UNION ALL
    SELECT file.* REPLACE (code AS insee_com, name AS nom_comm, code[3:] AS code_comm, NULL AS city,
        whole_cities.population AS population, sums.superficie AS superficie, sums.z_moyen AS z_moyen,
        sums.total_social_housing AS total_social_housing, sums.postal_code AS postal_code)
    FROM whole_cities JOIN sums USING (code) JOIN file ON insee_com = first_district),
housing AS (
    SELECT insee_com, price, rent
    FROM (SELECT lpad(INSEE_COM, 5, '0') AS insee_com, PrixMoyen_M2::DOUBLE AS price
        FROM csv('dvf-communes-2019.csv'))
    FULL JOIN (SELECT lpad(INSEE, 5, '0') AS insee_com, replace(loypredm2, ',', '.')::DOUBLE AS rent
        FROM csv('indicateurs-loyers-appartements.csv', charset := 'latin-1')) USING (insee_com)),
means AS (
    SELECT city AS insee_com, sum(price * population) / sum(population) FILTER (price IS NOT NULL) AS price,
        sum(rent * population) / sum(population) FILTER (rent IS NOT NULL) AS rent
    FROM file JOIN housing USING (insee_com) WHERE city IS NOT NULL GROUP BY city),
flats AS (  -- of communes of one name, those of the largest
    SELECT max_by(insee_com, population) AS insee_com, rents.rent_t2::DOUBLE AS rent_t2,
        rents.rent_t4::DOUBLE AS rent_t4
    FROM csv('cities_rent.csv') AS rents JOIN communes ON rents.city = replace(nom_comm, '-', ' ')
    WHERE communes.city IS NULL GROUP BY ALL)
SELECT communes.* EXCLUDE (city), coalesce(housing.price, means.price, 0) AS average_houseselled,
    coalesce(housing.rent, means.rent, 0) AS average_houserent, rent_t2, rent_t4,
    km_from_sea(geo_point_2d_x, geo_point_2d_y) AS distance_from_sea
FROM communes LEFT JOIN housing USING (insee_com) LEFT JOIN means USING (insee_com)
LEFT JOIN flats ON flats.insee_com = coalesce(city, communes.insee_com)
"""

TABLES["offers_history"] = """
SELECT new_code_region AS code_region, rome_id, sum(number) AS number, DATE '2021-12-20' AS week, 1 AS days
FROM cities_jobs JOIN cities ON insee_code = insee_com
GROUP BY ALL
"""

TABLES["helps"] = "FROM read_json('helps.json')"

TABLES["romeogrs"] = """
SELECT code_rome, code_ogr::INT AS code_ogr, libelle_appellation_long AS ogr_label
FROM csv('unix_referentiel_appellation_v*.csv', sep := ',') SEMI JOIN tensions ON rome = code_rome
"""

TABLES["romeskills"] = """
SELECT DISTINCT code_rome, libelle_competence AS skill_label
FROM csv('unix_coherence_item_v*.csv', sep := ',')
JOIN csv('unix_referentiel_competence_v*.csv', sep := ',') USING (code_ogr) SEMI JOIN tensions ON rome = code_rome
"""

TABLES["regions_tensions_criterions"] = """
WITH in_basins AS (  -- a bit for each criterion that a commune of the region in the basin meets
    SELECT new_code_region AS region, bassin_id, bit_or(
        if(distance_from_sea <= 30, 1, 0) | if(z_moyen >= 600, 2, 0)
        | if(distance_from_sea >= 30 AND population <= 20 AND z_moyen <= 600, 4, 0) | if(population <= 20, 8, 0)
        | if(population > 20 AND population < 50, 16, 0) | if(population >= 50 AND population < 200, 32, 0)
        | if(population >= 200, 64, 0)) AS met
    FROM cities JOIN bassins ON insee_com = code_commune_insee GROUP BY ALL),
trades AS (
    SELECT region, rome, bit_or(met) AS met FROM tensions JOIN in_basins USING (bassin_id) GROUP BY ALL),
sizes AS (SELECT reg AS region, bassin_id, count(*) AS communes FROM bassins GROUP BY ALL),
shares AS (  -- whole numbers: halves are rounded up
    SELECT region, rome, sum(if(ind_t < 4, communes, 0)) AS open, sum(communes) AS whole,
        (200 * open + whole) // (2 * whole) / 100 AS opportunite
    FROM tensions JOIN sizes USING (bassin_id) GROUP BY region, rome),
by_region AS (
    SELECT region, json_group_object(rome, json_object(
        'criterions', [name FOR name, n IN ['side-sea', 'mountain', 'campagne', 'small-city', 'medium-city', 'big-city',
            'extra-big-city'] IF met & (1 << (n - 1)) > 0],
        'opportunite', opportunite)) AS romes
    FROM trades LEFT JOIN shares USING (region, rome) WHERE met > 0 GROUP BY region)
SELECT to_json(list({'id': code::VARCHAR, 'label': name, 'romes': coalesce(romes, '{}')}
    ORDER BY strip_accents(lower(name)))) AS json
FROM new_regions LEFT JOIN by_region ON region = code
"""

ROME_DETAILS = ("romeogrs", "romeskills")
"""Empty where their files are not there."""

FORM = r"""FIELDS TERMINATED BY '\t' OPTIONALLY ENCLOSED BY '"' ESCAPED BY ''"""
"""As COPY writes them: a value that needs it in quotes, and the bare word NULL."""


def prepare(db: duckdb.DuckDBPyConnection, raw: Path, folder: Path) -> None:
    """Say what the queries stand on: where files are, how they are read, the whole cities, the sea."""
    db.execute("SET file_search_path = ?", [f"{raw},{folder}"])
    db.execute(MACROS)
    db.execute(WHOLE_CITIES, [[{"code": code, **city._asdict()} for code, city in CITIES_OF_DISTRICTS.items()]])
    db.execute(DISTRICTS, [list(CITY_OF_DISTRICT), list(CITY_OF_DISTRICT.values())])
    distances = distances_from_sea(raw / "france-shape-side-sea.geo.json")
    db.create_function("km_from_sea", distances, ["double", "double"], "bigint", type=ARROW)


def unpack(raw: Path, folder: Path) -> None:
    """Unpack the newest dump: DuckDB reads no bz2."""
    with bz2.open(max((raw / "datalake").glob("*offre*.csv.bz2"))) as dump, (folder / "dump.csv").open("wb") as file:
        shutil.copyfileobj(dump, file, 1 << 20)


def has_rome_details(raw: Path) -> bool:
    """Whether the files of job titles and skills are there."""
    names = ("referentiel_appellation", "coherence_item", "referentiel_competence")
    return all(any(raw.glob(f"unix_{name}_v*.csv")) for name in names)


def load(db: duckdb.DuckDBPyConnection, name: str, schema: dict[str, Any], folder: Path) -> None:
    """Make `<name>__next`, load it from a file, index it in one go."""
    beside, path = f"{name}__next", folder / f"{name}.tsv"
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {beside}")
        cursor.execute(schema["create"].replace(f"CREATE TABLE {name} ", f"CREATE TABLE {beside} ", 1))
        if db.execute("FROM duckdb_tables() WHERE table_name = ?", [name]).fetchone():
            db.execute(f"COPY {name} TO '{path}' (FORMAT csv, DELIMITER '\t', HEADER false, NULLSTR 'NULL')")
            load_file(cursor, beside, path, db.table(name).columns, FORM)
        indexes = [re.sub(r"CREATE (.*?INDEX \w+) ON \w+", r"ADD \1", index) for index in schema["indexes"]]
        if indexes:
            cursor.execute(f"ALTER TABLE {beside} {', '.join(indexes)}")


def swap(names: list[str]) -> None:
    """Put the loaded tables in the place of the served ones, all at once."""
    with connect() as connection, connection.cursor() as cursor:
        cursor.execute("SHOW TABLES")
        served = [name for (name,) in cursor.fetchall() if name in names]
        moves = [f"{name} TO {name}__last" for name in served] + [f"{name}__next TO {name}" for name in names]
        cursor.execute(f"RENAME TABLE {', '.join(moves)}")
        for name in served:
            cursor.execute(f"DROP TABLE {name}__last")


def main() -> None:
    """Make each table while the ones before it are loaded."""
    raw = Path(os.environ["MOBIVILLE_RAW_DATA"])
    schema = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    said = {name: {"rows": 0, "made": 0.0} for name in schema}
    with tempfile.TemporaryDirectory() as temporary, duckdb.connect() as db, ThreadPoolExecutor(3) as pool:
        folder, loads = Path(temporary), []
        prepare(db, raw, folder)
        for name in [*TABLES, *(schema.keys() - TABLES.keys())]:
            started = time.perf_counter()
            if name == "cities_jobs":
                unpack(raw, folder)
            if name in TABLES and (name not in ROME_DETAILS or has_rome_details(raw)):
                db.execute(f"CREATE TABLE {name} AS {TABLES[name]}")
                said[name] = {"rows": len(db.table(name)), "made": time.perf_counter() - started}
            loads.append(pool.submit(load, db.cursor(), name, schema[name], folder))
        for done in loads:
            done.result()
        swap(list(schema))
    print(json.dumps(said))


if __name__ == "__main__":
    main()
