from pathlib import Path

import pytest

from resources.errors import CatalogueError
from resources.sources.catalogue import catalogue, load_catalogue

GOOD = """
bpe:
  title: BPE
  publisher: INSEE
  licence: Licence Ouverte
  landing_page: https://www.insee.fr/
  certainty: A
  files: [bpe*.csv]
  vintage: "2021"
  kind: csv
  layouts: [{columns: {depcom: [DEPCOM], typequ: [TYPEQU]}}]
  required: true
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "sources.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_projects_catalogue_is_well_made_and_has_every_input_of_the_graph() -> None:
    assert set(catalogue()) == {
        *("anciennes_nouvelles_regions", "social_housing_delays", "departements", "communes", "city_rents"),
        *("coastline", "weather_stations", "weather_sheets", "house_prices", "house_rents", "housing_zones"),
        *("basins_lexicon", "tensions", "pcs_rome", "rome_referential", "rome_appellations", "rome_skills"),
        *("rome_skill_links", "rome_knowledge", "bpe", "offers_dump", "offers_days", "helps", "rome_api"),
        *("city_descriptions", "cog"),
    }


def test_a_good_catalogue_loads(tmp_path: Path) -> None:
    assert load_catalogue(written(tmp_path, GOOD))["bpe"].layouts[0].columns["depcom"] == ["DEPCOM"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  publisher: INSEE\n", "", r"bpe\.publisher: Field required"),
        ("  title: BPE\n", "  title: BPE\n  colour: red\n", r"bpe\.colour: Extra inputs"),
        ("kind: csv", "kind: excel", r"bpe\.kind: "),
        ("required: true", "required: false", "`without` says what follows"),
        ("[TYPEQU]", "[depcom]", "a spelling stands for two columns"),
        ("https://www.insee.fr/", "www.insee.fr", r"bpe\.landing_page"),
        ("required:", "downloads: [{vintage: a, certainty: A}]\n  required:", "urls or dataset says where it is"),
        (
            "required:",
            "downloads: [{vintage: a, certainty: A, dataset: b}]\n  required:",
            "resource says which of the dataset's files it is",
        ),
        ("required:", 'downloads: [{vintage: a, certainty: A, urls: ["http://a"]}]\n  required:', "should match"),
        (GOOD, "- a\n- b\n", "expected source ids"),
        (GOOD, "a: [", "is not YAML"),
    ],
)
def test_a_catalogue_that_is_not_well_made_is_refused_with_the_key(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in GOOD
    with pytest.raises(CatalogueError, match=said):
        load_catalogue(written(tmp_path, GOOD.replace(old, new)))
