"""Per region and ROME, the criteria that communes with that ROME in tension meet, and the opportunity it is."""

import json
from typing import Any

import pandas as pd

from assets.common.staging_asset import Import, staging_asset
from warehouse import tables
from warehouse.criteria import CRITERIA, OPPORTUNITY_BELOW
from warehouse.text import without_accents

KEYS = [criterion.key for criterion in CRITERIA]


def criteria_met(cities: pd.DataFrame, bassins: pd.DataFrame, tensions: pd.DataFrame) -> pd.DataFrame:
    """For each region (new_code_region) and ROME (the index), whether a commune of it meets each criterion (columns).

    A commune gives its criteria to its region for every ROME that has a tension row in the commune's basin.
    """
    met = pd.DataFrame({criterion.key: criterion.met(cities) for criterion in CRITERIA}).fillna(False).astype(bool)
    met[["insee_com", "region"]] = cities[["insee_com", "new_code_region"]]
    in_basins = met.merge(
        bassins[["code_commune_insee", "bassin_id"]], left_on="insee_com", right_on="code_commune_insee"
    )
    per_basin = in_basins.groupby(["region", "bassin_id"], as_index=False)[KEYS].any()
    pairs = tensions[["rome", "bassin_id"]].drop_duplicates()
    return pairs.merge(per_basin, on="bassin_id").groupby(["region", "rome"])[KEYS].any()


def opportunities(bassins: pd.DataFrame, tensions: pd.DataFrame) -> dict[tuple[int, str], float]:
    """For each region (`bassins.reg`) and ROME, the share of pairs (tension row, commune of its basin in the region)
    whose `ind_t` is below 4, rounded to two decimals, halves up.
    """
    communes = bassins.groupby(["reg", "bassin_id"], as_index=False).size()
    pairs = tensions[["rome", "bassin_id", "ind_t"]].merge(communes, on="bassin_id")
    pairs["open"] = pairs["size"].where((pairs["ind_t"] < OPPORTUNITY_BELOW).fillna(False), 0)
    sums = pairs.groupby(["reg", "rome"])[["open", "size"]].sum().astype("int64")
    hundredths = (200 * sums["open"] + sums["size"]) // (2 * sums["size"])  # whole numbers: halves are exact
    return {(region, rome): n / 100 for (region, rome), n in zip(hundredths.index, hundredths.to_list(), strict=True)}


def as_json(new_regions: pd.DataFrame, met: pd.DataFrame, shares: dict[tuple[int, str], float]) -> str:
    """The list of regions by label, as the web tier reads it."""
    romes: dict[int, dict[str, Any]] = {}
    for (region, rome), flags in zip(met.index, met.to_numpy(), strict=True):
        criterions = [key for key, flag in zip(KEYS, flags, strict=True) if flag]
        if criterions:
            romes.setdefault(region, {})[rome] = {"criterions": criterions}
            if (region, rome) in shares:
                romes[region][rome]["opportunite"] = shares[region, rome]
    regions = [
        {"id": str(code), "label": name, "romes": romes.get(code, {})}
        for code, name in zip(new_regions["code"], new_regions["name"], strict=True)
    ]
    return json.dumps(sorted(regions, key=lambda region: _alphabetical(region["label"])), ensure_ascii=False)


def _alphabetical(label: str) -> str:
    """A key that sorts as a dictionary does: `Île-de-France` among the I."""
    return without_accents(label.casefold())


@staging_asset(tables.regions_tensions_criterions, group="serving")
def regions_tensions_criterions(
    cities: pd.DataFrame, bassins: pd.DataFrame, tensions: pd.DataFrame, new_regions: pd.DataFrame
) -> Import:
    """What the web tier's first page needs, precomputed: per region and ROME, the criteria met and the opportunity."""
    met = criteria_met(cities, bassins, tensions)
    return Import(pd.DataFrame({"json": [as_json(new_regions, met, opportunities(bassins, tensions))]}))
