"""The one description of every table of the warehouse.

Everything that depends on a column derives from here: the tables created in MariaDB and SQLite, the schema of the
staged Parquet files, the column metadata shown in Dagster. A column is added here and nowhere else.

Each column's comment says what it holds, its unit, and the source it comes from. Names and types are a contract with
the web tier, which reads these tables unchanged.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
)

if TYPE_CHECKING:  # 40 MB and a third of a second, which the read API does without
    import pyarrow as pa

metadata = MetaData()

STAMPS = ("created_at", "updated_at", "deleted_at")
"""Columns that the database fills at the load; no source gives them."""

COMMUNE = r"^(?:\d{2}|2[AB])\d{3}$"
DEPARTMENT = r"^(?:\d{2}|2[AB]|9[78]\d)$"
POSTAL_CODES = r"^\d{5}(?:/\d{5})*$"
ROME = r"^[A-N]\d{4}$"
PCS = r"^\d{3}[0-9a-z]$"
FAP = r"^[A-Z]\d[A-Z]\d{2}$"
FACILITY_TYPE = r"^[A-G]\d{3}$"

Range = tuple[float, float]
"""The least and the most that a value may be, in the column's unit."""

REGION: Range = (1, 94)
BASIN: Range = (101, 9999)
LATITUDE: Range = (-27.7, 51.2)
"""From Rapa in French Polynesia to Bray-Dunes, degrees."""
LONGITUDE: Range = (-178.2, 168.2)
"""From Wallis and Futuna to Mare in New Caledonia, degrees."""
RENT: Range = (50, 10_000)


def _id() -> Column[int]:
    return Column("id", Integer, primary_key=True, comment="1 to n, in the order of the rows")


def _stamps(*, deleted: bool = False) -> list[Column[Any]]:
    stamps: list[Column[Any]] = [
        Column(name, DateTime, nullable=False, server_default=func.now(), comment="when the row was loaded (UTC)")
        for name in STAMPS[:2]
    ]
    if deleted:
        stamps.append(Column("deleted_at", DateTime, comment="NULL = live; readers filter on it"))
    return stamps


def _str(name: str, comment: str, length: int = 255, *, matches: str | None = None, **options: Any) -> Column[str]:
    return Column(name, String(length), comment=comment, info={"matches": matches}, **options)


def _text(name: str, comment: str) -> Column[str]:
    return Column(name, Text, comment=comment)


def _int(name: str, comment: str, between: Range | None = None, **options: Any) -> Column[int]:
    return Column(name, Integer, comment=comment, info={"between": between}, **options)


def _float(name: str, comment: str, between: Range | None = None) -> Column[float]:
    return Column(name, Double, comment=comment, info={"between": between})


def _table(name: str, comment: str, *content: Any) -> Table:
    return Table(
        name,
        metadata,
        *content,
        comment=comment,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_general_ci",
        mariadb_engine="InnoDB",
        mariadb_charset="utf8mb4",
        mariadb_collate="utf8mb4_general_ci",
    )


bassins = _table(
    "bassins",
    "Commune to employment basin: one row per row of the lexicon",
    _id(),
    _str(
        "code_commune_insee", "INSEE code of the commune (lexicon: CODE_COMMUNE_INSEE)", matches=COMMUNE, nullable=False
    ),
    _str("reg_credoc", "letter of the region at CREDOC (lexicon: REG_CREDOC)"),
    _int("reg", "code of the region since 2016 (lexicon: REG)", REGION),
    _str("dep", "code of the department (lexicon: DEP)", matches=DEPARTMENT),
    _str("code_commune", "INSEE code of the commune (lexicon: CCOMMUNE)"),
    _str("nom_com", "name of the commune (lexicon: NOMCOM)"),
    _int("bassin_id", "the integer of the basin's code (lexicon: BE19)", BASIN, nullable=False),
    _str("bassin_name", "name of the basin (lexicon: NOMBE19)"),
    *_stamps(deleted=True),
    Index("ix_bassins_bassin_id", "bassin_id"),
    Index("ix_bassins_code_commune_insee", "code_commune_insee"),
)

cities = _table(
    "cities",
    "Communes and municipal districts of France, and the cities of Paris, Lyon and Marseille made from theirs",
    _id(),
    _str("code_comm", "code of the commune within its department (communes: Code Commune)"),
    _str("nom_dept", "name of the department (communes: Département)"),
    _str("statut", "administrative rank (communes: Statut)"),
    _int("z_moyen", "mean altitude, m (communes: Altitude Moyenne)", (-10, 4_810)),
    _str("nom_region", "name of the region before 2016 (communes: Région)"),
    _int("new_code_region", "code of the region since 2016 (communes: Code Région, through the regions file)", REGION),
    _str("insee_com", "INSEE code of the commune or district (communes: Code INSEE)", matches=COMMUNE, nullable=False),
    _str("code_dept", "code of the department (communes: Code Département)", matches=DEPARTMENT),
    _float("geo_point_2d_x", "LATITUDE, despite its name, degrees (communes: geo_point_2d)", LATITUDE),
    _float("geo_point_2d_y", "LONGITUDE, despite its name, degrees (communes: geo_point_2d)", LONGITUDE),
    _str("postal_code", "postal codes, joined by / (communes: Code Postal)", matches=POSTAL_CODES),
    _str("id_geofla", "identifier in IGN's GEOFLA (communes: ID Geofla)"),
    _str("code_cant", "code of the canton (communes: Code Canton)"),
    _int("superficie", "area, hectares (communes: Superficie)", (0, 2_000_000)),
    _str("nom_comm", "name in capitals (communes: Commune)"),
    _str("code_arr", "code of the arrondissement of the department (communes: Code Arrondissement)"),
    _float("population", "inhabitants, thousands (communes: Population); districts hold their city's", (0, 2_500)),
    _int(
        "distance_from_sea",
        "great-circle distance to the nearest vertex of the sea-side outline, km (coastline)",
        (0, 20_004),
    ),
    _float(
        "average_temperature",
        "mean of the monthly mean temperatures of the nearest station, deg C (weather)",
        (-10, 35),
    ),
    _text("description", "introduction of the commune's Wikipedia article"),
    _text("description_url", "address of that article: attribution goes with the text"),
    _int("description_revision", "revision of the article that the introduction is of"),
    _str("description_licence", "licence of the introduction"),
    _float(
        "average_houseselled",
        "mean price of sold housing, EUR per m2 (DVF: PrixMoyen_M2); 0 = none published",
        (0, 50_000),
    ),
    _int("city_house_tension", "housing tension, `frais` of the zoning file; 0 = not zoned"),
    _float(
        "average_houserent",
        "rent of a flat, EUR per m2 and month (rents file: loypredm2); 0 = none published",
        (0, 100),
    ),
    _float("rent_t2", "rent of a two-room flat, EUR per month (city rents: rent_t2)", RENT),
    _float("rent_t4", "rent of a four-room flat, EUR per month (city rents: rent_t4)", RENT),
    _text("cache_living_environment", "kept for the web tier; nothing fills it"),
    _text("photo", "address of the page image of the commune's Wikipedia article"),
    _text("photo_page", "page that says whose the photo is, and under which licence"),
    _int("total_social_housing", "social housing units, number (communes: LGT SOCIAUX)", (0, 500_000)),
    *_stamps(),
    UniqueConstraint("insee_com", name="uq_cities_insee_com"),
    Index("ix_cities_distance_from_sea", "distance_from_sea"),
    Index("ix_cities_z_moyen", "z_moyen"),
    Index("ix_cities_population", "population"),
    Index("ix_cities_new_code_region", "new_code_region"),
    Index("ix_cities_code_dept", "code_dept"),
)

cities_jobs = _table(
    "cities_jobs",
    "Job offers per commune and ROME, from one daily dump of the datalake",
    _id(),
    _str("insee_code", "INSEE code of the commune (dump: commune)", 10, matches=COMMUNE, nullable=False),
    _str("rome_id", "ROME code (dump: dc_rome_id)", 10, matches=ROME, nullable=False),
    _int("number", "offers, number: the sum over the dump's rows (dump: nb_offre)", (1, 1_000_000), nullable=False),
    Index("ix_cities_jobs_insee_code_rome_id", "insee_code", "rome_id"),
    Index("ix_cities_jobs_rome_id", "rome_id"),
    Index("ix_cities_jobs_number", "number"),
)

departements = _table(
    "departements",
    "Departments and what housing costs there",
    _str("code", "code of the department: 01, 2A, 971 (departements: code)", 3, matches=DEPARTMENT, primary_key=True),
    _str("name", "name of the department (departements: name)", nullable=False),
    _float("rent_t2", "rent of a two-room flat, EUR per month (departements: rent_t2)", RENT),
    _float("rent_t4", "rent of a four-room flat, EUR per month (departements: rent_t4)", RENT),
)

equipments = _table(
    "equipments",
    "Facilities per commune and type, from INSEE's BPE; Paris, Lyon and Marseille as the sum of their districts",
    _id(),
    _str("depcom", "INSEE code of the commune or district (BPE: DEPCOM)", matches=COMMUNE),
    _str("typequ", "facility type, a code of the BPE's vintage (BPE: TYPEQU)", matches=FACILITY_TYPE),
    _int("total", "facilities, number", (1, 1_000_000), nullable=False),
    Index("ix_equipments_depcom_typequ", "depcom", "typequ"),
)

helps = _table(
    "helps",
    "Mobility aids",
    _id(),
    _str("title", "title of the aid"),
    _text("goal", "what it is for"),
    _text("description", "what it is (HTML)"),
    _text("when", "when to ask for it (HTML)"),
    _text("conditions", "who may have it (HTML)"),
    _text("cumulable", "what it may be combined with (HTML)"),
    _str("link", "where to ask for it"),
    _text("who", "who it is for"),
    _text("section", "sections of the web tier that show it"),
    _str("situation", "situations of the reader it suits"),
    _int("count_vue", "views, number; the web tier counts them", nullable=False, server_default="0"),
    _str("slug", "the aid's name in addresses"),
    _str("logo", "file name of the partner's logo"),
    _str("type", "kind of aid"),
    _str("partner", "who gives it"),
    _int("visibility_boost", "the higher, the earlier it is shown"),
    UniqueConstraint("slug", name="uq_helps_slug"),
)

new_regions = _table(
    "new_regions",
    "Regions since 2016",
    _id(),
    _int("code", "code of the region (regions: new_code)", REGION, nullable=False),
    _str("name", "name (regions: new_name)"),
    _str("name_normalized", "name without accents, lower case (regions: new_name_normalized)"),
    _int("average_delay_obtain_social_housing", "months to obtain social housing (socialHousingDelay)", (0, 240)),
    UniqueConstraint("code", name="uq_new_regions_code"),
)

old_regions = _table(
    "old_regions",
    "Regions before 2016, and the one each became part of",
    _id(),
    _str("former_code", "code of the region before 2016 (regions: former_code)"),
    _str("former_name", "name (regions: former_name)"),
    _str("former_name_normalized", "name without accents, lower case (regions: former_name_normalized)"),
    _int("new_code", "code of the region since 2016 (regions: new_code)", REGION),
    _str("new_name", "name of the region since 2016 (regions: new_name)"),
    UniqueConstraint("former_code", name="uq_old_regions_former_code"),
)

regions_tensions_criterions = _table(
    "regions_tensions_criterions",
    "What the web tier's first page needs, precomputed: one row",
    _id(),
    Column("json", JSON, nullable=False, comment="per region, its ROMEs with their criteria and opportunite"),
)

rome_codes = _table(
    "rome_codes",
    "ROME codes and labels",
    _id(),
    _str("code", "ROME code (referential: code_rome)", 5, matches=ROME, nullable=False),
    _str("label", "label of the trade (referential: libelle)", nullable=False),
    *_stamps(),
    UniqueConstraint("code", name="uq_rome_codes_code"),
)

romeogrs = _table(
    "romeogrs",
    "Job titles (appellations) of each ROME code that tensions has",
    _id(),
    _str("code_rome", "ROME code (code_rome)", matches=ROME, nullable=False),
    _int("code_ogr", "OGR code of the title (code_ogr)", nullable=False),
    _str("ogr_label", "job title (libelle_appellation_long)", nullable=False),
    *_stamps(deleted=True),
    Index("ix_romeogrs_code_rome_code_ogr", "code_rome", "code_ogr"),
    Index("ix_romeogrs_ogr_label", "ogr_label", mysql_prefix="FULLTEXT", mariadb_prefix="FULLTEXT"),
)

romeskills = _table(
    "romeskills",
    "Skills of each ROME code that tensions has",
    _id(),
    _str("code_rome", "ROME code (code_rome)", matches=ROME, nullable=False),
    _str("skill_label", "skill (libelle_competence)", nullable=False),
    *_stamps(deleted=True),
    Index("ix_romeskills_code_rome", "code_rome"),
)

tensions = _table(
    "tensions",
    "Labour tension per ROME and employment basin",
    _id(),
    _str("libfap", "kept for the web tier; nothing fills it"),
    _str("rome", "ROME code (tensions file: ROME)", matches=ROME, nullable=False),
    _str("rome_label", "label of the ROME referential; `unknow` where it has none"),
    _str("fap", "FAP of the first row of the PCS-ROME table on which the ROME stands", matches=FAP),
    _int("bassin_id", "the integer of the basin's code (tensions file: cbassin)", BASIN, nullable=False),
    _str("bassin_lib", "name of the basin (tensions file: lib_bassin_bmo19)"),
    _str("lib_rome", "label of the trade in the tensions file (rome_label)"),
    _float("defm", "kept for the web tier; always 0"),
    _int("dee", "kept for the web tier; nothing fills it"),
    _int("oee_nosais", "kept for the web tier; nothing fills it"),
    _int("ind_t", "tension class, 1 to 5, 5 = hardest to recruit; below 4 the web tier says opportunity", (1, 5)),
    _int("selec_offre", "kept for the web tier; nothing fills it"),
    _str("pcs", "PCS of the first row of the PCS-ROME table on which the ROME stands", matches=PCS),
    *_stamps(deleted=True),
    Index("ix_tensions_bassin_id", "bassin_id"),
    Index("ix_tensions_rome", "rome"),
)

SERVED = tuple(metadata.sorted_tables)
"""The tables readers read, in a fixed order."""

KEYS = {
    "bassins": ("code_commune_insee",),
    "cities": ("insee_com",),
    "cities_jobs": (
        "insee_code",
        "rome_id",
    ),
    "departements": ("code",),
    "equipments": (
        "depcom",
        "typequ",
    ),
    "helps": ("slug",),
    "new_regions": ("code",),
    "old_regions": ("former_code",),
    "regions_tensions_criterions": ("id",),
    "rome_codes": ("code",),
    "romeogrs": (
        "code_rome",
        "code_ogr",
    ),
    "romeskills": (
        "code_rome",
        "skill_label",
    ),
    "tensions": (
        "bassin_id",
        "rome",
    ),
}
"""What tells the rows of each served table apart, beside their `id`."""

MAX_AGE = {name: timedelta(days=400) for name in metadata.tables} | {
    "cities_jobs": timedelta(days=4),
    "departements": timedelta(days=800),
    "new_regions": timedelta(days=800),
    "old_regions": timedelta(days=4000),
}
"""How old the contents of each served table may be: its sources appear yearly, and a month late, unless said here;
dumps come daily, but for a long weekend; regions change with a law, delays and rents when somebody gathers them.
"""

VIEWS = {
    "socialhousings": (
        "SELECT code AS region_code, name AS region_name, average_delay_obtain_social_housing FROM new_regions"
    )
}
"""Views on served tables: name and query."""

record = MetaData()
"""The record of releases: swapped together with the contents it describes, so that it always tells the truth."""

releases = Table(
    "releases",
    record,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="number of the release, rising"),
    Column("started_at", DateTime, nullable=False, comment="when its refresh began (UTC)"),
    Column("published_at", DateTime, nullable=False, comment="when readers began to see it (UTC)"),
    Column("status", String(16), nullable=False, comment="published, rollback or restore"),
    Column("code_version", String(64), nullable=False, comment="version of the code that made it"),
    Column("started_by", String(255), nullable=False, comment="who or what started it"),
)

release_tables = Table(
    "release_tables",
    record,
    Column("release_id", Integer, primary_key=True, autoincrement=False, comment="release"),
    Column("table_name", String(64), primary_key=True, comment="served table"),
    Column("contents_id", Integer, nullable=False, comment="release that loaded these contents"),
    Column("loaded_at", DateTime, nullable=False, comment="when these contents were loaded (UTC)"),
    Column("row_count", Integer, nullable=False, comment="rows, number"),
    Column("sha256", String(64), nullable=False, comment="of the contents and of the table's description"),
    Column("fingerprint", String(64), nullable=False, comment="of the inputs and rules the contents were made with"),
)

release_sources = Table(
    "release_sources",
    record,
    Column("release_id", Integer, primary_key=True, autoincrement=False, comment="release"),
    Column("table_name", String(64), primary_key=True, comment="served table"),
    Column("source_id", String(64), primary_key=True, comment="source, as raw_data/sources.yaml names it"),
    Column("file_name", String(255), primary_key=True, comment="file the source was read from"),
    Column("vintage", String(64), comment="vintage of the file"),
    Column("sha256", String(64), nullable=False, comment="of the file"),
    Column("rows_read", Integer, comment="rows of the file, number"),
    Column("rows_used", Integer, comment="rows of which each gave a row or a value of its own, number"),
    Column("rows_merged", Integer, comment="rows that went into what another gave, number"),
    Column("rows_rejected", Integer, comment="rows that were left out, each with its reason, number"),
)


def contents_schema(table: Table) -> "pa.Schema":
    """The Arrow schema of a table's contents: its columns, without `id` and the stamps, which the load gives."""
    import pyarrow as pa

    return pa.schema(
        [
            pa.field(column.name, _arrow_type(column), nullable=bool(column.nullable))
            for column in table.columns
            if column.name != "id" and column.name not in STAMPS
        ]
    )


def _arrow_type(column: Column[Any]) -> "pa.DataType":
    import pyarrow as pa

    match column.type:
        case Integer():
            return pa.int64()
        case Double():
            return pa.float64()
        case _:
            return pa.string()
