"""Skills of the ROME codes in tension, from the ROME API and the open-data archive."""

import pandas as pd

from assets.common.rome_answers import GIVEN_BY_API, NOT_IN_TENSION, both, known_to_api, not_known_to_api
from assets.common.staging_asset import Import, staging_asset
from resources.raw_data import RawData
from resources.sources.audit import Reject
from resources.sources.geography import among
from warehouse import tables

NO_SKILL = Reject("the OGR code is no skill's: it is a job title's, or a context of work's", is_error=False)
NOT_LINKED = Reject("no ROME that has a tension asks for the skill", is_error=False)

LABELS = ("rome_skills", "rome_knowledge")
"""What a link may ask for: competences, and since ROME 4.0 savoirs; its contexts of work are neither."""


def skills_of(romes: pd.Series, links: pd.DataFrame, skills: pd.DataFrame) -> pd.DataFrame:
    """The skills (code_rome, skill_label) of the given ROME codes, each once, by both, with how many `links` gave it.

    `links`: code_rome, code_ogr; `skills`: code_ogr, label. An OGR that names no skill (an appellation) is no link.
    """
    wanted = links[among(links["code_rome"], romes)]
    labelled = wanted.merge(skills.drop_duplicates("code_ogr"), on="code_ogr", validate="m:1")
    columns = {"code_rome": labelled["code_rome"], "skill_label": labelled["label"]}
    return pd.DataFrame(columns).groupby(["code_rome", "skill_label"]).size().reset_index(name="links")


@staging_asset(
    tables.romeskills,
    sources=["rome_api", "rome_skill_links", "rome_skills", "rome_knowledge"],
    group="work",
    expect=lambda: [],
)
def rome_skills(raw_data: RawData, tensions: pd.DataFrame) -> Import:
    """Skills of each ROME code that tensions has: from the ROME API those of the codes that it knows and was asked for,
    from the ROME open-data archive those of the others; empty without both.
    """
    known, audits = known_to_api(raw_data, tensions["rome"])
    rows = [(code, label) for code, entry in known.items() for label in entry["skills"]]
    api = pd.DataFrame(rows, columns=["code_rome", "skill_label"])
    romes = not_known_to_api(tensions["rome"], known)
    if not (raw_data.has("rome_skill_links") and raw_data.has("rome_skills")):
        unread = [raw_data.audit(name) for name in ("rome_skill_links", *LABELS) if raw_data.has(name)]
        return Import(api, [*audits, *unread])
    links, of_links = raw_data.table("rome_skill_links")
    labels = [raw_data.table(name) for name in LABELS if raw_data.has(name)]
    skills = pd.concat([labelled for labelled, _ in labels])
    wanted = among(links["code_rome"], romes)
    linked = among(links["code_ogr"], skills["code_ogr"])
    of_links.reject(links.index[~among(links["code_rome"], tensions["rome"])], NOT_IN_TENSION)
    of_links.reject(links.index[~wanted], GIVEN_BY_API)
    of_links.reject(links.index[~linked], NO_SKILL)
    for labelled, audit in labels:
        used = among(labelled["code_ogr"], links["code_ogr"][wanted])
        audit.reject(labelled.index[~used], NOT_LINKED)
        audits.append(audit.count(int(used.sum())))
    found = skills_of(romes, links, skills)
    merged = int(found.pop("links").sum()) - len(found)
    return Import(both(api, found), [*audits, of_links.count(len(found), merged)])
