"""Employment basins, tensions, trades and offers."""

import bz2
import csv
from collections.abc import Iterable, Sequence

from tests.sample_maker.drawing import (
    CITIES,
    Row,
    cells,
    communes,
    facts,
    pick,
    rng_of,
    shuffled,
    table,
    unpadded,
    whole_cities,
)


def lexicon_rows() -> list[Row]:
    """Return the communes that have a basin, the three cities whole, in the order of their codes."""
    rows = [row for row in communes() if row["basin"]] + whole_cities()
    return sorted(rows, key=lambda row: (row["dept"][0] == "2" and row["dept"][1] in "AB", row["code"]))


def basins_csv() -> bytes:
    """Commune to basin. Two basins have a second spelling; region codes lose their zeros, departments do not."""
    basins = {row["code"]: row for row in facts("basins")}
    credoc = {"01": "G", "02": "K", "03": "H", "04": "Q", "06": "Q", "11": "J", "24": "D"}
    credoc |= {"27": "B", "28": "L", "32": "I", "44": "F", "52": "P", "53": "C", "75": "M", "76": "N"}
    credoc |= {"84": "A", "93": "O", "94": "E"}
    rows: list[Sequence[object]] = [cells("CODE_COMMUNE_INSEE REG_CREDOC REG DEP CCOMMUNE NOMCOM BE19 NOMBE19")]
    seen: dict[str, int] = {}
    for row in lexicon_rows():
        basin = basins[row["basin"]]
        seen[basin["code"]] = seen.get(basin["code"], 0) + 1
        spelling = basin["other_spelling"] if seen[basin["code"]] % 2 == 0 and basin["other_spelling"] else ""
        name = row["name"].replace("L'", "L' ", 1) if row["name"].startswith("L'") else row["name"]
        code, region = row["code"], unpadded(row["new"])
        line = (code, credoc[row["new"]], region, row["dept"], code, name, basin["code"], spelling or basin["name"])
        rows.append(line)
    return table(rows, delimiter=",", end="\r\n").removesuffix("\r\n").encode()


def tensions_csv() -> bytes:
    """Tensions per ROME and basin: invented. Overseas basins lose their zero."""
    rng = rng_of("cities-tension")
    labels = {row["code"]: row["label"] for row in facts("rome")}
    labels["A1203"] = "Entretien des espaces verts"  # another label than the referential's, as published
    labels["N9901"] = "Métier absent du référentiel"
    rows: list[Sequence[object]] = [cells("annee ROME rome_label cbassin lib_bassin_bmo19 oee defm_abc ind_tension_d")]
    for basin in sorted((row for row in facts("basins") if row["has_tension"] == "1"), key=lambda row: row["name"]):
        chosen = rng.random(len(labels)) < 0.32
        for (code, label), keep in zip(labels.items(), chosen, strict=True):
            offers, seekers = int(1 + 60 * rng.random() ** 3), int(1 + 120 * rng.random() ** 3)
            tension = 1 + int(pick(rng, (22, 9, 12, 13, 44), 1)[0])
            if keep or (code in {"A1203", "L1510", "N9901"} and basin["code"] in {"0101", "1107", "8428"}):
                rows.append(("2020", code, label, unpadded(basin["code"]), basin["name"], offers, seekers, tension))
    return table(rows).encode()


def pcs_csv() -> bytes:
    """FAP, PCS and ROME: an empty cell equals the one above; titles and notes stand among the cells."""
    rows = [(row["fap"], row["pcs"], row["rome"]) for row in facts("pcs_rome")]
    return table(rows, end="\r\n").encode()


def rome_xml() -> bytes:
    """ROME codes and labels; the OGR numbers are invented."""
    lines = ["<ogr>"]
    for number, row in enumerate(facts("rome"), start=6):
        lines.append("<item_referentiel_code_rome>")
        lines.append(f"<code_ogr>{number}</code_ogr>")
        lines.append(f"<code_rome>{row['code']}</code_rome>")
        lines.append(f"<libelle>{row['label']}</libelle>")
        lines.append("<statut1>1</statut1>")
        lines.append("</item_referentiel_code_rome>")
    return ("\n".join([*lines, "</ogr>"]) + "\n").encode()


def quoted(rows: Iterable[Sequence[object]]) -> bytes:
    """Return a table of the ROME open data: commas, every cell quoted, a byte order mark."""
    return table(rows, delimiter=",", quoting=csv.QUOTE_ALL).encode("utf-8-sig")


def appellations_csv() -> bytes:
    """Names of jobs per ROME; the OGR numbers are invented."""
    rows: list[Sequence[object]] = [("code_ogr", "libelle_appellation_long", "libelle_appellation_court", "code_rome")]
    number = 10_000
    for row in facts("rome"):
        for label in row["appellations"].split("|"):
            number += 1
            rows.append((number, label, label, row["code"]))
    return quoted(rows)


def skill_numbers() -> dict[str, int]:
    """Return the (invented) OGR number of each skill; a skill may serve several ROME codes."""
    labels = dict.fromkeys(label for row in facts("rome") for label in row["skills"].split("|"))
    return {label: 100_001 + position for position, label in enumerate(labels)}


def skills_csv() -> bytes:
    """Skills, with their OGR number and category: invented."""
    rows: list[Sequence[object]] = [("code_ogr", "libelle_competence", "cat_comp")]
    rows += [(number, label, 1 + number % 2) for label, number in skill_numbers().items()]
    return quoted(rows)


def knowledge_csv() -> bytes:
    """Savoirs, which no ROME of the sample asks for: invented."""
    return quoted([("code_ogr_savoir", "libelle_savoir"), (200_001, "Botanique"), (200_002, "Soudage")])


def coherence_csv() -> bytes:
    """Which item (skill or name of a job) belongs to which ROME, and whether it is at its heart."""
    numbers = skill_numbers()
    rows: list[Sequence[object]] = [("code_rome", "code_ogr", "coeur_metier")]
    for row in facts("rome"):
        for position, label in enumerate(row["skills"].split("|")):
            rows.append((row["code"], numbers[label], "1" if position == 0 else ""))
    return quoted(rows)


def offers_bz2(day: str, size: int) -> bytes:
    """One daily dump of offers per commune and ROME: invented, with the oddities of the real dumps."""
    rng = rng_of(f"offers {day}")
    strangers = ["97501", "97701", "98818", "98735", "55138"]
    codes = [row["code"] for row in communes()] + list(CITIES) + strangers
    weights = [float(row["population"]) + 0.3 for row in communes()] + [60.0] * len(CITIES) + [2.0] * len(strangers)
    romes = [row["code"] for row in facts("rome")]
    where, what = pick(rng, weights, size), rng.integers(0, len(romes), size)
    counts = 1 + (40 * rng.random(size) ** 8).astype(int)
    named: dict[tuple[str, str], set[int]] = {}
    for place, job, count in zip(where, what, counts, strict=True):
        seen = named.setdefault((codes[place], romes[job]), set())
        if len(seen) < 2:  # a commune and ROME stand at most twice, never with equal counts
            seen.add(int(count))
    lines = [f'"{code}";{rome};{count};{day}' for (code, rome), seen in named.items() for count in sorted(seen)]
    blank = [f";{rome};{1 + int(80 * rng.random())};{day}" for rome in romes[: size // 300]]
    null = [f"null;{rome};{1 + int(30 * rng.random())};{day}" for rome in romes[-(size // 400) :]]
    header = '"commune";"dc_rome_id";"nb_offre";"date_extract"'
    text = "".join(f"{line}\r\n" for line in [header, *blank, *shuffled(rng, lines), *null])
    return bz2.compress(text.encode(), 9)
