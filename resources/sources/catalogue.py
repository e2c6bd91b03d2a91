"""The catalogue of inputs, `raw_data/sources.yaml`, read and checked."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

import raw_data
from resources.errors import CatalogueError
from resources.sources.field_types import KINDS

_Https = Annotated[str, Field(pattern=r"^https://")]


def column_key(name: str) -> str:
    """What two spellings of one column's name have in common: neither case nor spaces matter."""
    return " ".join(name.split()).casefold()


def century(year: str) -> str:
    """A year of two digits is of this century."""
    return f"20{year}" if len(year) == 2 else year


def _newest(pattern: str, header: list[str]) -> str | None:
    """Of the columns whose name fits a pattern, `~` and a regular expression, that of the newest year, its group."""
    years = {name: match[1] for name in header if (match := re.fullmatch(pattern[1:], name.strip(), re.IGNORECASE))}
    return max(years, key=lambda name: years[name], default=None)


class Layout(BaseModel):
    """One way a source's files are laid out. Which one a file has is told by its header."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    encoding: str = "utf-8"
    delimiter: str = Field(";", min_length=1, max_length=1)
    decimal: Literal[".", ","] = "."
    under: str | None = Field(None, description="JSON: the key of the list of records, where it is not at the top")
    within: str | None = Field(None, description="JSON: the key, in each record, of its fields, where there is one")
    header: bool = Field(True, description="without one, the columns are those listed, in their order")
    columns: dict[str, list[str]] = Field(
        {},
        description="the name the code uses: the spellings a file may use, `~` and a regular expression with the year "
        "as its group where the name has one",
    )
    optional_columns: dict[str, list[str]] = {}
    vintage: str | None = Field(None, description="of every file that has this layout")
    only: dict[str, str] = Field({}, description="of a large file the rows that count: regular expressions by column")

    @model_validator(mode="after")
    def _spellings_differ(self) -> "Layout":
        spellings = [column_key(s) for many in self.all_columns.values() for s in many]
        if len(spellings) != len(set(spellings)):
            raise ValueError("a spelling stands for two columns")
        return self

    @property
    def all_columns(self) -> dict[str, list[str]]:
        """Required and optional columns, with their accepted spellings."""
        return self.columns | self.optional_columns

    def match(self, header: list[str]) -> dict[str, str]:
        """Canonical name to the header's spelling, for the columns that the header has."""
        found = {column_key(name): name for name in header}
        return {
            column: name
            for column, spellings in self.all_columns.items()
            for spelling in reversed(spellings)
            if (name := _newest(spelling, header) if spelling.startswith("~") else found.get(column_key(spelling)))
        }

    def missing(self, header: list[str]) -> list[str]:
        """Required columns that the header has under no accepted spelling, by their first spelling."""
        found = self.match(header)
        return [spellings[0] for column, spellings in self.columns.items() if column not in found]


class DownloadEntry(BaseModel):
    """One vintage of a source, and where it is fetched from: data.gouv.fr's own list of a data set's resources first,
    then the addresses, in their order.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    vintage: str
    certainty: Literal["A", "B", "C"] = Field(description="as the source's")
    urls: list[_Https] = Field([], description="`{station}` stands for a weather station's number")
    dataset: str | None = Field(None, description="name of the data set in data.gouv.fr's addresses")
    resource: str | None = Field(None, description="regular expression found in the resource's title or address")
    save_as: str | None = Field(None, description="name of the file; without one, that of the member of the archive")

    @model_validator(mode="after")
    def _has_an_address(self) -> "DownloadEntry":
        if not self.urls and not self.dataset:
            raise ValueError("urls or dataset says where it is")
        if bool(self.dataset) != bool(self.resource):
            raise ValueError("resource says which of the dataset's files it is, and only with one")
        return self


class Source(BaseModel):
    """One input: who publishes it, where, under which licence, and what its files look like."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    publisher: str
    licence: str
    landing_page: str = Field(pattern=r"^https://")
    downloads: list[DownloadEntry] = Field([], description="the first is fetched where no vintage is asked for")
    certainty: Literal["A", "B", "C"] = Field(description="of the addresses: A seen twice, B seen once, C inferred")
    folder: Literal["raw_data", "dumps", "cache"] = "raw_data"
    files: list[str] = Field(min_length=1, description="patterns of the file names; the newest match is read")
    excluded_files: list[str] = []
    many: bool = Field(False, description="the source is all the files that match, not the newest one")
    vintage: str = Field(description="of the file described here")
    vintage_in_name: str | None = Field(None, description="regular expression; its group is the file's vintage")
    vintage_in_text: str | None = Field(None, description="regular expression; its group is a text's vintage")
    kind: Literal["csv", "json", "xml", "text"]
    layouts: list[Layout] = Field([Layout()], min_length=1)
    types: dict[str, str] = Field({}, description="what a column's values are, see sources/field_types.py; else text")
    blank: list[str] = Field([], description="texts that stand for no value")
    needed: list[str] = Field([], description="columns without which a row cannot be used")
    key: list[str] = Field([], description="needed columns whose values together stand once")
    rows: tuple[int, int] | None = Field(None, description="how many rows the whole of France is known to have")
    max_rejected: float = Field(
        0, ge=0, le=1, description="share of rows with an error above which the file is refused"
    )
    max_age_days: int | None = Field(None, description="how old the vintage, a day, may be")
    vintage_column: str | None = Field(None, description="optional column that holds the vintage")
    required: bool
    without: str | None = Field(None, description="what follows when an optional source is not there")
    notes: str = ""

    @property
    def download_url(self) -> str | None:
        """Where it is fetched from, in the first place."""
        return next((url for download in self.downloads for url in download.urls), None)

    @property
    def commune_columns(self) -> list[str]:
        """The columns that hold a commune's code."""
        return [column for column, kind in self.types.items() if kind == "commune"]

    @model_validator(mode="after")
    def _names_its_columns(self) -> "Source":
        known = {column for layout in self.layouts for column in layout.all_columns}
        named = {*self.types, *self.needed, *self.key} | ({self.vintage_column} if self.vintage_column else set())
        if unknown := sorted(named - known):
            raise ValueError(f"no layout has a column {', '.join(unknown)}")
        if unknown := sorted(set(self.types.values()) - set(KINDS)):
            raise ValueError(f"{', '.join(unknown)} is no type; there are {', '.join(KINDS)}")
        return self

    @model_validator(mode="after")
    def _says_what_follows(self) -> "Source":
        if self.required == bool(self.without):
            raise ValueError("`without` says what follows when an optional source is not there, and only then")
        return self


def load_catalogue(path: Path = raw_data.CATALOGUE) -> dict[str, Source]:
    """Every source by its id.

    Raises CatalogueError when the file is not YAML, or a source lacks a field, has an unknown one or a wrong value.
    """
    try:
        content = raw_data.read_yaml(path)
    except yaml.YAMLError as error:
        raise CatalogueError(f"{path.name} is not YAML: {error}") from error
    if not isinstance(content, dict) or not content:
        raise CatalogueError(f"{path.name}: expected source ids, each with its fields")
    sources, wrong = {}, []
    for name, fields in content.items():
        try:
            sources[str(name)] = Source.model_validate(fields)
        except ValidationError as error:
            wrong += [f"{name}.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
    if wrong:
        raise CatalogueError(f"{path.name} is not well made:\n  " + "\n  ".join(wrong))
    return sources


@cache
def catalogue() -> dict[str, Source]:
    """The project's own catalogue, read once."""
    return load_catalogue()


def require_sources(reader: str, sources: Iterable[str]) -> None:
    """Raises CatalogueError when `reader`, an import, reads a source that the catalogue does not have."""
    if unknown := [source for source in sources if source not in catalogue()]:
        raise CatalogueError(
            f"{reader} reads {', '.join(unknown)}, which raw_data/sources.yaml does not have: add an entry of that name"
        )
