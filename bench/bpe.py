"""Write a full-size stand-in for INSEE's BPE: its header and size, drawn at random. No figure in it says anything."""

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

# fmt: off
COLUMNS = [
    "AAV2020", "AN", "BV2012", "DEP", "DEPCOM", "DOM", "EPCI", "DCIRIS", "LAMBERT_X", "LAMBERT_Y", "QP", "QUALI_IRIS",
    "QUALI_QP", "QUALI_QVA", "QUALI_ZFU", "QUALI_ZUS", "QUALITE_XY", "QVA", "REG", "SDOM", "TYPEQU", "UU2020", "ZFU",
    "ZUS",
]
# fmt: on
SAME = {"AN": "2021", "QP": "CSZ", "QUALITE_XY": "Bonne", "QVA": "CSZ", "REG": "84", "ZFU": "CSZ", "ZUS": "CSZ"}
"""Columns with one value throughout; those that nothing fills are empty."""
TYPES_PER_FAMILY = {"A1": 2, "A2": 5, "A3": 4, "A4": 6, "A5": 7, "B1": 3, "B2": 6, "B3": 16, "C1": 4, "C2": 1, "C3": 4}
TYPES_PER_FAMILY |= {"C4": 1, "C5": 4, "C6": 1, "C7": 1, "D1": 4, "D2": 9, "D3": 3, "D4": 1, "D5": 1, "D6": 1}
TYPES_PER_FAMILY |= {"E1": 5, "F1": 8, "F3": 4, "G1": 4}
ROWS_PER_CHUNK = 100_000
SEED = 21


def write(communes_file: Path, target: Path, rows: int, copies: int) -> None:
    """Write facilities as csv, by commune: `rows` drawn in proportion to population, each `copies` times.

    Copies make a longer file of the same communes and types; more rows drawn would bring more pairs of them too.
    """
    read = pacsv.ConvertOptions(
        column_types={"Code INSEE": pa.string(), "Population": pa.float64()},
        include_columns=["Code INSEE", "Population"],
    )
    communes = pacsv.read_csv(communes_file, parse_options=pacsv.ParseOptions(delimiter=";"), convert_options=read)
    codes = pc.utf8_lpad(communes["Code INSEE"].combine_chunks(), 5, "0")
    people = pc.fill_null(communes["Population"], 0.0).to_numpy() + 0.05
    types = pa.array([f"{family}{n:02}" for family, many in TYPES_PER_FAMILY.items() for n in range(1, 1 + many)])
    draw = np.random.default_rng(SEED)
    weights = draw.pareto(1.0, len(types)) + 0.05
    where = np.sort(draw.choice(len(codes), size=rows, p=people / people.sum()).astype("int32"))
    what = draw.choice(len(types), size=rows, p=weights / weights.sum()).astype("int32")
    schema = pa.schema([(name, pa.float64() if name.startswith("LAMBERT") else pa.string()) for name in COLUMNS])
    with pacsv.CSVWriter(target, schema, write_options=pacsv.WriteOptions(delimiter=";", quoting_style="none")) as file:
        for start in range(0, rows, ROWS_PER_CHUNK):
            chunk = slice(start, start + ROWS_PER_CHUNK)
            depcom = codes.take(pa.array(np.repeat(where[chunk], copies)))
            typequ = types.take(pa.array(np.repeat(what[chunk], copies)))
            file.write_table(_facilities(depcom, typequ, draw).cast(schema))


def _facilities(depcom: pa.Array, typequ: pa.Array, draw: np.random.Generator) -> pa.Table:
    """The columns of the BPE for facilities of these communes and types; coordinates in metres, Lambert 93."""
    rows = len(depcom)
    overseas = pc.starts_with(depcom, "97")
    columns = {name: pa.repeat(SAME.get(name, ""), rows) for name in COLUMNS} | {
        "DEP": pc.if_else(overseas, pc.utf8_slice_codeunits(depcom, 0, 3), pc.utf8_slice_codeunits(depcom, 0, 2)),
        "DEPCOM": depcom,
        "DOM": pc.utf8_slice_codeunits(typequ, 0, 1),
        "SDOM": pc.utf8_slice_codeunits(typequ, 0, 2),
        "TYPEQU": typequ,
        "DCIRIS": pc.binary_join_element_wise(depcom, "0101", "_"),
        "LAMBERT_X": pa.array(np.round(draw.uniform(100_000, 1_200_000, rows), 2)),
        "LAMBERT_Y": pa.array(np.round(draw.uniform(6_050_000, 7_100_000, rows), 2)),
    }
    return pa.table(columns)


def main() -> None:
    """A process of its own: what it takes in memory is not counted to what is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("communes", type=Path, help="communes file (columns Code INSEE and Population, `;`)")
    parser.add_argument("target", type=Path, help="csv file to write")
    parser.add_argument("rows", type=int, help="facilities to draw")
    parser.add_argument("copies", type=int, help="how often to write each")
    arguments = parser.parse_args()
    write(arguments.communes, arguments.target, arguments.rows, arguments.copies)


if __name__ == "__main__":
    main()
