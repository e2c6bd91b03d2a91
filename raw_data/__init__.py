"""The catalogue of every input, and the sample that ships with the project."""

import hashlib
from collections.abc import Collection
from pathlib import Path

FOLDER = Path(__file__).parent
CATALOGUE = FOLDER / "sources.yaml"
SAMPLE = FOLDER / "sample"


def is_sample(digests: Collection[str]) -> bool:
    """Whether files with these sha256 hold the invented communes of the bundled sample."""
    return hashlib.sha256((SAMPLE / "cities-france.csv").read_bytes()).hexdigest() in digests
