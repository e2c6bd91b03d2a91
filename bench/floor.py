"""The floor: the same files to tables of the same rows, with nothing around it. No checks, no record, no swap.

Reads the raw files of MOBIVILLE_RAW_DATA (communes in the layout of 2015, no COG), makes the tables that a JSON file
describes (`create` and `indexes` per table, SQL) in the empty database of MOBIVILLE_WAREHOUSE_URL, and prints as JSON
the rows of each and the seconds to make them.
"""

import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from bench.database import Cursor, connect, distances_from_sea, load_file
from warehouse.geography import CITIES_OF_DISTRICTS, CITY_OF_DISTRICT

TEXT, INT, REAL = pa.string(), pa.int64(), pa.float64()
WEEK = "2021-12-20"
"""Monday of the real dump's week."""
FIELD_END, ROW_END = "\x1f", "\x1e"
FORM = f"FIELDS TERMINATED BY '{FIELD_END}' ESCAPED BY '\\\\' LINES TERMINATED BY '{ROW_END}'"
BLOCK_BYTES = 8 << 20

Tables = dict[str, pa.Table]


def read_csv(path: Path, columns: dict[str, pa.DataType], delimiter: str = ";", **options: Any) -> pa.Table:
    """The named columns of a csv file; blank and NA are NULL. `options`: encoding, decimal_point, column_names."""
    with pa.input_stream(str(path), compression="detect") as file:
        return pacsv.read_csv(
            file,
            pacsv.ReadOptions(encoding=options.get("encoding", "utf8"), column_names=options.get("column_names")),
            pacsv.ParseOptions(delimiter=delimiter),
            pacsv.ConvertOptions(
                column_types=columns,
                include_columns=list(columns),
                null_values=["", "NA"],
                strings_can_be_null=True,
                decimal_point=options.get("decimal_point", "."),
            ),
        ).combine_chunks()


def lookup(keys: Any, known: Any, values: Any) -> Any:
    """For each key, the value of the same key among the known ones; NULL without one."""
    return values.take(pc.index_in(keys, known.combine_chunks() if isinstance(known, pa.ChunkedArray) else known))


def insee(codes: Any) -> Any:
    """INSEE codes with the zero that they may have lost."""
    return pc.utf8_lpad(codes, 5, "0")


def regions(raw: Path, _made: Tables) -> Tables:
    """Regions since 2016 and before."""
    fields = [r["fields"] for r in json.loads((raw / "anciennes-nouvelles-regions.json").read_text("utf-8"))["regions"]]
    delays = json.loads((raw / "regions-social-housing.json").read_text("utf-8"))
    months = {int(delay["region_code"]): delay["socialHousingDelay"] for delay in delays}
    new = {
        int(f["new_code"]): {
            "code": int(f["new_code"]),
            "name": f["new_name"],
            "name_normalized": f["new_name_normalized"],
            "average_delay_obtain_social_housing": months.get(int(f["new_code"])),
        }
        for f in fields
    }
    names = ("former_code", "former_name", "former_name_normalized", "new_name")
    old = {f["former_code"]: {"new_code": int(f["new_code"])} | {name: f[name] for name in names} for f in fields}
    return {
        "new_regions": pa.Table.from_pylist(list(new.values())),
        "old_regions": pa.Table.from_pylist(list(old.values())),
    }


def departements(raw: Path, _made: Tables) -> Tables:
    """Departments."""
    table = read_csv(raw / "departements.csv", {"code": TEXT, "name": TEXT, "rent_t2": REAL, "rent_t4": REAL})
    overseas = {"Guadeloupe": "971", "Martinique": "972", "Guyane": "973", "La Réunion": "974", "Mayotte": "976"}
    own = lookup(table["name"], pa.array(overseas), pa.array(overseas.values()))
    return {"departements": table.set_column(0, "code", pc.coalesce(own, pc.utf8_lpad(table["code"], 2, "0")))}


def rome_codes(raw: Path, _made: Tables) -> Tables:
    """ROME codes and labels."""
    text = next(raw.glob("unix_referentiel_code_rome_v*.xml")).read_text("utf-8")
    found = re.findall(r"<code_rome>(.*?)</code_rome>\s*<libelle>(.*?)</libelle>", text)
    return {"rome_codes": pa.table({"code": [code for code, _ in found], "label": [label for _, label in found]})}


def cities(raw: Path, made: Tables) -> Tables:
    """Communes, with what housing costs and how far the sea is."""
    texts = {"nom_dept": "Département", "statut": "Statut", "nom_region": "Région", "postal_code": "Code Postal"}
    texts |= {"nom_comm": "Commune", "id_geofla": "ID Geofla", "code_comm": "Code Commune"}
    texts |= {"code_cant": "Code Canton", "code_arr": "Code Arrondissement"}
    reals = {"z_moyen": "Altitude Moyenne", "superficie": "Superficie", "total_social_housing": "LGT SOCIAUX"}
    types = dict.fromkeys(texts.values(), TEXT) | dict.fromkeys(reals.values(), REAL)
    types |= {"Code INSEE": TEXT, "Code Département": TEXT, "Code Région": TEXT, "geo_point_2d": TEXT}
    file = read_csv(raw / "cities-france.csv", types | {"Population": REAL})
    point = pc.split_pattern(file["geo_point_2d"], ",", max_splits=1)
    old = made["old_regions"]
    columns = {name: file[spelling] for name, spelling in texts.items()}
    columns |= {name: pc.cast(pc.round(file[spelling]), INT) for name, spelling in reals.items()}
    columns |= {
        "insee_com": insee(file["Code INSEE"]),
        "code_dept": pc.utf8_lpad(file["Code Département"], 2, "0"),
        "new_code_region": lookup(
            pc.utf8_lpad(file["Code Région"], 2, "0"), pc.utf8_lpad(old["former_code"], 2, "0"), old["new_code"]
        ),
        "population": file["Population"],
        "geo_point_2d_x": pc.cast(pc.utf8_trim_whitespace(pc.list_element(point, 0)), REAL),
        "geo_point_2d_y": pc.cast(pc.utf8_trim_whitespace(pc.list_element(point, 1)), REAL),
    }
    return {"cities": with_housing(with_whole_cities(pa.table(columns)), raw)}


def city_of(insee_codes: Any) -> Any:
    """The city of which each commune is a district; NULL for what is none."""
    return lookup(insee_codes, pa.array(CITY_OF_DISTRICT), pa.array(CITY_OF_DISTRICT.values()))


def with_whole_cities(communes: pa.Table) -> pa.Table:
    """The communes with their `city` and the `inhabitants` of the file, and PARIS, LYON and MARSEILLE.

    They are as their first districts, but for what all their districts add up to; districts have their population.
    """
    communes = communes.append_column("city", city_of(communes["insee_com"]))
    communes = communes.append_column("inhabitants", communes["population"])
    by_code = {row["insee_com"]: row for row in communes.filter(pc.is_valid(communes["city"])).to_pylist()}
    added = []
    for code, city in CITIES_OF_DISTRICTS.items():
        own = [by_code[district] for district, of in CITY_OF_DISTRICT.items() if of == code]
        sums = {name: sum(row[name] for row in own) for name in ("superficie", "total_social_housing")}
        sums["z_moyen"] = round(sum(row["z_moyen"] * row["superficie"] for row in own) / sums["superficie"])
        named = {"insee_com": code, "nom_comm": city.name, "code_comm": code[2:], "population": city.population}
        codes = "/".join(dict.fromkeys(row["postal_code"] for row in own))
        added.append(by_code[city.first_district] | sums | named | {"postal_code": codes, "city": None})
    people = pa.array([city.population for city in CITIES_OF_DISTRICTS.values()])
    of_city = lookup(communes["city"], pa.array(CITIES_OF_DISTRICTS), people)
    where = communes.schema.get_field_index("population")
    communes = communes.set_column(where, "population", pc.coalesce(of_city, communes["population"]))
    return pa.concat_tables([communes, pa.Table.from_pylist(added, communes.schema)])


def with_housing(communes: pa.Table, raw: Path) -> pa.Table:
    """The communes with what housing costs, 0 where nobody says, and how far the sea is."""
    prices = read_csv(raw / "dvf-communes-2019.csv", {"INSEE_COM": TEXT, "PrixMoyen_M2": REAL})
    rents_file = raw / "indicateurs-loyers-appartements.csv"
    rents = read_csv(rents_file, {"INSEE": TEXT, "loypredm2": REAL}, encoding="iso-8859-1", decimal_point=",")
    flats = read_csv(raw / "cities_rent.csv", {"city": TEXT, "rent_t2": REAL, "rent_t4": REAL})
    names = pc.if_else(pc.is_null(communes["city"]), pc.replace_substring(communes["nom_comm"], "-", " "), None)
    largest = pc.sort_indices(communes["population"], sort_keys=[("", "descending")])
    with_flat = communes["insee_com"].take(largest).take(pc.index_in(flats["city"], names.take(largest)))
    whole = pc.coalesce(communes["city"], communes["insee_com"])
    added = {
        "average_houseselled": per_commune(communes, prices["INSEE_COM"], prices["PrixMoyen_M2"]),
        "average_houserent": per_commune(communes, rents["INSEE"], rents["loypredm2"]),
        "rent_t2": lookup(whole, with_flat, flats["rent_t2"]),
        "rent_t4": lookup(whole, with_flat, flats["rent_t4"]),
        "distance_from_sea": distances_from_sea(raw / "france-shape-side-sea.geo.json")(
            communes["geo_point_2d_x"], communes["geo_point_2d_y"]
        ),
    }
    for name, values in added.items():
        communes = communes.append_column(name, values)
    return communes.drop_columns(["city", "inhabitants"])


def per_commune(communes: pa.Table, codes: Any, values: Any) -> Any:
    """The value of each commune; of a city without one the mean of its districts', by inhabitants; else 0."""
    own = lookup(communes["insee_com"], insee(codes), values)
    valued = communes.select(["city", "inhabitants"]).append_column("value", own)
    valued = valued.filter(pc.and_(pc.is_valid(own), pc.is_valid(valued["city"])))
    valued = valued.append_column("product", pc.multiply(valued["value"], valued["inhabitants"]))
    sums = valued.group_by("city").aggregate([("product", "sum"), ("inhabitants", "sum")])
    means = pc.divide(sums["product_sum"], sums["inhabitants_sum"])
    return pc.coalesce(own, lookup(communes["insee_com"], sums["city"], means), 0.0)


def bassins(raw: Path, _made: Tables) -> Tables:
    """Communes and their basins."""
    names = {"CODE_COMMUNE_INSEE": TEXT, "REG_CREDOC": TEXT, "REG": INT, "DEP": TEXT, "CCOMMUNE": TEXT, "NOMCOM": TEXT}
    table = read_csv(raw / "lexique-bassins.csv", names | {"BE19": INT, "NOMBE19": TEXT}, ",")
    columns = ["code_commune_insee", "reg_credoc", "reg", "dep", "code_commune", "nom_com", "bassin_id", "bassin_name"]
    return {"bassins": table.rename_columns(columns)}


def tensions(raw: Path, made: Tables) -> Tables:
    """Tension of each ROME in each basin, with its label, FAP and PCS."""
    types = {"ROME": TEXT, "cbassin": INT, "lib_bassin_bmo19": TEXT, "rome_label": TEXT, "ind_tension_d": INT}
    table = read_csv(raw / "cities-tension-utf8.csv", types)
    table = table.rename_columns(["rome", "bassin_id", "bassin_lib", "lib_rome", "ind_t"])
    labels = lookup(table["rome"], made["rome_codes"]["code"], made["rome_codes"]["label"])
    table = table.append_column("rome_label", pc.fill_null(labels, "unknow"))
    above = {"fap": "", "pcs": "", "rome": ""}
    codes: dict[str, dict[str, str]] = {}
    cells = read_csv(raw / "table-correspondance-pcs-rome.csv", dict.fromkeys(above, TEXT), column_names=list(above))
    for row in cells.to_pylist():
        above |= {name: row[name] for name, n in (("fap", 5), ("pcs", 4), ("rome", 5)) if len(row[name] or "") == n}
        codes.setdefault(above["rome"], dict(above))
    for column in ("fap", "pcs"):
        values = pa.array([code[column] for code in codes.values()])
        table = table.append_column(column, lookup(table["rome"], pa.array(codes), values))
    return {"tensions": table.append_column("defm", pa.repeat(0.0, len(table)))}


def cities_jobs(raw: Path, _made: Tables) -> Tables:
    """Offers per commune and ROME."""
    dump = read_csv(
        max((raw / "datalake").glob("*offre*.csv.bz2")), {"commune": TEXT, "dc_rome_id": TEXT, "nb_offre": INT}
    )
    placed = dump.filter(pc.and_(pc.not_equal(dump["commune"], "null"), pc.is_valid(dump["dc_rome_id"])))
    padded = placed.set_column(0, "commune", insee(placed["commune"]))
    counts = padded.group_by(["commune", "dc_rome_id"]).aggregate([("nb_offre", "sum")])
    return {"cities_jobs": counts.rename_columns(["insee_code", "rome_id", "number"])}


def offers_history(_raw: Path, made: Tables) -> Tables:
    """Offers of the newest dump's week per region and ROME; no commune was in another before: there is no COG."""
    regions_of = made["cities"].select(["insee_com", "new_code_region"])
    jobs = made["cities_jobs"].join(regions_of, "insee_code", "insee_com", "inner")
    counts = jobs.group_by(["new_code_region", "rome_id"]).aggregate([("number", "sum")])
    counts = counts.rename_columns(["code_region", "rome_id", "number"])
    week = date.fromisoformat(WEEK)
    counts = counts.append_column("week", pa.repeat(pa.scalar(week), len(counts)))
    return {
        "offers_history": counts.append_column("days", pa.repeat(1, len(counts))),
        "former_communes": pa.table({"code": pa.array([], TEXT)}),
    }


def equipments(raw: Path, _made: Tables) -> Tables:
    """Facilities per commune and type, and those of Paris, Lyon and Marseille."""
    keys = ["DEPCOM", "TYPEQU"]
    reader = pacsv.open_csv(
        next(raw.glob("bpe*.csv")),
        pacsv.ReadOptions(block_size=BLOCK_BYTES),
        pacsv.ParseOptions(delimiter=";"),
        pacsv.ConvertOptions(column_types=dict.fromkeys(keys, TEXT), include_columns=keys),
    )
    parts = [pa.table(batch).group_by(keys).aggregate([([], "count_all")]) for batch in reader]
    counts = pa.concat_tables(parts).group_by(keys).aggregate([("count_all", "sum")])
    counts = counts.rename_columns(["depcom", "typequ", "total"])
    of_cities = counts.set_column(0, "depcom", city_of(counts["depcom"]))
    of_cities = of_cities.filter(pc.is_valid(of_cities["depcom"])).group_by(["depcom", "typequ"])
    of_cities = of_cities.aggregate([("total", "sum")]).rename_columns(["depcom", "typequ", "total"])
    return {"equipments": pa.concat_tables([counts, of_cities])}


def helps(raw: Path, _made: Tables) -> Tables:
    """Mobility aids."""
    rows = json.loads((raw / "helps.json").read_text("utf-8"))
    return {"helps": pa.table({name: [row.get(name) for row in rows] for name in {key for row in rows for key in row}})}


def rome_details(raw: Path, made: Tables) -> Tables:
    """Job titles and skills of the ROME codes in tension, where their files are."""
    titles, links, skills = (
        next(raw.glob(f"unix_{name}_v*.csv"), None)
        for name in ("referentiel_appellation", "coherence_item", "referentiel_competence")
    )
    if not (titles and links and skills):
        return {"romeogrs": pa.table({"code_rome": []}), "romeskills": pa.table({"code_rome": []})}
    romes = made["tensions"]["rome"].combine_chunks()
    ogrs = read_csv(titles, {"code_rome": TEXT, "code_ogr": INT, "libelle_appellation_long": TEXT}, ",")
    ogrs = ogrs.rename_columns(["code_rome", "code_ogr", "ogr_label"])
    label = read_csv(skills, {"code_ogr": TEXT, "libelle_competence": TEXT}, ",")
    linked = read_csv(links, {"code_rome": TEXT, "code_ogr": TEXT}, ",")
    linked = linked.append_column(
        "skill_label", lookup(linked["code_ogr"], label["code_ogr"], label["libelle_competence"])
    )
    linked = linked.filter(pc.is_valid(linked["skill_label"])).select(["code_rome", "skill_label"])
    return {
        "romeogrs": ogrs.filter(pc.is_in(ogrs["code_rome"], romes)),
        "romeskills": linked.filter(pc.is_in(linked["code_rome"], romes)).group_by(linked.column_names).aggregate([]),
    }


def regions_tensions_criterions(_raw: Path, made: Tables) -> Tables:
    """Criteria met and opportunity per region and ROME, as one JSON text."""
    city = made["cities"]
    sea, high, people = city["distance_from_sea"], city["z_moyen"], city["population"]
    criteria = {
        "side-sea": pc.less_equal(sea, 30),
        "mountain": pc.greater_equal(high, 600),
        "campagne": pc.and_(pc.and_(pc.greater_equal(sea, 30), pc.less_equal(people, 20.0)), pc.less_equal(high, 600)),
        "small-city": pc.less_equal(people, 20.0),
        "medium-city": pc.and_(pc.greater(people, 20.0), pc.less(people, 50.0)),
        "big-city": pc.and_(pc.greater_equal(people, 50.0), pc.less(people, 200.0)),
        "extra-big-city": pc.greater_equal(people, 200.0),
    }
    any_met = [(key, "any") for key in criteria]
    plain = [f"{key}_any" for key in criteria]
    met = pa.table({key: pc.fill_null(values, False) for key, values in criteria.items()})
    met = met.append_column("insee", city["insee_com"]).append_column("region", city["new_code_region"])
    lexicon = made["bassins"].select(["code_commune_insee", "bassin_id", "reg"])
    in_basins = met.join(lexicon, "insee", "code_commune_insee", "inner")
    per_basin = in_basins.group_by(["region", "bassin_id"]).aggregate(any_met)
    per_basin = per_basin.select(["region", "bassin_id", *plain]).rename_columns(["region", "bassin_id", *criteria])
    pairs = made["tensions"].select(["rome", "bassin_id", "ind_t"])
    flags = pairs.join(per_basin, "bassin_id", join_type="inner").group_by(["region", "rome"]).aggregate(any_met)
    communes = lexicon.group_by(["reg", "bassin_id"]).aggregate([([], "count_all")])
    sizes = pairs.join(communes, "bassin_id", join_type="inner")
    sizes = sizes.append_column("open", pc.if_else(pc.less(sizes["ind_t"], 4), sizes["count_all"], 0))
    shares = sizes.group_by(["reg", "rome"]).aggregate([("open", "sum"), ("count_all", "sum")]).to_pylist()
    share = {(row["reg"], row["rome"]): halves_up(row["open_sum"], row["count_all_sum"]) for row in shares}
    romes: dict[int, dict[str, Any]] = {}
    for row in flags.to_pylist():
        if keys := [key for key in criteria if row[f"{key}_any"]]:
            own = {"criterions": keys, "opportunite": share.get((row["region"], row["rome"]))}
            romes.setdefault(row["region"], {})[row["rome"]] = own
    regions_list = [
        {"id": str(row["code"]), "label": row["name"], "romes": romes.get(row["code"], {})}
        for row in made["new_regions"].sort_by("name").to_pylist()
    ]
    return {"regions_tensions_criterions": pa.table({"json": [json.dumps(regions_list, ensure_ascii=False)]})}


def halves_up(part: int, whole: int) -> float:
    """The share in hundredths, in whole numbers: halves are exact."""
    return (200 * part + whole) // (2 * whole) / 100


IMPORTS: tuple[Callable[[Path, Tables], Tables], ...] = (
    *(regions, departements, rome_codes, cities, bassins, tensions, cities_jobs, offers_history, equipments, helps),
    *(rome_details, regions_tensions_criterions),
)


def load(cursor: Cursor, name: str, table: pa.Table, schema: dict[str, Any], folder: Path) -> None:
    """Make the table, load it from a file, index it."""
    cursor.execute(schema["create"])
    if len(table):
        texts = [pc.fill_null(pc.cast(column.combine_chunks(), TEXT), "\\N") for column in table.columns]
        lines = pc.binary_join_element_wise(*texts, FIELD_END)
        whole = pc.binary_join(pa.ListArray.from_arrays([0, len(lines)], lines), ROW_END)
        path = folder / name
        path.write_bytes(whole[0].as_buffer())
        load_file(cursor, name, path, table.column_names, FORM)
    for index in schema["indexes"]:
        cursor.execute(index)


def main() -> None:
    """All of it, table after table."""
    raw = Path(os.environ["MOBIVILLE_RAW_DATA"])
    schema = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    made: Tables = {}
    seconds: dict[str, float] = {}
    with connect() as connection, connection.cursor() as cursor, tempfile.TemporaryDirectory() as folder:
        for function in IMPORTS:
            started = time.perf_counter()
            tables = function(raw, made)
            made |= tables
            each = (time.perf_counter() - started) / len(tables)
            for name, table in tables.items():
                load(cursor, name, table, schema[name], Path(folder))
                seconds[name] = each
    print(json.dumps({name: {"rows": len(made[name]), "made": spent} for name, spent in seconds.items()}))


if __name__ == "__main__":
    main()
