"""What every file of the sample is made with: facts, random draws, delimited text."""

import csv
import io
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from warehouse.geography import DISTRICT_PREFIXES
from warehouse.text import without_accents

FACTS = Path(__file__).parent / "facts"
SEED = 2021
CITIES = {code: DISTRICT_PREFIXES[code] for code in ("75056", "13055", "69123")}
"""Whole cities and the prefix of their districts, in the order in which the sample draws them."""
Row = dict[str, str]
Rng = np.random.Generator


def cells(line: str, delimiter: str | None = None) -> list[str]:
    """Return the cells of a line such as a header."""
    return line.split(delimiter)


def rng_of(name: str) -> Rng:
    """Return the random generator of one file, so that a file never depends on the others."""
    return np.random.default_rng([SEED, zlib.crc32(name.encode())])


def facts(name: str) -> list[Row]:
    """Return the rows of facts/<name>.csv."""
    with (FACTS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def plain(text: str) -> str:
    """Return the text in upper case, without accents."""
    return without_accents(text.replace("œ", "oe").replace("Œ", "OE")).upper()


def department_of(insee: str) -> str:
    """Return the department's code: two characters, three overseas."""
    return insee[:3] if insee.startswith("97") else insee[:2]


def unpadded(code: str) -> str:
    """Return a code without its leading zeros, as several publishers write it."""
    return code.lstrip("0")


def comma(number: float, digits: int) -> str:
    """Return a number with a decimal comma."""
    return f"{number:.{digits}f}".replace(".", ",")


def pick(rng: Rng, weights: Sequence[float] | np.ndarray[Any, Any], size: int) -> np.ndarray[Any, Any]:
    """Return `size` positions drawn in proportion to the weights."""
    edges = np.cumsum(np.asarray(weights, dtype=float))
    found: np.ndarray[Any, Any] = np.searchsorted(edges, rng.random(size) * edges[-1], side="right")
    return found


def shuffled(rng: Rng, items: Sequence[Any]) -> list[Any]:
    """Return the items in a random order."""
    return [items[i] for i in np.argsort(rng.random(len(items)), kind="stable")]


def table(
    rows: Iterable[Sequence[object]],
    *,
    delimiter: str = ";",
    end: str = "\n",
    quoting: Literal[0, 1, 2, 3] = csv.QUOTE_MINIMAL,
) -> str:
    """Return the rows as delimited text."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    return out.getvalue()


def communes() -> list[Row]:
    """Return the communes, each with its department (dept) and its old (old) and new (new) region."""
    new_region = {row["code"]: row["new_code"] for row in facts("old_regions")}
    old_region = {row["code"]: row["old_region"] for row in facts("departments")}
    rows = facts("communes")
    for row in rows:
        row["dept"] = department_of(row["code"])
        row["old"] = old_region[row["dept"]]
        row["new"] = new_region[row["old"]]
    return rows


def is_district(insee: str) -> bool:
    """Tell whether a code is that of a district of Paris, Lyon or Marseille."""
    return insee.startswith(tuple(CITIES.values()))


def whole_cities() -> list[Row]:
    """Return Paris, Lyon and Marseille as rows of communes."""
    by_code = {row["code"]: row for row in communes()}
    basins = {"75056": "1107", "13055": "9306", "69123": "8428"}
    people = {"75056": "2234.1", "13055": "850.6", "69123": "479.8"}
    rows = []
    for code, prefix in CITIES.items():
        first = by_code[(prefix + "01")[:5] if len(prefix) == 3 else prefix + "1"]
        name = first["name"].split("-")[0]
        rows.append(first | {"code": code, "name": name, "basin": basins[code], "population": people[code]})
    return rows
