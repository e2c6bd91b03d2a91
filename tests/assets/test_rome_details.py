import pandas as pd

from assets.rome_ogrs import titles_of
from assets.rome_skills import skills_of

IN_TENSION = pd.Series(["A1101", "A1101", "B1101"])


def test_only_titles_of_romes_in_tension_with_their_ogr_code() -> None:
    appellations = pd.DataFrame(
        {
            "code_ogr": [20, 3, 4, 5, 6],
            "label": ["t20", "t3", "t4", "t5", "t6"],
            "code_rome": ["A1101", "A1101", "C1101", "A1102", "A1101"],
            "parent": [None, None, None, "A1101", "B1101"],
        }
    )
    titles = titles_of(IN_TENSION, appellations).to_numpy().tolist()
    assert titles == [["A1101", 3, "t3"], ["A1101", 5, "t5"], ["A1101", 6, "t6"], ["A1101", 20, "t20"]]


def test_skills_are_linked_by_their_ogr_once_each_with_the_number_of_links() -> None:
    links = pd.DataFrame(
        {"code_rome": ["A1101", "A1101", "A1101", "C1101"], "code_ogr": ["1", "2", "9", "1"]},
    )
    skills = pd.DataFrame({"code_ogr": ["1", "2"], "label": ["Tailler", "Tailler"]})
    assert skills_of(IN_TENSION, links, skills).to_numpy().tolist() == [["A1101", "Tailler", 2]]
