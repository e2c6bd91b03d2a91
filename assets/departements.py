"""Departments and their rents."""

import pandas as pd

from assets.common.staging_asset import Import, staging_asset
from resources.raw_data import RawData
from warehouse import tables

OVERSEAS = {
    **{"Guadeloupe": "971", "Martinique": "972", "Guyane": "973", "La Réunion": "974"},
    **{"Saint-Pierre-et-Miquelon": "975", "Mayotte": "976"},
}
"""Departments that some vintages number 1 to 6: padding those codes would make Guadeloupe the Ain."""


def departements_table(raw: pd.DataFrame) -> pd.DataFrame:
    """The departments by code; those overseas have it from their names.

    Columns: code, name, rent_t2 and rent_t4 (EUR per month).
    """
    overseas = raw["name"].map(OVERSEAS)
    return pd.DataFrame(
        {
            "code": raw["code"].where(overseas.isna(), overseas),
            "name": raw["name"],
            "rent_t2": raw["rent_t2"],
            "rent_t4": raw["rent_t4"],
        }
    ).sort_values("code")


@staging_asset(tables.departements, sources=["departements"], group="territory")
def departements(raw_data: RawData) -> Import:
    """Departments, with what a flat of two and of four rooms costs there a month."""
    raw, audit = raw_data.table("departements")
    return Import(departements_table(raw), [audit.count(len(raw))])
