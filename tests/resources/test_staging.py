from pathlib import Path

import pandas as pd
import pytest

from resources.staging import Staging, StagingError, fit
from warehouse import tables

HELPS = tables.contents_schema(tables.helps)
JOBS = tables.contents_schema(tables.cities_jobs)


def test_columns_that_nothing_fills_are_null_and_the_order_is_the_tables() -> None:
    table = fit(pd.DataFrame({"slug": ["b"], "count_vue": [0], "title": ["a"]}), HELPS, "helps")
    assert table.schema.names == HELPS.names
    assert table["goal"].null_count == 1


def test_a_column_that_the_description_does_not_know_is_refused() -> None:
    with pytest.raises(StagingError, match=r"helps: warehouse/tables\.py has no column titel"):
        fit(pd.DataFrame({"titel": ["a"], "count_vue": [0]}), HELPS, "helps")


def test_a_null_where_none_may_be_is_refused() -> None:
    rows = pd.DataFrame({"insee_code": ["01004", None], "rome_id": ["A1101"] * 2, "number": [1, 2]})
    with pytest.raises(StagingError, match="cities_jobs: 1 rows have no insee_code"):
        fit(rows, JOBS, "cities_jobs")


def test_a_value_of_another_type_is_refused() -> None:
    rows = pd.DataFrame({"insee_code": ["01004"], "rome_id": ["A1101"], "number": ["many"]})
    with pytest.raises(StagingError, match="cities_jobs: .*number"):
        fit(rows, JOBS, "cities_jobs")


def test_no_rows_at_all_make_an_empty_table() -> None:
    assert fit(pd.DataFrame(), JOBS, "cities_jobs").num_rows == 0


def test_a_table_that_is_not_staged_is_named(tmp_path: Path) -> None:
    with pytest.raises(StagingError, match="cities is not staged yet: materialize it first"):
        Staging(folder=str(tmp_path)).path("cities")
