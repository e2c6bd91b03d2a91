import pyarrow as pa
import pytest
from sqlalchemy import Integer, String

from warehouse import tables
from warehouse.criteria import CRITERIA

CONTRACT = {
    "bassins": "id code_commune_insee reg_credoc reg dep code_commune nom_com bassin_id bassin_name "
    "created_at updated_at deleted_at",
    "cities": "id name former_name code_comm nom_dept statut z_moyen nom_region new_code_region insee_com code_dept "
    "geo_point_2d_x geo_point_2d_y postal_code id_geofla code_cant superficie nom_comm code_arr population "
    "distance_from_sea average_temperature description description_url description_revision description_licence "
    "average_houseselled city_house_tension average_houserent rent_t2 rent_t4 "
    "cache_living_environment photo photo_page total_social_housing created_at updated_at",
    "cities_jobs": "id insee_code rome_id number",
    "departements": "code name rent_t2 rent_t4",
    "equipments": "id depcom typequ total",
    "former_communes": "code name current_code population",
    "helps": "id title goal description when conditions cumulable link who section situation count_vue slug logo type "
    "partner visibility_boost",
    "new_regions": "id code name name_normalized average_delay_obtain_social_housing",
    "offers_history": "week code_region rome_id number days",
    "old_regions": "id former_code former_name former_name_normalized new_code new_name",
    "regions_tensions_criterions": "id json",
    "rome_codes": "id code label created_at updated_at",
    "romeogrs": "id code_rome code_ogr ogr_label created_at updated_at deleted_at",
    "romeskills": "id code_rome skill_label created_at updated_at deleted_at",
    "tensions": "id libfap rome rome_label fap bassin_id bassin_lib lib_rome defm dee oee_nosais ind_t selec_offre pcs "
    "created_at updated_at deleted_at",
}


def test_the_tables_are_those_that_the_web_tier_reads() -> None:
    assert {table.name: table.columns.keys() for table in tables.SERVED} == {
        name: columns.split() for name, columns in CONTRACT.items()
    }


@pytest.mark.parametrize(
    ("column", "length"),
    [("cities_jobs.insee_code", 10), ("former_communes.code", 5), ("rome_codes.code", 5), ("departements.code", 3)],
)
def test_lengths_are_those_of_the_contract(column: str, length: int) -> None:
    table, name = column.split(".")
    kind = tables.metadata.tables[table].columns[name].type
    assert isinstance(kind, String)
    assert kind.length == length


def test_every_column_says_what_it_holds() -> None:
    assert [str(c) for table in tables.SERVED for c in table.columns if not c.comment] == []


def test_contents_have_neither_id_nor_stamps_and_their_types_follow_the_columns() -> None:
    schema = tables.contents_schema(tables.tensions)
    assert {"id", "created_at", "updated_at", "deleted_at"}.isdisjoint(schema.names)
    assert schema.field("ind_t").type == pa.int64()
    assert schema.field("defm").type == pa.float64()
    assert not schema.field("rome").nullable
    assert isinstance(tables.tensions.c.ind_t.type, Integer)


def test_criteria_name_columns_that_are_there() -> None:
    named = {column for criterion in CRITERIA for column, _, _ in criterion.conditions}
    assert named <= set(tables.cities.columns.keys())
    assert [criterion.key for criterion in CRITERIA] == (
        "side-sea mountain campagne small-city medium-city big-city extra-big-city".split()
    )
