"""Write daily dumps of the datalake made from a real one: its communes and ROMEs, other numbers each day. No figure in
them says anything.
"""

import argparse
import bz2
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

FIRST = date(2022, 1, 3)
"""A Monday."""
ABSENT = 0.02
"""The share of the real rows that a day does not have."""


def day_of(number: int) -> date:
    """The day of the dump `number`, from 0 on."""
    return FIRST + timedelta(days=number)


def write(real: pd.DataFrame, folder: Path, number: int) -> None:
    """Write the dump of a day: most of the real rows, each number up to a quarter more or a fifth less."""
    day, draw = day_of(number), np.random.default_rng(number)
    rows = real[draw.random(len(real)) >= ABSENT]
    offers = (rows["nb_offre"] * draw.uniform(0.8, 1.25, len(rows))).round().clip(1).astype(int)
    text = rows.assign(nb_offre=offers, date_extract=str(day)).to_csv(index=False, sep=";", lineterminator="\r\n")
    (folder / f"{day:%Y%m%d}_mv_villes_offre_full.csv.bz2").write_bytes(bz2.compress(text.encode()))


def main() -> None:
    """A process of its own: what it takes in memory is not counted to what is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("real", type=Path, help="a dump (.csv.bz2)")
    parser.add_argument("folder", type=Path, help="where to write")
    parser.add_argument("first", type=int, help="number of the first day")
    parser.add_argument("end", type=int, help="number of the day after the last")
    asked = parser.parse_args()
    real = pd.read_csv(asked.real, sep=";", dtype={"commune": str})
    with ProcessPoolExecutor() as pool:
        list(pool.map(partial(write, real, asked.folder), range(asked.first, asked.end)))


if __name__ == "__main__":
    main()
