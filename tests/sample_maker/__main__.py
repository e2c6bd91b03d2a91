"""Write the sample of Mobiville's inputs: small files, each in its publisher's exact format.

What is true comes from the tables in facts/ (codes, names, places, populations); everything else
(offers, tensions, facilities, prices, rents, temperatures...) is drawn from a fixed seed. The same
code always writes the same bytes. Never take a figure about France from these files.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import raw_data
from tests.sample_maker import life, territory, work

FILES: dict[str, Callable[[], bytes]] = {
    "anciennes-nouvelles-regions.json": territory.regions_json,
    "regions-social-housing.json": territory.social_housing_json,
    "departements.csv": territory.departments_csv,
    "cities-france.csv": territory.cities_csv,
    "communes-cog-2026.json": territory.cog_json,
    "cities_rent.csv": life.city_rents_csv,
    "lexique-bassins.csv": work.basins_csv,
    "cities-tension-utf8.csv": work.tensions_csv,
    "table-correspondance-pcs-rome.csv": work.pcs_csv,
    "unix_referentiel_code_rome_v346_utf8.xml": work.rome_xml,
    "unix_referentiel_appellation_v346_utf8.csv": work.appellations_csv,
    "unix_referentiel_competence_v346_utf8.csv": work.skills_csv,
    "unix_referentiel_savoir_v346_utf8.csv": work.knowledge_csv,
    "unix_coherence_item_v346_utf8.csv": work.coherence_csv,
    "helps.json": life.helps_json,
    "dvf-communes-2019.csv": life.prices_csv,
    "indicateurs-loyers-appartements.csv": life.rents_csv,
    "donnees-de-reference_zonage-commune.json": life.zoning_json,
    "france-shape-side-sea.geo.json": territory.coast_json,
    "french-weather-station-list.csv": territory.stations_csv,
    "bpe21_ensemble_xy_csv.zip": life.bpe_zip,
    "datalake/20211221_mv_villes_offre_full.csv.bz2": lambda: work.offers_bz2("2021-12-21", 18_500),
    "datalake/20211220_mv_villes_offre_full.csv.bz2": lambda: work.offers_bz2("2021-12-20", 4_000),
}


def write_sample(out: Path) -> list[Path]:
    """Write every file of the sample under `out` and return their paths."""
    contents = {name: make() for name, make in FILES.items()} | territory.climate_sheets()
    paths = []
    for name, content in contents.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        paths.append(path)
    return paths


def main() -> None:
    """Read the command line and write the sample."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=raw_data.SAMPLE, help="folder to write (default: %(default)s)")
    out: Path = parser.parse_args().out
    paths = write_sample(out)
    print(f"{len(paths)} files, {sum(path.stat().st_size for path in paths):,} bytes in {out}")


if __name__ == "__main__":
    main()
