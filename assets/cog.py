"""Communes of one year: which commune each code, of that year or of one before, is in now."""

import pandas as pd

from assets.common.geography import city_of
from assets.common.staging_asset import Import, staging_asset
from resources.raw_data import RawData
from resources.sources.audit import Reject, RowAudit
from resources.sources.geography import among
from warehouse import tables

COMMUNE, DISTRICT = "commune-actuelle", "arrondissement-municipal"
FORMER = ["code", "name", "current_code", "population"]
COLUMNS = [*FORMER, "former_name", "persons", "postal_codes", "department", "region"]

NO_CITY = Reject("commune: expected the code of a current commune, the district's city")
STILL_CURRENT = Reject("anciensCodes: expected codes that no commune has now")
OF_TWO = Reject("anciensCodes: expected codes of one commune, another has one of them too")


def communes_now(raw: pd.DataFrame) -> pd.DataFrame:
    """The records of the COG that are current communes or municipal districts."""
    return raw[raw["type"].isin([COMMUNE, DISTRICT])]


def codes_of_cog(raw: pd.DataFrame, communes: pd.DataFrame) -> pd.DataFrame:
    """Every code (code) of a current commune or district, and every former one: its name, the commune that it is in now
    (current_code), and its inhabitants in the communes file (population, thousands); of those of today what else the
    COG has, and the name of the delegated or associated commune that has their code (former_name); by code, indexed by
    the record.

    A former code has the name of the delegated or associated commune, else that in the communes file (`communes`: code,
    name, population), else none.
    """
    now = communes_now(raw).rename(columns={"population": "persons"})
    former = _former(now)
    of_file = communes.set_index("code")
    parts = raw[~raw["type"].isin([COMMUNE, DISTRICT])].drop_duplicates("code").set_index("code")["name"]
    names = former["code"].map(parts).fillna(former["code"].map(of_file["name"]))
    today = now.assign(current_code=now["code"], former_name=now["code"].map(parts))
    codes = pd.concat([today, former.assign(name=names)])
    return codes.assign(population=codes["code"].map(of_file["population"]))[COLUMNS].sort_values("code")


def _former(now: pd.DataFrame) -> pd.DataFrame:
    """The former codes (code), one a row, with the commune that each is in (current_code)."""
    lists = now.dropna(subset="former").set_index("code", append=True)["former"].str.split("/").explode()
    return lists.rename("former").reset_index("code").set_axis(["current_code", "code"], axis=1)


def reject_wrong(raw: pd.DataFrame, audit: RowAudit) -> None:
    """Reject, for an error, the records by which a code would be in two communes, or in none."""
    now = communes_now(raw)
    whole = now["code"][now["type"] == COMMUNE]
    districts = now[now["type"] == DISTRICT]
    cities = districts["city"].astype("str").fillna(city_of(districts["code"]))
    former = _former(now)
    audit.reject(districts.index[~among(cities, whole)], NO_CITY)
    audit.reject(former.index[among(former["code"], now["code"])], STILL_CURRENT)
    audit.reject(former.index[former["code"].duplicated(keep=False)], OF_TWO)


def _names_and_people(raw_data: RawData) -> pd.DataFrame:
    """Of the communes file the code, name and inhabitants (thousands)."""
    raw = raw_data.table("communes").rows
    people = raw["population"] if "population" in raw else raw["persons"] / 1000
    return pd.DataFrame({"code": raw["insee_com"], "name": raw["nom_comm"], "population": people})


@staging_asset(
    tables.cog,
    sources=["cog", "communes"],
    group="territory",
    expect=lambda: [],
)
def cog(raw_data: RawData) -> Import:
    """The map from every commune code, current or former, to the commune that it is in now: each import whose files
    have commune codes reads them through it. Empty without a COG.
    """
    of_communes = raw_data.audit("communes")
    if not raw_data.has("cog"):
        return Import(pd.DataFrame(columns=COLUMNS), [of_communes])
    raw, audit = raw_data.table("cog")
    reject_wrong(raw, audit)
    audit.check_share()
    codes = codes_of_cog(raw, _names_and_people(raw_data))
    now = len(communes_now(raw))
    return Import(codes, [audit.count(now, len(raw) - now), of_communes])


@staging_asset(tables.former_communes, group="territory", expect=lambda: [])
def former_communes(cog: pd.DataFrame) -> Import:
    """The codes that communes had, or that were in them, before: each with its name, and the commune it is in now."""
    return Import(cog[cog["code"] != cog["current_code"]][FORMER])
