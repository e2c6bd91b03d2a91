import pandas as pd
import pytest

from assets.cog import COLUMNS, FORMER, codes_of_cog, reject_wrong
from resources.sources.audit import RowAudit

RECORDS = pd.DataFrame(
    [
        ("01033", "Valserhône", "commune-actuelle", "01018/01091", None),
        ("01033", "Bellegarde-sur-Valserine", "commune-deleguee", None, None),
        ("01091", "Châtillon-en-Michaille", "commune-deleguee", None, None),
        ("69123", "Lyon", "commune-actuelle", "69232", None),
        ("69381", "Lyon 1er Arrondissement", "arrondissement-municipal", None, "69123"),
    ],
    columns=["code", "name", "type", "former", "city"],
    index=pd.RangeIndex(1, 6, name="record"),
).assign(
    population=pd.Series({1: 16_302}, dtype="Int64"),
    postal_codes=pd.Series({1: "01200/01130"}, dtype="str"),
    department=["01", "01", "01", "69", "69"],
    region=84,
)
COMMUNES = pd.DataFrame(
    {"code": ["01033", "01091", "01018"], "name": ["BELLEGARDE", "CHATILLON", "ARLOD"], "population": [11.6, 3.3, 1.0]}
)


def test_each_code_is_in_the_commune_of_today_and_has_the_name_it_had() -> None:
    codes = codes_of_cog(RECORDS, COMMUNES).astype("object")
    codes = codes.where(codes.notna(), None)
    assert codes[FORMER].to_numpy().tolist() == [
        ["01018", "ARLOD", "01033", 1.0],
        ["01033", "Valserhône", "01033", 11.6],
        ["01091", "Châtillon-en-Michaille", "01033", 3.3],
        ["69123", "Lyon", "69123", None],
        ["69232", None, "69123", None],
        ["69381", "Lyon 1er Arrondissement", "69381", None],
    ]
    assert codes.index.tolist() == [1, 1, 1, 4, 4, 5]
    of_today, former = codes.set_index("code").loc[["01033", "01091"], COLUMNS[len(FORMER) :]].to_numpy()
    assert [*of_today] == ["Bellegarde-sur-Valserine", 16_302, "01200/01130", "01", 84]
    assert [*former] == [None] * 5


def rejected(raw: pd.DataFrame) -> dict[object, str]:
    audit = RowAudit("cog", "communes-cog-2026.json", "record", len(raw))
    reject_wrong(raw, audit)
    return {record: reject.reason for record, reject in audit.rejected.items()}


def test_a_sound_cog_has_nothing_wrong_nor_one_that_does_not_name_the_city() -> None:
    assert rejected(RECORDS) == {}
    assert rejected(RECORDS.assign(city=None)) == {}


@pytest.mark.parametrize(
    ("change", "records", "said"),
    [
        ({"city": [None, None, None, None, "69999"]}, {5}, "expected the code of a current commune"),
        ({"former": ["69381", None, None, None, None]}, {1}, "expected codes that no commune has now"),
        ({"former": ["01018", None, None, "69232/01018", None]}, {1, 4}, "expected codes of one commune"),
    ],
)
def test_a_code_that_would_be_in_two_communes_or_in_none_is_an_error(
    change: dict[str, list[str | None]], records: set[int], said: str
) -> None:
    found = rejected(RECORDS.assign(**{name: pd.Series(v, RECORDS.index, dtype="str") for name, v in change.items()}))
    assert found.keys() == records
    assert all(said in reason for reason in found.values())
