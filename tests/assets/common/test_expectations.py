from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
import pytest

from assets.cities import expected as expected_of_cities
from assets.cities_jobs import expected as expected_of_cities_jobs
from assets.common.expectations import LOOKED_UP, Expectation, Finding, in_set, of_columns, some_rows, validate
from assets.professions_in_tension import expected_of_tensions
from resources.errors import ValidationError
from warehouse import tables

GOOD: dict[str, dict[str, Any]] = {
    "bassins": {"code_commune_insee": "2A004", "reg": 94, "dep": "2A", "bassin_id": 9401},
    "cities": {
        **{"insee_com": "01004", "code_dept": "01", "new_code_region": 84, "postal_code": "01500/01501"},
        **{"z_moyen": 379, "superficie": 2460, "population": 14.0, "geo_point_2d_x": 45.9, "geo_point_2d_y": 5.3},
        **{"distance_from_sea": 250, "average_temperature": 11.0, "average_houseselled": 0.0},
        **{"average_houserent": 9.3, "rent_t2": 585.0, "rent_t4": 1040.0, "total_social_housing": 1},
    },
    "cities_jobs": {"insee_code": "01004", "rome_id": "A1101", "number": 1},
    "departements": {"code": "971", "name": "Guadeloupe", "rent_t2": 600.0, "rent_t4": 900.0},
    "equipments": {"depcom": "01004", "typequ": "A101", "total": 1},
    "former_communes": {"code": "01091", "current_code": "01033"},
    "helps": {"slug": "a", "count_vue": 0},
    "new_regions": {"code": 84, "average_delay_obtain_social_housing": 12},
    "offers_history": {
        **{"week": date(2021, 12, 20), "code_region": 84, "rome_id": "A1101", "number": 7, "days": 2},
    },
    "old_regions": {"former_code": "82", "new_code": 84},
    "regions_tensions_criterions": {"json": "[]"},
    "rome_codes": {"code": "A1101", "label": "Conduite"},
    "romeogrs": {"code_rome": "A1101", "code_ogr": 1, "ogr_label": "t"},
    "romeskills": {"code_rome": "A1101", "skill_label": "s"},
    "tensions": {"rome": "A1101", "bassin_id": 101, "ind_t": 5, "pcs": "691e", "fap": "A0Z40"},
}


def unmet(frame: pd.DataFrame, expectations: list[Expectation], key: Sequence[str]) -> list[Finding]:
    return validate(frame, expectations, key)


def breaking(expectation: Expectation, good: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows that break one expectation: the good one, and one that does not meet it."""
    arguments = expectation.arguments
    if "Unique" in expectation.kind:
        return [good, good]
    column = arguments["column"]
    worse = {
        "ExpectColumnValuesToNotBeNull": None,
        "ExpectColumnValuesToMatchRegex": "1e+04",
        LOOKED_UP: (expectation.limits or (0, 0))[1] + 1,
    }[expectation.kind]
    return [good, good | {column: worse}]


@pytest.mark.parametrize(
    ("table", "expectation"),
    [(table, expectation) for table in GOOD for expectation in of_columns(tables.metadata.tables[table])],
    ids=lambda value: value.words if isinstance(value, Expectation) else value,
)
def test_each_expectation_is_broken_by_a_row(table: str, expectation: Expectation) -> None:
    good = pd.DataFrame([GOOD[table]])
    assert unmet(good, [expectation], ()) == []
    key = tables.metadata.tables[table].info["key"]
    (finding,) = unmet(pd.DataFrame(breaking(expectation, GOOD[table])), [expectation], key)
    assert finding.words == expectation.words
    assert finding.error
    assert finding.rows == len(finding.first) > 0
    assert set(key) & set(GOOD[table]) <= set(finding.first[0])


def test_every_table_is_expected_something_and_good_rows_meet_all_of_it() -> None:
    assert set(GOOD) == set(tables.metadata.tables)
    for name, row in GOOD.items():
        expectations = of_columns(tables.metadata.tables[name])
        assert expectations
        assert unmet(pd.DataFrame([row]), expectations, ()) == []


@pytest.mark.parametrize(
    ("expectations", "good", "bad"),
    [
        (
            expected_of_cities(pd.DataFrame({"code": [84]}), pd.DataFrame({"code": ["01"]}), pd.DataFrame()),
            {"new_code_region": 84, "code_dept": "01"},
            {"new_code_region": 82, "code_dept": "1"},
        ),
        (
            expected_of_cities(pd.DataFrame({"code": [84]}), pd.DataFrame({"code": ["01"]}), pd.DataFrame({"x": [1]})),
            {"new_code_region": pd.NA, "code_dept": "987"},
            {"new_code_region": 987, "code_dept": "990"},
        ),
        (
            expected_of_cities_jobs(pd.DataFrame({"insee_com": ["01004"]}), pd.DataFrame({"code": ["A1101"]})),
            {"insee_code": "01004", "rome_id": "A1101"},
            {"insee_code": "98818", "rome_id": "A9999"},
        ),
        (
            expected_of_tensions(pd.DataFrame({"bassin_id": [101]}), pd.DataFrame({"code": ["A1101"]})),
            {"bassin_id": 101, "rome": "A1101"},
            {"bassin_id": 7549, "rome": "A9999"},
        ),
    ],
)
def test_references_are_checked(expectations: list[Expectation], good: dict[str, Any], bad: dict[str, Any]) -> None:
    assert unmet(pd.DataFrame([good]), expectations, ()) == []
    findings = unmet(pd.DataFrame([good, bad]), expectations, list(bad))
    assert {f.words for f in findings} == {e.words for e in expectations if e.values is not None}
    assert all(f.first == [bad] for f in findings)
    assert all(f.share == 0.5 for f in findings)


def test_an_empty_table_is_an_error() -> None:
    (finding,) = unmet(pd.DataFrame({"a": pd.Series([], dtype="str")}), [some_rows()], ())
    assert finding.error
    assert "there is at least one row" in str(finding)


def test_errors_come_before_warnings() -> None:
    expectations = [in_set("soft", "a", ["x"], error=False), in_set("hard", "a", ["x"], error=True)]
    assert [f.words for f in unmet(pd.DataFrame({"a": ["y"]}), expectations, ())] == ["hard", "soft"]


def test_a_range_lets_null_be_whatever_holds_the_numbers() -> None:
    ranged = [rule for rule in of_columns(tables.cities) if rule.limits]
    assert ranged
    for rule in ranged:
        column, inside = rule.arguments["column"], rule.limits and rule.limits[0]
        for kind in ("float64", "Float64", "object"):
            values = pd.Series([inside, None], dtype=kind)
            assert unmet(pd.DataFrame({column: values}), [rule], ()) == []


def test_a_rule_that_cannot_be_checked_is_an_error_that_says_why() -> None:
    wrong = Expectation("b", "b is well formed", "ExpectColumnValuesToMatchRegex", {"column": "a", "regex": "("})
    with pytest.raises(ValidationError, match=r"b is well formed: could not be checked: .*missing \)"):
        unmet(pd.DataFrame({"a": ["x"]}), [wrong], ())
