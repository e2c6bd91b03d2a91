"""The catalogue of every input, and the sample that ships with the project."""

from pathlib import Path

FOLDER = Path(__file__).parent
CATALOGUE = FOLDER / "sources.yaml"
SAMPLE = FOLDER / "sample"
