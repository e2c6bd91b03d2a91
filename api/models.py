"""What the API answers. Rows derive from `warehouse/tables.py`, where each column is described."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model
from sqlalchemy import DateTime, Table

from warehouse import tables

Stamp = Annotated[datetime, AfterValidator(lambda at: at.replace(tzinfo=UTC))]
"""A date and time of the warehouse, which are UTC."""


def row_model(name: str, table: Table, *columns: str) -> type[BaseModel]:
    """The model of a table's rows: the named columns, by default all."""
    fields: dict[str, Any] = {}
    for column in table.columns:
        if not columns or column.name in columns:
            kind = Stamp if isinstance(column.type, DateTime) else column.type.python_type
            fields[str(column.name)] = (kind if not column.nullable else kind | None, Field(description=column.comment))
    return create_model(name, **fields)


City = row_model("City", tables.cities)
Region = row_model("Region", tables.new_regions)
Departement = row_model("Departement", tables.departements)
Equipment = row_model("Equipment", tables.equipments)
Help = row_model("Help", tables.helps)

PREVIEW = ("id", "title", "goal", "who", "section", "situation", "count_vue", "slug", "logo", "type", "partner")
HelpPreview = row_model("HelpPreview", tables.helps, *PREVIEW, "visibility_boost")
CityName = row_model("CityName", tables.cities, "name", "nom_comm", "insee_com", "postal_code")
FormerCommune = row_model("FormerCommune", tables.former_communes, "code", "name")
Week = row_model("Week", tables.offers_history, "week", "number", "days")
SimilarCity = row_model("SimilarCity", tables.cities, "id", "insee_com", "name", "nom_comm")

Problem = create_model("Problem", message=str)
JobTitle = create_model("JobTitle", codeRome=str, label=str)
Ogr = create_model("Ogr", rome=str, romeLabel=str | None, ogrLabel=str)
Similar = create_model("Similar", result=list[SimilarCity], criterions=list[str])  # type: ignore[valid-type]

LOWEST = "the lowest ind_t of codeRome; only with onlySearchInTension"


class FoundCity(City):  # type: ignore[misc, valid-type]
    region_name: str | None = Field(None, alias="newRegion.name")
    region_code: int | None = Field(None, alias="newRegion.code")
    departement_name: str | None = Field(None, alias="departement.name")
    offers: int | None = Field(None, alias="citiesJobs.number", description="for codeRome, districts included")
    ind_t: int | None = Field(None, alias="bassin.tensions.ind_t", description=LOWEST)


class CloseCity(City):  # type: ignore[misc, valid-type]
    region_name: str | None = Field(None, alias="newRegion.name")
    distance: float = Field(description="great-circle distance from the point, km")


class LoadedCity(City):  # type: ignore[misc, valid-type]
    former: list[FormerCommune] = Field(description="the communes that are in it now")  # type: ignore[valid-type]
    equipments: list[Equipment] = Field(description="facilities by type")  # type: ignore[valid-type]
    newRegion: Region | None = None  # type: ignore[valid-type]
    departement: Departement | None = None  # type: ignore[valid-type]


Found = create_model("Found", list=list[FoundCity], total=int, index=int)


class FoundBasin(BaseModel):
    """A basin where a search finds cities, at the point of the most populous of them."""

    bassin_id: int
    bassin_name: str | None
    name: str | None = Field(description="bassin_name, with accents where a commune of the basin has that name")
    ind_t: int | None = Field(None, description=LOWEST)
    cities: int = Field(description="cities that are found there, number")
    insee_com: str = Field(description="INSEE code of the most populous")
    latitude: float | None = Field(description="degrees")
    longitude: float | None = Field(description="degrees")


class Figure(BaseModel):
    france: float | None = Field(description="median of the communes; null: known of none")
    departement: float | None = Field(description="median of the communes of its department")
    rank: int | None = Field(description="1: the greatest of France; null: the city's is not known")
    of: int = Field(description="communes of which it is known, number")
    publisher: str | None = Field(description="who publishes the file that it comes from")
    vintage: str | None = Field(description="vintage of that file", examples=["2019"])


FiguresOut = create_model("Figures", criterions=list[str], figures=dict[str, Figure])


class Trade(BaseModel):
    codeRome: str = Field(examples=["D1102"])
    label: str | None
    number: int | None = Field(description="offers in the city and its districts; null: none")
    ind_t: int | None = Field(description="tension class in the city's basin; null: no tension row")


Trades = create_model("Trades", bassin_id=int | None, bassin_name=str | None, name=str | None, trades=list[Trade])


class RegionRome(BaseModel):
    model_config = ConfigDict(extra="allow")  # the table's JSON is answered as it is

    criterions: list[str] = Field(description="criteria met by cities of the region where it is in tension")
    opportunite: float | None = Field(None, description="share of basin communes whose ind_t is below 4; or left out")


class RegionOut(BaseModel):
    model_config = ConfigDict(extra="allow")

    id: str
    label: str
    romes: Mapping[str, RegionRome]


SubLabel = Annotated[str | None, Field(description="left out where there is none")]
Choice = create_model("Choice", key=str, label=str, tag=str, icon=str, weight=int, subLabel=(SubLabel, None))
Rome = create_model("Rome", key=str, label=str | None)
Criterions = create_model("Criterions", criterions=list[Choice], regions=list[RegionOut], codeRomes=list[Rome])


class Health(BaseModel):
    status: str = Field(description="ok; or why it does not serve", examples=["ok"])
    release: int | None = Field(examples=[7])
    published_at: Stamp | None
    database: str = Field(description="ok, or away: the API serves what it holds", examples=["ok"])
    sample: bool = Field(description="whether the invented sample is served")


FILE = ("source_id", "file_name", "vintage", "sha256", "rows_read", "rows_used", "rows_merged", "rows_rejected")
Source = row_model("Source", tables.release_sources, *FILE)
Recorded = row_model("Recorded", tables.releases, "id", "published_at", "started_at", "status")


class ReleaseTable(BaseModel):
    table: str = Field(examples=["equipments"])
    rows: int
    rows_before: int | None = Field(description="its rows in the release before this one; null: it was not there")
    changed: bool = Field(description="whether its contents are not those of the release before this one")
    loaded_at: Stamp
    sources: list[Source]  # type: ignore[valid-type]


class Missing(BaseModel):
    """An optional source that was not there when the release was made."""

    source: str = Field(examples=["weather_sheets"])
    consequence: str = Field(description="what readers miss without it")


class ReleaseOut(Recorded):  # type: ignore[misc, valid-type]
    """The served release, and what it was made from."""

    geography: str | None = Field(description="which communes codes are of", examples=["COG 2026", "communes 2015"])
    sample: bool = Field(description="whether the invented sample is served")
    missing: list[Missing]
    tables: list[ReleaseTable]


class Download(BaseModel):
    """A file of a table."""

    table: str = Field(examples=["cities"])
    description: str = Field(description="what the table holds")
    path: str = Field(description="its address, after that of the API", examples=["downloads/7/cities.parquet"])
    format: str = Field(description="csv (UTF-8, `;`) or parquet")
    mediatype: str
    rows: int
    bytes: int
    hash: str = Field(description="sha256: and the sum")


class DownloadSource(BaseModel):
    """Whose data the files hold: who is to be named, and under which licence."""

    title: str
    path: str = Field(description="address of the page where it is published")
    publisher: str
    licence: str = Field(examples=["Licence Ouverte 2.0"])
    version: str | None = Field(None, description="vintage, or the first and last; left out where it is not known")


class Downloads(BaseModel):
    """The files to download, and of which release they are."""

    release: int = Field(examples=[7])
    published_at: datetime
    sample: bool = Field(description="whether they are of the invented sample")
    latest: str = Field(description="address that is always that of the newest release's folder")
    releases: list[int] = Field(description="releases whose folders are there, the newest first")
    files: list[Download]
    sources: list[DownloadSource]


class LiveModel(BaseModel):
    """What a service of France Travail is asked for."""

    unavailable: bool | None = Field(None, description="true: France Travail does not answer now, or is not asked")


class Offers(LiveModel):
    """Job offers, as Offres d'emploi has them, 150 at most, and how many there are in all."""

    resultats: list[dict[str, Any]]
    totalOffres: int | None = Field(description="the sum over the kinds of contract; null: not known now")


class OffersCount(LiveModel):
    """How many offers there are around a list of communes."""

    insee: list[str]
    total: int | None = Field(description="null: not known now")


class TradeInfo(LiveModel):
    """A trade in a commune; what is not known, or not now, is null."""

    bassinId: int | None = Field(description="the commune's basin")
    bassinTensionIndT: int | None = Field(description="1 to 5, from the warehouse")
    min: float | None = Field(description="the least monthly salary in France, EUR")
    max: float | None = Field(description="the most, EUR")
    bassinTension: float | None = Field(description="tension in the basin")
    deptTension: float | None = Field(description="tension in the department")
    hiringRate: float | None = Field(description="job seekers of the basin hired within six months, percent")


class Companies(LiveModel):
    """Companies likely to hire, as La Bonne Boîte has them, ten at most, and how many there are."""

    companies: list[dict[str, Any]]
    companies_count: int | None = Field(description="null: not known now")
