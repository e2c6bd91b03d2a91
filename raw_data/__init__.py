"""The catalogue of every input, and the sample that ships with the project."""

import hashlib
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent
CATALOGUE = FOLDER / "sources.yaml"
SAMPLE = FOLDER / "sample"


def read_yaml(path: Path) -> Any:
    """The content of a YAML file, by the loader in C where there is one: every wheel of PyYAML has it."""
    return yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506


def is_sample(digests: Collection[str]) -> bool:
    """Whether files with these sha256 hold the invented communes of the bundled sample."""
    return hashlib.sha256((SAMPLE / "cities-france.csv").read_bytes()).hexdigest() in digests


def missing(sources: Collection[str]) -> dict[str, str]:
    """The optional sources that are not among these, each with what readers miss without it."""
    return {name: said["without"] for name, said in _content().items() if "without" in said and name not in sources}


def publisher(source: str) -> str:
    """Who publishes a source."""
    return str(_content()[source]["publisher"])


@cache
def _content() -> dict[str, dict[str, Any]]:
    """The catalogue, without the models that check it, for which the read API would need pandas."""
    content: dict[str, dict[str, Any]] = read_yaml(CATALOGUE)
    return content
