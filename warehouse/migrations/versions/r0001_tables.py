"""The tables of the first version."""

import sqlalchemy as sa

from warehouse.migrations.steps import create_table

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make each of them that is not there."""
    create_table(
        "bassins",
        sa.Column("id", sa.Integer(), primary_key=True, comment="1 to n, in the order of the rows"),
        sa.Column(
            "code_commune_insee",
            sa.String(255),
            nullable=False,
            comment="INSEE code of the commune (lexicon: CODE_COMMUNE_INSEE)",
        ),
        sa.Column("reg_credoc", sa.String(255), comment="letter of the region at CREDOC (lexicon: REG_CREDOC)"),
        sa.Column("reg", sa.Integer(), comment="code of the region since 2016 (lexicon: REG)"),
        sa.Column("dep", sa.String(255), comment="code of the department (lexicon: DEP)"),
        sa.Column("code_commune", sa.String(255), comment="INSEE code of the commune (lexicon: CCOMMUNE)"),
        sa.Column("nom_com", sa.String(255), comment="name of the commune (lexicon: NOMCOM)"),
        sa.Column("bassin_id", sa.Integer(), nullable=False, comment="the integer of the basin's code (lexicon: BE19)"),
        sa.Column("bassin_name", sa.String(255), comment="name of the basin (lexicon: NOMBE19)"),
        sa.Column(
            "created_at",
            sa.DateTime(),
            nullable=False,
            server_default=sa.func.now(),
            comment="when the row was loaded (UTC)",
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(),
            nullable=False,
            server_default=sa.func.now(),
            comment="when the row was loaded (UTC)",
        ),
        sa.Column("deleted_at", sa.DateTime(), comment="NULL = live; readers filter on it"),
        sa.Index("ix_bassins_bassin_id", "bassin_id"),
        sa.Index("ix_bassins_code_commune_insee", "code_commune_insee"),
        comment="Commune to employment basin: one row per row of the lexicon",
    )
    create_table(
        "cities",
        sa.Column("id", sa.Integer(), primary_key=True, comment="1 to n, in the order of the rows"),
        sa.Column(
            "code_comm", sa.String(255), comment="code of the commune within its department (communes: Code Commune)"
        ),
        sa.Column("nom_dept", sa.String(255), comment="name of the department (communes: Département)"),
        sa.Column("statut", sa.String(255), comment="administrative rank (communes: Statut)"),
        sa.Column("z_moyen", sa.Integer(), comment="mean altitude, m (communes: Altitude Moyenne)"),
        sa.Column("nom_region", sa.String(255), comment="name of the region before 2016 (communes: Région)"),
        sa.Column(
            "new_code_region",
            sa.Integer(),
            comment="code of the region since 2016 (communes: Code Région, through the regions file)",
        ),
        sa.Column(
            "insee_com",
            sa.String(255),
            nullable=False,
            comment="INSEE code of the commune or district (communes: Code INSEE)",
        ),
        sa.Column("code_dept", sa.String(255), comment="code of the department (communes: Code Département)"),
        sa.Column(
            "geo_point_2d_x", sa.Double(), comment="LATITUDE, despite its name, degrees (communes: geo_point_2d)"
        ),
        sa.Column(
            "geo_point_2d_y", sa.Double(), comment="LONGITUDE, despite its name, degrees (communes: geo_point_2d)"
        ),
        sa.Column("postal_code", sa.String(255), comment="postal codes, joined by / (communes: Code Postal)"),
        sa.Column("id_geofla", sa.String(255), comment="identifier in IGN's GEOFLA (communes: ID Geofla)"),
        sa.Column("code_cant", sa.String(255), comment="code of the canton (communes: Code Canton)"),
        sa.Column("superficie", sa.Integer(), comment="area, hectares (communes: Superficie)"),
        sa.Column("nom_comm", sa.String(255), comment="name in capitals (communes: Commune)"),
        sa.Column(
            "code_arr",
            sa.String(255),
            comment="code of the arrondissement of the department (communes: Code Arrondissement)",
        ),
        sa.Column(
            "population",
            sa.Double(),
            comment="inhabitants, thousands (communes: Population); districts hold their city's",
        ),
        sa.Column(
            "distance_from_sea",
            sa.Integer(),
            comment="great-circle distance to the nearest vertex of the sea-side outline, km (coastline)",
        ),
        sa.Column(
            "average_temperature",
            sa.Double(),
            comment="mean of the monthly mean temperatures of the nearest station, deg C (weather)",
        ),
        sa.Column("description", sa.Text(), comment="introduction of the commune's Wikipedia article"),
        sa.Column(
            "average_houseselled",
            sa.Double(),
            comment="mean price of sold housing, EUR per m2 (DVF: PrixMoyen_M2); 0 = none published",
        ),
        sa.Column(
            "city_house_tension", sa.Integer(), comment="housing tension, `frais` of the zoning file; 0 = not zoned"
        ),
        sa.Column(
            "average_houserent",
            sa.Double(),
            comment="rent of a flat, EUR per m2 and month (rents file: loypredm2); 0 = none published",
        ),
        sa.Column("rent_t2", sa.Double(), comment="rent of a two-room flat, EUR per month (city rents: rent_t2)"),
        sa.Column("rent_t4", sa.Double(), comment="rent of a four-room flat, EUR per month (city rents: rent_t4)"),
        sa.Column("cache_living_environment", sa.Text(), comment="kept for the web tier; nothing fills it"),
        sa.Column("photo", sa.Text(), comment="address of the page image of the commune's Wikipedia article"),
        sa.Column("total_social_housing", sa.Integer(), comment="social housing units, number (communes: LGT SOCIAUX)"),
        sa.Column(
            "created_at",
            sa.DateTime(),
            nullable=False,
            server_default=sa.func.now(),
            comment="when the row was loaded (UTC)",
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(),
            nullable=False,
            server_default=sa.func.now(),
            comment="when the row was loaded (UTC)",
        ),
        sa.UniqueConstraint("insee_com", name="uq_cities_insee_com"),
        sa.Index("ix_cities_code_dept", "code_dept"),
        sa.Index("ix_cities_distance_from_sea", "distance_from_sea"),
        sa.Index("ix_cities_new_code_region", "new_code_region"),
        sa.Index("ix_cities_population", "population"),
        sa.Index("ix_cities_z_moyen", "z_moyen"),
        comment="Communes and municipal districts of France, "
        "and the cities of Paris, Lyon and Marseille made from theirs",
    )
    create_table(
        "cities_jobs",
        sa.Column("id", sa.Integer(), primary_key=True, comment="1 to n, in the order of the rows"),
        sa.Column("insee_code", sa.String(10), nullable=False, comment="INSEE code of the commune (dump: commune)"),
        sa.Column("rome_id", sa.String(10), nullable=False, comment="ROME code (dump: dc_rome_id)"),
        sa.Column(
            "number",
            sa.Integer(),
            nullable=False,
            comment="offers, number: the sum over the dump's rows (dump: nb_offre)",
        ),
        sa.Index("ix_cities_jobs_insee_code_rome_id", "insee_code", "rome_id"),
        sa.Index("ix_cities_jobs_number", "number"),
        sa.Index("ix_cities_jobs_rome_id", "rome_id"),
        comment="Job offers per commune and ROME, from one daily dump of the datalake",
    )
    create_table(
        "departements",
        sa.Column(
            "code", sa.String(3), primary_key=True, comment="code of the department: 01, 2A, 971 (departements: code)"
        ),
        sa.Column("name", sa.String(255), nullable=False, comment="name of the department (departements: name)"),
        sa.Column("rent_t2", sa.Double(), comment="rent of a two-room flat, EUR per month (departements: rent_t2)"),
        sa.Column("rent_t4", sa.Double(), comment="rent of a four-room flat, EUR per month (departements: rent_t4)"),
        comment="Departments and what housing costs there",
    )
    create_table(
        "equipments",
        sa.Column("id", sa.Integer(), primary_key=True, comment="1 to n, in the order of the rows"),
        sa.Column("depcom", sa.String(255), comment="INSEE code of the commune or district (BPE: DEPCOM)"),
        sa.Column("typequ", sa.String(255), comment="facility type, a code of the BPE's vintage (BPE: TYPEQU)"),
        sa.Column("total", sa.Integer(), nullable=False, comment="facilities, number"),
        sa.Index("ix_equipments_depcom_typequ", "depcom", "typequ"),
        comment="Facilities per commune and type, from INSEE's BPE; "
        "Paris, Lyon and Marseille as the sum of their districts",
    )
    create_table(
        "helps",
        sa.Column("id", sa.Integer(), primary_key=True, comment="1 to n, in the order of the rows"),
        sa.Column("title", sa.String(255), comment="title of the aid"),
        sa.Column("goal", sa.Text(), comment="what it is for"),
        sa.Column("description", sa.Text(), comment="what it is (HTML)"),
        sa.Column("when", sa.Text(), comment="when to ask for it (HTML)"),
        sa.Column("conditions", sa.Text(), comment="who may have it (HTML)"),
        sa.Column("cumulable", sa.Text(), comment="what it may be combined with (HTML)"),
        sa.Column("link", sa.String(255), comment="where to ask for it"),
        sa.Column("who", sa.Text(), comment="who it is for"),
        sa.Column("section", sa.Text(), comment="sections of the web tier that show it"),
        sa.Column("situation", sa.String(255), comment="situations of the reader it suits"),
        sa.Column(
            "count_vue",
            sa.Integer(),
            nullable=False,
            server_default="0",
            comment="views, number; the web tier counts them",
        ),
        sa.Column("slug", sa.String(255), comment="the aid's name in addresses"),
        sa.Column("logo", sa.String(255), comment="file name of the partner's logo"),
        sa.Column("type", sa.String(255), comment="kind of aid"),
        sa.Column("partner", sa.String(255), comment="who gives it"),
        sa.Column("visibility_boost", sa.Integer(), comment="the higher, the earlier it is shown"),
        sa.UniqueConstraint("slug", name="uq_helps_slug"),
        comment="Mobility aids",
    )
    create_table(
        "new_regions",
        sa.Column("id", sa.Integer(), primary_key=True, comment="1 to n, in the order of the rows"),
        sa.Column("code", sa.Integer(), nullable=False, comment="code of the region (regions: new_code)"),
        sa.Column("name", sa.String(255), comment="name (regions: new_name)"),
        sa.Column(
            "name_normalized", sa.String(255), comment="name without accents, lower case (regions: new_name_normalized)"
        ),
        sa.Column(
            "average_delay_obtain_social_housing",
            sa.Integer(),
            comment="months to obtain social housing (socialHousingDelay)",
        ),
        sa.UniqueConstraint("code", name="uq_new_regions_code"),
        comment="Regions since 2016",
    )
    create_table(
        "old_regions",
        sa.Column("id", sa.Integer(), primary_key=True, comment="1 to n, in the order of the rows"),
        sa.Column("former_code", sa.String(255), comment="code of the region before 2016 (regions: former_code)"),
        sa.Column("former_name", sa.String(255), comment="name (regions: former_name)"),
        sa.Column(
            "former_name_normalized",
            sa.String(255),
            comment="name without accents, lower case (regions: former_name_normalized)",
        ),
        sa.Column("new_code", sa.Integer(), comment="code of the region since 2016 (regions: new_code)"),
        sa.Column("new_name", sa.String(255), comment="name of the region since 2016 (regions: new_name)"),
        sa.UniqueConstraint("former_code", name="uq_old_regions_former_code"),
        comment="Regions before 2016, and the one each became part of",
    )
    create_table(
        "regions_tensions_criterions",
        sa.Column("id", sa.Integer(), primary_key=True, comment="1 to n, in the order of the rows"),
        sa.Column(
            "json", sa.JSON(), nullable=False, comment="per region, its ROMEs with their criteria and opportunite"
        ),
        comment="What the web tier's first page needs, precomputed: one row",
    )
    create_table(
        "rome_codes",
        sa.Column("id", sa.Integer(), primary_key=True, comment="1 to n, in the order of the rows"),
        sa.Column("code", sa.String(5), nullable=False, comment="ROME code (referential: code_rome)"),
        sa.Column("label", sa.String(255), nullable=False, comment="label of the trade (referential: libelle)"),
        sa.Column(
            "created_at",
            sa.DateTime(),
            nullable=False,
            server_default=sa.func.now(),
            comment="when the row was loaded (UTC)",
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(),
            nullable=False,
            server_default=sa.func.now(),
            comment="when the row was loaded (UTC)",
        ),
        sa.UniqueConstraint("code", name="uq_rome_codes_code"),
        comment="ROME codes and labels",
    )
    create_table(
        "romeogrs",
        sa.Column("id", sa.Integer(), primary_key=True, comment="1 to n, in the order of the rows"),
        sa.Column("code_rome", sa.String(255), nullable=False, comment="ROME code (code_rome)"),
        sa.Column("code_ogr", sa.Integer(), nullable=False, comment="OGR code of the title (code_ogr)"),
        sa.Column("ogr_label", sa.String(255), nullable=False, comment="job title (libelle_appellation_long)"),
        sa.Column(
            "created_at",
            sa.DateTime(),
            nullable=False,
            server_default=sa.func.now(),
            comment="when the row was loaded (UTC)",
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(),
            nullable=False,
            server_default=sa.func.now(),
            comment="when the row was loaded (UTC)",
        ),
        sa.Column("deleted_at", sa.DateTime(), comment="NULL = live; readers filter on it"),
        sa.Index("ix_romeogrs_code_rome_code_ogr", "code_rome", "code_ogr"),
        sa.Index("ix_romeogrs_ogr_label", "ogr_label", mysql_prefix="FULLTEXT", mariadb_prefix="FULLTEXT"),
        comment="Job titles (appellations) of each ROME code that tensions has",
    )
    create_table(
        "romeskills",
        sa.Column("id", sa.Integer(), primary_key=True, comment="1 to n, in the order of the rows"),
        sa.Column("code_rome", sa.String(255), nullable=False, comment="ROME code (code_rome)"),
        sa.Column("skill_label", sa.String(255), nullable=False, comment="skill (libelle_competence)"),
        sa.Column(
            "created_at",
            sa.DateTime(),
            nullable=False,
            server_default=sa.func.now(),
            comment="when the row was loaded (UTC)",
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(),
            nullable=False,
            server_default=sa.func.now(),
            comment="when the row was loaded (UTC)",
        ),
        sa.Column("deleted_at", sa.DateTime(), comment="NULL = live; readers filter on it"),
        sa.Index("ix_romeskills_code_rome", "code_rome"),
        comment="Skills of each ROME code that tensions has",
    )
    create_table(
        "tensions",
        sa.Column("id", sa.Integer(), primary_key=True, comment="1 to n, in the order of the rows"),
        sa.Column("libfap", sa.String(255), comment="kept for the web tier; nothing fills it"),
        sa.Column("rome", sa.String(255), nullable=False, comment="ROME code (tensions file: ROME)"),
        sa.Column("rome_label", sa.String(255), comment="label of the ROME referential; `unknow` where it has none"),
        sa.Column("fap", sa.String(255), comment="FAP of the first row of the PCS-ROME table on which the ROME stands"),
        sa.Column(
            "bassin_id",
            sa.Integer(),
            nullable=False,
            comment="the integer of the basin's code (tensions file: cbassin)",
        ),
        sa.Column("bassin_lib", sa.String(255), comment="name of the basin (tensions file: lib_bassin_bmo19)"),
        sa.Column("lib_rome", sa.String(255), comment="label of the trade in the tensions file (rome_label)"),
        sa.Column("defm", sa.Double(), comment="kept for the web tier; always 0"),
        sa.Column("dee", sa.Integer(), comment="kept for the web tier; nothing fills it"),
        sa.Column("oee_nosais", sa.Integer(), comment="kept for the web tier; nothing fills it"),
        sa.Column(
            "ind_t",
            sa.Integer(),
            comment="tension class, 1 to 5, 5 = hardest to recruit; below 4 the web tier says opportunity",
        ),
        sa.Column("selec_offre", sa.Integer(), comment="kept for the web tier; nothing fills it"),
        sa.Column("pcs", sa.String(255), comment="PCS of the first row of the PCS-ROME table on which the ROME stands"),
        sa.Column(
            "created_at",
            sa.DateTime(),
            nullable=False,
            server_default=sa.func.now(),
            comment="when the row was loaded (UTC)",
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(),
            nullable=False,
            server_default=sa.func.now(),
            comment="when the row was loaded (UTC)",
        ),
        sa.Column("deleted_at", sa.DateTime(), comment="NULL = live; readers filter on it"),
        sa.Index("ix_tensions_bassin_id", "bassin_id"),
        sa.Index("ix_tensions_rome", "rome"),
        comment="Labour tension per ROME and employment basin",
    )
    create_table(
        "releases",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False, comment="number of the release, rising"),
        sa.Column("started_at", sa.DateTime(), nullable=False, comment="when its refresh began (UTC)"),
        sa.Column("published_at", sa.DateTime(), nullable=False, comment="when readers began to see it (UTC)"),
        sa.Column("code_version", sa.String(64), nullable=False, comment="version of the code that made it"),
        sa.Column("started_by", sa.String(255), nullable=False, comment="who or what started it"),
    )
    create_table(
        "release_tables",
        sa.Column("release_id", sa.Integer(), primary_key=True, autoincrement=False, comment="release"),
        sa.Column("table_name", sa.String(64), primary_key=True, comment="served table"),
        sa.Column("contents_id", sa.Integer(), nullable=False, comment="release that loaded these contents"),
        sa.Column("loaded_at", sa.DateTime(), nullable=False, comment="when these contents were loaded (UTC)"),
        sa.Column("row_count", sa.Integer(), nullable=False, comment="rows, number"),
        sa.Column("sha256", sa.String(64), nullable=False, comment="of the contents and of the table's description"),
    )
    create_table(
        "release_sources",
        sa.Column("release_id", sa.Integer(), primary_key=True, autoincrement=False, comment="release"),
        sa.Column("table_name", sa.String(64), primary_key=True, comment="served table"),
        sa.Column("source_id", sa.String(64), primary_key=True, comment="source, as raw_data/sources.yaml names it"),
        sa.Column("file_name", sa.String(255), primary_key=True, comment="file the source was read from"),
        sa.Column("vintage", sa.String(64), comment="vintage of the file"),
        sa.Column("sha256", sa.String(64), nullable=False, comment="of the file"),
        sa.Column("rows_read", sa.Integer(), comment="rows of the file, number"),
    )
