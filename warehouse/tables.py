"""The one description of every table of the warehouse.

Everything that depends on a column derives from here: the tables created in MariaDB and SQLite, the schema of the
staged Parquet files, the column metadata shown in Dagster. A column is added here and nowhere else.

Each column's comment says what it holds and its unit; its `info` says where it comes from and the unit alone (see
`_info`), the table's what tells its rows apart, which imports give them and how old they may be (see `_table`). Names
and types are a contract with the web tier, which reads these tables unchanged.
"""

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    Column,
    Date,
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
from sqlalchemy.types import TypeEngine

from warehouse.codes import COMMUNE, DEPARTMENT, FACILITY_TYPE, FAP, PCS, POSTAL_CODES, ROME
from warehouse.errors import WarehouseError

if TYPE_CHECKING:  # 40 MB and a third of a second, which the read API does without
    import pyarrow as pa

metadata = MetaData()
staged = MetaData()
"""Tables that imports alone read: no database has them."""

STAMPS = ("created_at", "updated_at", "deleted_at")
"""Columns that the database fills at the load; no source gives them."""

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


def _str(
    name: str, comment: str, source: str | None = None, length: int = 255, *, made_from: str = "", **options: Any
) -> Column[str]:
    info = _info(source, made_from, matches=options.pop("matches", None))
    return Column(name, String(length), comment=comment, info=info, **options)


def _text(name: str, comment: str, source: str | None = None) -> Column[str]:
    return Column(name, Text, comment=comment, info=_info(source))


def _number(
    kind: type[TypeEngine[Any]],
    name: str,
    comment: str,
    source: str | None = None,
    between: Range | None = None,
    *,
    unit: str = "",
    made_from: str = "",
    **options: Any,
) -> Column[Any]:
    info = _info(source, made_from, between=between, unit=unit)
    return Column(name, kind, comment=f"{comment}, {unit}" if unit else comment, info=info, **options)


_int, _float = partial(_number, Integer), partial(_number, Double)


def _info(source: str | None, made_from: str = "", **limits: Any) -> dict[str, Any]:
    """`Column.info`: where a column comes from, and what its values are like.

    `source`: the columns of raw files that give it, as `raw_data/sources.yaml` names them ("communes.z_moyen", several
    apart by spaces; "coastline" for a file without columns); "" where no file does. `made_from`: the same for columns
    of staged tables. `between`, `matches`: the range of its values, and the regular expression that they match.
    `unit`: that of its numbers.
    """
    known = source is not None or made_from
    return {"source": _names(source or "") if known else None, "made_from": _names(made_from), **limits}


def _names(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((whole, column) for whole, _, column in (name.partition(".") for name in text.split()))


_MARIADB: dict[str, Any] = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_general_ci"))
}
"""Whatever the database's own are: a file may have any name."""


def _table(
    name: str,
    comment: str,
    *content: Any,
    key: tuple[str, ...] = (),
    parts: tuple[str, ...] = (),
    max_age: timedelta = timedelta(days=400),
    of: MetaData = metadata,
) -> Table:
    """A served table (or one `of` the staged ones), checked. Raises WarehouseError when its key, or where a column
    comes from, is not said.

    In its `info`: `key`, the columns that tell its rows apart, beside their `id`; `parts`, the imports whose rows it
    holds, one after the other (by default the import of its name); `max_age`, how old its contents may be: most sources
    appear yearly, and a month late.
    """
    table = Table(
        name,
        of,
        *content,
        comment=comment,
        info={"key": key, "parts": parts or (name,), "max_age": max_age},
        **_MARIADB,
    )
    if not key or not set(key) <= set(table.columns.keys()):
        raise WarehouseError(
            f"warehouse/tables.py, table {name}: its key is {key or 'not said'}: add key=(…), the columns of the table "
            "that tell its rows apart"
        )
    if unsaid := [column.name for column in contents_columns(table) if column.info.get("source") is None]:
        raise WarehouseError(
            f"warehouse/tables.py, table {name}: nothing says where {', '.join(unsaid)} comes from: after the comment, "
            'add "source_id.column" as raw_data/sources.yaml names them, or "" where no file gives it'
        )
    return table


def contents_columns(table: Table) -> list[Column[Any]]:
    """The columns of a table's contents: all but `id` and the stamps, which the load gives."""
    return [column for column in table.columns if column.name not in ("id", *STAMPS)]


bassins = _table(
    "bassins",
    "Commune to employment basin: one row per row of the lexicon",
    _id(),
    _str(
        "code_commune_insee",
        "INSEE code of the commune",
        "basins_lexicon.code_commune_insee",
        matches=COMMUNE,
        nullable=False,
    ),
    _str("reg_credoc", "letter of the region at CREDOC", "basins_lexicon.reg_credoc"),
    _int("reg", "code of the region since 2016", "basins_lexicon.reg", REGION),
    _str("dep", "code of the department", "basins_lexicon.dep", matches=DEPARTMENT),
    _str("code_commune", "INSEE code of the commune", "basins_lexicon.code_commune"),
    _str("nom_com", "name of the commune", "basins_lexicon.nom_com"),
    _int("bassin_id", "the integer of the basin's code", "basins_lexicon.bassin", BASIN, nullable=False),
    _str("bassin_name", "name of the basin", "basins_lexicon.bassin_name"),
    *_stamps(deleted=True),
    Index("ix_bassins_bassin_id", "bassin_id"),
    Index("ix_bassins_code_commune_insee", "code_commune_insee"),
    key=("code_commune_insee",),
)

cities = _table(
    "cities",
    "Communes and municipal districts of France, and the cities of Paris, Lyon and Marseille made from theirs",
    _id(),
    _str("name", "name as INSEE writes it, with accents; NULL without a COG", "", made_from="cog.name"),
    _str(
        "former_name",
        "name of the commune that had this code before others joined it, where it is delegated or associated still",
        "",
        made_from="cog.former_name",
    ),
    _str("code_comm", "code of the commune within its department", "communes.insee_com", made_from="cog.code"),
    _str("nom_dept", "name of the department", "communes.nom_dept"),
    _str("statut", "administrative rank", "communes.statut"),
    _int("z_moyen", "mean altitude", "communes.z_moyen", (-10, 4_810), unit="m"),
    _str("nom_region", "name of the region before 2016", "communes.nom_region"),
    _int(
        "new_code_region",
        "code of the region since 2016",
        "communes.old_region communes.new_region",
        REGION,
        made_from="old_regions.new_code cog.region",
    ),
    _str(
        "insee_com",
        "INSEE code of the commune or district",
        "communes.insee_com",
        made_from="cog.code",
        matches=COMMUNE,
        nullable=False,
    ),
    _str("code_dept", "code of the department", "communes.code_dept", made_from="cog.department", matches=DEPARTMENT),
    _float(
        "geo_point_2d_x",
        "LATITUDE, despite its name",
        "communes.geo_point_2d communes.latitude communes.latitude_mairie",
        LATITUDE,
        unit="degrees",
    ),
    _float(
        "geo_point_2d_y",
        "LONGITUDE, despite its name",
        "communes.geo_point_2d communes.longitude communes.longitude_mairie",
        LONGITUDE,
        unit="degrees",
    ),
    _str(
        "postal_code",
        "postal codes, joined by /",
        "communes.postal_code communes.postal_codes",
        made_from="cog.postal_codes",
        matches=POSTAL_CODES,
    ),
    _str("id_geofla", "identifier in IGN's GEOFLA", "communes.id_geofla"),
    _str("code_cant", "code of the canton", "communes.code_cant communes.canton"),
    _int("superficie", "area", "communes.superficie", (0, 2_000_000), unit="hectares"),
    _str("nom_comm", "name in capitals", "communes.nom_comm", made_from="cog.name"),
    _str("code_arr", "code of the arrondissement of the department", "communes.code_arr"),
    _float(
        "population",
        "inhabitants (districts: those of their city)",
        "communes.population communes.persons",
        (0, 2_500),
        unit="thousands",
        made_from="cog.persons",
    ),
    _int(
        "distance_from_sea",
        "great-circle distance to the nearest vertex of the sea-side outline",
        "coastline communes.geo_point_2d communes.latitude communes.longitude",
        (0, 20_004),
        unit="km",
    ),
    _float(
        "average_temperature",
        "mean of the monthly mean temperatures of the nearest station",
        "weather_sheets weather_stations.latitude weather_stations.longitude",
        (-10, 35),
        unit="deg C",
    ),
    _text("description", "introduction of the commune's Wikipedia article", "city_descriptions"),
    _text("description_url", "address of that article: attribution goes with the text", "city_descriptions"),
    _int("description_revision", "revision of the article that the introduction is of", "city_descriptions"),
    _str("description_licence", "licence of the introduction", "city_descriptions"),
    _float(
        "average_houseselled",
        "mean price of sold housing (0 = none published)",
        "house_prices.price",
        (0, 50_000),
        unit="EUR per m2",
    ),
    _int("city_house_tension", "housing tension, `frais` of the zoning file; 0 = not zoned", "housing_zones.frais"),
    _float(
        "average_houserent",
        "rent of a flat (0 = none published)",
        "house_rents.rent",
        (0, 100),
        unit="EUR per m2 and month",
    ),
    _float("rent_t2", "rent of a two-room flat", "city_rents.rent_t2", RENT, unit="EUR per month"),
    _float("rent_t4", "rent of a four-room flat", "city_rents.rent_t4", RENT, unit="EUR per month"),
    _text("cache_living_environment", "kept for the web tier; nothing fills it", ""),
    _text("photo", "address of the page image of the commune's Wikipedia article", "city_descriptions"),
    _text("photo_page", "page that says whose the photo is, and under which licence", "city_descriptions"),
    _int("total_social_housing", "social housing units", "communes.total_social_housing", (0, 500_000), unit="number"),
    *_stamps(),
    UniqueConstraint("insee_com", name="uq_cities_insee_com"),
    Index("ix_cities_distance_from_sea", "distance_from_sea"),
    Index("ix_cities_z_moyen", "z_moyen"),
    Index("ix_cities_population", "population"),
    Index("ix_cities_new_code_region", "new_code_region"),
    Index("ix_cities_code_dept", "code_dept"),
    key=("insee_com",),
)

cities_jobs = _table(
    "cities_jobs",
    "Job offers per commune and ROME, from one daily dump of the datalake",
    _id(),
    _str("insee_code", "INSEE code of the commune", "offers_dump.commune", 10, matches=COMMUNE, nullable=False),
    _str("rome_id", "ROME code", "offers_dump.rome", 10, matches=ROME, nullable=False),
    _int(
        "number",
        "offers: the sum over the dump's rows",
        "offers_dump.number",
        (1, 1_000_000),
        unit="number",
        nullable=False,
    ),
    Index("ix_cities_jobs_insee_code_rome_id", "insee_code", "rome_id"),
    Index("ix_cities_jobs_rome_id", "rome_id"),
    Index("ix_cities_jobs_number", "number"),
    key=("insee_code", "rome_id"),
    max_age=timedelta(days=4),  # dumps come daily, but for a long weekend
)

offers_history = _table(
    "offers_history",
    "Job offers per week, region and ROME, from every daily dump of the datalake",
    Column("week", Date, primary_key=True, comment="the week's Monday", info=_info("offers_days")),
    _int(
        "code_region",
        "code of the region since 2016",
        "offers_days.commune",
        REGION,
        made_from="cities.new_code_region",
        primary_key=True,
        autoincrement=False,
    ),
    _str("rome_id", "ROME code", "offers_days.rome", 10, matches=ROME, primary_key=True),
    _int(
        "number",
        "offers: the mean over the week's dumps, rounded",
        "offers_days.number",
        (0, 1_000_000),
        unit="number",
        nullable=False,
    ),
    _int("days", "dumps in that week", "offers_days", (1, 7), unit="number", nullable=False),
    Index("ix_offers_history_rome_id", "rome_id"),
    key=("week", "code_region", "rome_id"),
    max_age=timedelta(days=4),
)

departements = _table(
    "departements",
    "Departments and what housing costs there",
    _str(
        "code",
        "code of the department: 01, 2A, 971",
        "departements.code departements.name",
        3,
        matches=DEPARTMENT,
        primary_key=True,
    ),
    _str("name", "name of the department", "departements.name", nullable=False),
    _float("rent_t2", "rent of a two-room flat", "departements.rent_t2", RENT, unit="EUR per month"),
    _float("rent_t4", "rent of a four-room flat", "departements.rent_t4", RENT, unit="EUR per month"),
    key=("code",),
    max_age=timedelta(days=800),
)

equipments = _table(
    "equipments",
    "Facilities per commune and type, from INSEE's BPE; Paris, Lyon and Marseille as the sum of their districts",
    _id(),
    _str("depcom", "INSEE code of the commune or district", "bpe.depcom", matches=COMMUNE),
    _str("typequ", "facility type, a code of the BPE's vintage", "bpe.typequ", matches=FACILITY_TYPE),
    _int("total", "facilities", "bpe.depcom bpe.typequ", (1, 1_000_000), unit="number", nullable=False),
    Index("ix_equipments_depcom_typequ", "depcom", "typequ"),
    key=("depcom", "typequ"),
    parts=("equipments", "equipments_special"),
)

former_communes = _table(
    "former_communes",
    "Codes that communes had before, and the communes that they are in now; empty without a COG",
    _str(
        "code",
        "INSEE code that was a commune's",
        "cog.former cog.code",
        5,
        made_from="cog.code",
        matches=COMMUNE,
        primary_key=True,
    ),
    _str(
        "name",
        "name of the commune that had it, where one is known",
        "cog.name communes.nom_comm",
        made_from="cog.name",
    ),
    _str(
        "current_code",
        "INSEE code of the commune that it is in now",
        "cog.code",
        made_from="cog.current_code",
        matches=COMMUNE,
        nullable=False,
    ),
    _float(
        "population",
        "inhabitants in the communes file",
        "communes.population communes.persons",
        unit="thousands",
        made_from="cog.population",
    ),
    key=("code",),
)

cog = _table(
    "cog",
    "Every commune code, of today or former, and the commune that it is in now; empty without a COG",
    _str("code", "INSEE code of a commune or district", "cog.code cog.former", 5, matches=COMMUNE, nullable=False),
    _str("name", "name that the commune has or had, where one is known", "cog.name communes.nom_comm"),
    _str("current_code", "INSEE code of the commune that it is in now", "cog.code", 5, nullable=False),
    _str(
        "former_name", "of today's communes, name of the commune that had this code before others joined it", "cog.name"
    ),
    _float("population", "inhabitants in the communes file", "communes.population communes.persons", unit="thousands"),
    _int("persons", "inhabitants of today's communes", "cog.population", unit="persons"),
    _str("postal_codes", "postal codes of today's communes, joined by /", "cog.postal_codes"),
    _str("department", "code of the department of today's communes", "cog.department"),
    _int("region", "code of the region of today's communes", "cog.region"),
    key=("code",),
    of=staged,
)

helps = _table(
    "helps",
    "Mobility aids",
    _id(),
    _str("title", "title of the aid", "helps.title"),
    _text("goal", "what it is for", "helps.goal"),
    _text("description", "what it is (HTML)", "helps.description"),
    _text("when", "when to ask for it (HTML)", "helps.when"),
    _text("conditions", "who may have it (HTML)", "helps.conditions"),
    _text("cumulable", "what it may be combined with (HTML)", "helps.cumulable"),
    _str("link", "where to ask for it", "helps.link"),
    _text("who", "who it is for", "helps.who"),
    _text("section", "sections of the web tier that show it", "helps.section"),
    _str("situation", "situations of the reader it suits", "helps.situation"),
    _int("count_vue", "views, which the web tier counts", "", unit="number", nullable=False, server_default="0"),
    _str("slug", "the aid's name in addresses", "helps.slug"),
    _str("logo", "file name of the partner's logo", "helps.logo"),
    _str("type", "kind of aid", "helps.type"),
    _str("partner", "who gives it", "helps.partner"),
    _int("visibility_boost", "the higher, the earlier it is shown", "helps.visibility_boost"),
    UniqueConstraint("slug", name="uq_helps_slug"),
    key=("slug",),
)

new_regions = _table(
    "new_regions",
    "Regions since 2016",
    _id(),
    _int("code", "code of the region", "anciennes_nouvelles_regions.new_code", REGION, nullable=False),
    _str("name", "name", "anciennes_nouvelles_regions.new_name"),
    _str("name_normalized", "name without accents, lower case", "anciennes_nouvelles_regions.new_name_normalized"),
    _int(
        "average_delay_obtain_social_housing",
        "time to obtain social housing",
        "social_housing_delays.delay",
        (0, 240),
        unit="months",
    ),
    UniqueConstraint("code", name="uq_new_regions_code"),
    key=("code",),
    max_age=timedelta(days=800),
)

old_regions = _table(
    "old_regions",
    "Regions before 2016, and the one each became part of",
    _id(),
    _str("former_code", "code of the region before 2016", "anciennes_nouvelles_regions.former_code"),
    _str("former_name", "name", "anciennes_nouvelles_regions.former_name"),
    _str(
        "former_name_normalized",
        "name without accents, lower case",
        "anciennes_nouvelles_regions.former_name_normalized",
    ),
    _int("new_code", "code of the region since 2016", "anciennes_nouvelles_regions.new_code", REGION),
    _str("new_name", "name of the region since 2016", "anciennes_nouvelles_regions.new_name"),
    UniqueConstraint("former_code", name="uq_old_regions_former_code"),
    key=("former_code",),
    max_age=timedelta(days=4000),
)

regions_tensions_criterions = _table(
    "regions_tensions_criterions",
    "What the web tier's first page needs, precomputed: one row",
    _id(),
    Column(
        "json",
        JSON,
        nullable=False,
        comment="per region, its ROMEs with their criteria and opportunite",
        info=_info(
            "",
            "cities.distance_from_sea cities.z_moyen cities.population cities.new_code_region bassins.bassin_id "
            "bassins.reg tensions.rome tensions.ind_t new_regions.name",
        ),
    ),
    key=("id",),
)

rome_codes = _table(
    "rome_codes",
    "ROME codes and labels",
    _id(),
    _str("code", "ROME code", "rome_referential.code", 5, matches=ROME, nullable=False),
    _str("label", "label of the trade", "rome_referential.label", nullable=False),
    *_stamps(),
    UniqueConstraint("code", name="uq_rome_codes_code"),
    key=("code",),
)

romeogrs = _table(
    "romeogrs",
    "Job titles (appellations) of each ROME code that tensions has",
    _id(),
    _str(
        "code_rome",
        "ROME code",
        "rome_appellations.code_rome rome_appellations.parent rome_api",
        matches=ROME,
        nullable=False,
    ),
    _int("code_ogr", "OGR code of the title", "rome_appellations.code_ogr rome_api", nullable=False),
    _str("ogr_label", "job title", "rome_appellations.label rome_api", nullable=False),
    *_stamps(deleted=True),
    Index("ix_romeogrs_code_rome_code_ogr", "code_rome", "code_ogr"),
    Index("ix_romeogrs_ogr_label", "ogr_label", mysql_prefix="FULLTEXT", mariadb_prefix="FULLTEXT"),
    key=("code_rome", "code_ogr"),
    parts=("rome_ogrs",),
)

romeskills = _table(
    "romeskills",
    "Skills of each ROME code that tensions has",
    _id(),
    _str("code_rome", "ROME code", "rome_skill_links.code_rome rome_api", matches=ROME, nullable=False),
    _str("skill_label", "skill", "rome_skills.label rome_knowledge.label rome_api", nullable=False),
    *_stamps(deleted=True),
    Index("ix_romeskills_code_rome", "code_rome"),
    key=("code_rome", "skill_label"),
    parts=("rome_skills",),
)

tensions = _table(
    "tensions",
    "Labour tension per ROME and employment basin",
    _id(),
    _str("libfap", "kept for the web tier; nothing fills it", ""),
    _str("rome", "ROME code", "tensions.rome", matches=ROME, nullable=False),
    _str("rome_label", "label of the ROME referential; `unknow` where it has none", made_from="rome_codes.label"),
    _str("fap", "FAP of the first row of the PCS-ROME table on which the ROME stands", "pcs_rome.fap", matches=FAP),
    _int("bassin_id", "the integer of the basin's code", "tensions.bassin", BASIN, nullable=False),
    _str("bassin_lib", "name of the basin", "tensions.bassin_lib"),
    _str("lib_rome", "label of the trade in the tensions file", "tensions.lib_rome"),
    _float("defm", "kept for the web tier; always 0", ""),
    _int("dee", "kept for the web tier; nothing fills it", ""),
    _int("oee_nosais", "kept for the web tier; nothing fills it", ""),
    _int(
        "ind_t",
        "tension class, 1 to 5, 5 = hardest to recruit; below 4 the web tier says opportunity",
        "tensions.ind_t",
        (1, 5),
    ),
    _int("selec_offre", "kept for the web tier; nothing fills it", ""),
    _str("pcs", "PCS of the first row of the PCS-ROME table on which the ROME stands", "pcs_rome.pcs", matches=PCS),
    *_stamps(deleted=True),
    Index("ix_tensions_bassin_id", "bassin_id"),
    Index("ix_tensions_rome", "rome"),
    key=("bassin_id", "rome"),
    parts=("tensions_pcs",),
)

SERVED = tuple(metadata.sorted_tables)
"""The tables readers read, in a fixed order."""

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
    **_MARIADB,
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
    **_MARIADB,
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
    **_MARIADB,
)


def described(name: str) -> Table:
    """The table of this name, served or only staged."""
    return (metadata.tables | staged.tables)[name]


def contents_schema(table: Table) -> "pa.Schema":
    """The Arrow schema of a table's contents (see `contents_columns`)."""
    import pyarrow as pa

    columns = contents_columns(table)
    return pa.schema([pa.field(c.name, _arrow_type(c), nullable=bool(c.nullable)) for c in columns])


def _arrow_type(column: Column[Any]) -> "pa.DataType":
    import pyarrow as pa

    match column.type:
        case Integer():
            return pa.int64()
        case Double():
            return pa.float64()
        case Date():
            return pa.date32()
        case _:
            return pa.string()
