"""What the API is sent: texts of an address bar are taken for the numbers and lists that they stand for."""

from typing import Annotated, Literal, Self, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    StrictStr,
    model_validator,
)

from warehouse.codes import COMMUNE, ROME
from warehouse.criteria import CRITERIA

MOST_CODES = 1_000
"""Codes that a search may name: more than there are."""


def _plain(code: str) -> str:
    if not code.isascii():
        raise ValueError("expected ASCII digits and letters")
    return code


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("expected a number")
    return value


def _list(value: object) -> object:
    values = value if isinstance(value, list) else [value]
    return [value for value in values if value is not None and value != ""]


T = TypeVar("T")
Listed = Annotated[list[T], BeforeValidator(_list)]
"""A list, or one value for a list of one; null and empty texts are left out."""
IsNumber = BeforeValidator(_number)
Whole = Annotated[int, IsNumber]
"""A whole number, 10 or 10.0, or its text; not true."""
Decimal = Annotated[FiniteFloat, IsNumber]
"""A number or its text."""
Key: TypeAlias = Literal[*(criterion.key for criterion in CRITERIA)]  # type: ignore[valid-type]
"""Of a criterion."""


class _Body(BaseModel):
    """What stands in an address bar: texts. An empty text or null is not asked for; an unknown key is ignored."""

    model_config = ConfigDict(extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _asked(cls, body: object) -> object:
        if not isinstance(body, dict):
            return body
        return {key: value for key, value in body.items() if value is not None and value != ""}


class Search(_Body):
    """Which cities are looked for. What is null, empty or left out does not narrow the search."""

    codeRegion: Listed[Whole | StrictStr] = Field([], max_length=MOST_CODES, description="none: all", examples=[[53]])
    departement: Listed[StrictStr] = Field(
        [], max_length=MOST_CODES, description="codes of departments, none: all", examples=[["29"]]
    )
    codeCity: Key | None = Field(None, description="its size")
    codeEnvironment: Key | None = Field(None, description="where it lies", examples=["side-sea"])
    codeRome: Listed[StrictStr] = Field([], max_length=MOST_CODES, description="ROME codes", examples=[["D1102"]])
    index: Whole = Field(0, ge=0, description="place of the first city that is answered, from 0", examples=[0])
    onlySearchInTension: bool = Field(True, description="only where the basin has a tension row for one of codeRome")
    opportunity: Annotated[int, Field(ge=1, le=2), IsNumber] | None = Field(None, description="1: ind_t < 4; 2: >= 4")
    sortBy: Literal["mer", "montagne"] | None = Field(
        None, description="after the tension: the nearest to the sea first, or the highest", examples=["mer"]
    )


Rome = Annotated[str, Field(pattern=ROME, max_length=5, examples=["D1102"]), AfterValidator(_plain)]
Commune = Annotated[str, Field(pattern=COMMUNE, max_length=5, examples=["29019"]), AfterValidator(_plain)]
"""Codes: nothing else goes into a question to an outside service."""
MOST_COMMUNES = 50
Romes = Annotated[Listed[Rome], Field(max_length=200, examples=[["D1102"]])]
Communes = Annotated[Listed[Commune], Field(max_length=MOST_COMMUNES, examples=[["29019"]])]
"""As many as a question to an outside service may name."""


class Trend(_Body):
    """A trade, and a region; none: all."""

    rome: StrictStr = Field(min_length=1, description="ROME code", examples=["D1102"])
    region: Whole | None = Field(None, description="code of the region since 2016", examples=[53])


class OffersSearch(_Body):
    """Trades and communes; none of either: all."""

    codeRome: Romes = []
    insee: Communes = []


class OffersCounts(_Body):
    """Trades, and lists of communes, each counted on its own."""

    codeRome: Romes = []
    inseeList: Listed[Annotated[Communes, Field(min_length=1)]] = Field(
        max_length=MOST_COMMUNES, examples=[[["29019"], ["75056"]]]
    )


class TradeSearch(_Body):
    codeRome: Rome
    insee: Commune


class CloseCompanies(_Body):
    """Trades, a commune, and in which order companies are listed."""

    codeRome: Annotated[Romes, Field(min_length=1)]
    insee: Commune
    sort: str | None = Field(None, description="distance: the nearest first; else those most likely to hire")


class Autocomplete(_Body):
    """The beginning of a city's name, present or former, or postal code, or a district: `lyon 3`."""

    query: str = Field("", description="compared without case and accents", examples=["saint-e"])


class SkillSearch(_Body):
    """Words of a job title; the last one may be its beginning."""

    label: str = Field("", examples=["aide boulang"])


class CloseCities(_Body):
    latitude: Decimal = Field(description="degrees", examples=[48.39])
    longitude: Decimal = Field(description="degrees", examples=[-4.49])
    inseeCode: str | None = Field(None, description="INSEE code of the city that is left out", examples=["29019"])


class GivenCity(_Body):
    """The city that others are compared with, as a search or load gives it."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": ["id"], "properties": {"id": {"type": "integer"}}},
                {"required": ["insee_com"], "properties": {"insee_com": {"type": "string", "minLength": 1}}},
            ]
        }
    )

    id: Whole | None = None
    insee_com: str | None = Field(None, description="INSEE code; where it is given, id does not matter")
    population: Decimal | None = Field(None, description="thousands")
    distance_from_sea: Decimal | None = Field(None, description="km")
    z_moyen: Decimal | None = Field(None, description="mean altitude, m")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if self.id is None and self.insee_com is None:
            raise ValueError("expected the id or the insee_com of a city")
        return self


class SimilarCities(_Body):
    """A city, and the trade that must be in tension in those like it."""

    codeRome: Listed[StrictStr] = Field([], max_length=MOST_CODES, examples=[["D1102"]])
    city: GivenCity = Field(
        examples=[{"insee_com": "29019", "population": 139.3, "distance_from_sea": 3, "z_moyen": 52}]
    )
