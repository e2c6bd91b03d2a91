"""What the pages list whole: criteria, regions and trades; job titles (OGR); weekly offers; mobility aids."""

from typing import Annotated

import orjson
from fastapi import APIRouter, HTTPException, Path, Query, Request, Response

from api.bodies import Trend
from api.models import Criterions, Help, HelpPreview, Ogr, Week
from api.release import Release
from api.responses import NOT_FOUND, RESPONSES, release_of, respond
from api.search.text import fold
from warehouse.criteria import CRITERIA

router = APIRouter(responses=RESPONSES)


@router.get("/cities/criterions", response_model=Criterions, tags=["cities"])
async def criterions(request: Request) -> Response:
    """What the first page needs: criteria, regions with their trades, and the trades by label."""
    release = release_of(request)
    return respond(request, release, release.made(criterions_of))


def criterions_of(release: Release) -> bytes:
    """Criteria, regions and trades, as JSON."""
    regions = release.contents["regions_tensions_criterions"]
    trades = sorted(release.tensions.labels.items(), key=lambda trade: (fold(trade[1] or ""), trade[0]))
    criteria = [
        {"label": c.label, "tag": c.tag, "icon": c.icon, "weight": c.weight, "key": c.key}
        | ({"subLabel": c.sub_label} if c.sub_label else {})
        for c in CRITERIA
    ]
    codes = [{"key": key, "label": label} for key, label in trades]
    return orjson.dumps({"criterions": criteria, "regions": regions[0]["json"] if regions else [], "codeRomes": codes})


@router.get("/ogrs", response_model=list[Ogr], tags=["job titles"])
async def ogrs(request: Request) -> Response:
    """All job titles of the ROMEs of tensions."""
    release = release_of(request)
    return respond(request, release, release.made(ogrs_of))


def ogrs_of(release: Release) -> bytes:
    """The job titles, as JSON."""
    known, labels = release.tensions.labels, release.labels
    titles = release.titles.listed
    return orjson.dumps(
        [{"rome": rome, "romeLabel": labels.get(rome), "ogrLabel": label} for rome, label in titles if rome in known]
    )


@router.get("/trends", response_model=list[Week], tags=["trends"])  # type: ignore[valid-type]
async def trends(request: Request, asked: Annotated[Trend, Query()]) -> Response:
    """A trade's offers week by week, the oldest first: the mean over the week's dumps."""
    release = release_of(request)
    return respond(request, release, orjson.dumps(release.trends.of(fold(asked.rome).upper(), asked.region)))


@router.get("/helps/get-previews", response_model=list[HelpPreview], tags=["aids"])  # type: ignore[valid-type]
async def helps(request: Request) -> Response:
    """All mobility aids, in short."""
    release = release_of(request)
    found = [{name: row[name] for name in HelpPreview.model_fields} for row in release.contents["helps"]]
    return respond(request, release, orjson.dumps(found))


@router.get("/helps/get-previews/{slug}", response_model=Help, responses=NOT_FOUND, tags=["aids"])
async def help_of(request: Request, slug: Annotated[str, Path(examples=["mobili-jeune"])]) -> Response:
    """A mobility aid with all its texts. Its views are not counted here: the API never writes."""
    release = release_of(request)
    if not (row := release.helps.get(fold(slug))):
        raise HTTPException(404, "no aid has this slug")
    return respond(request, release, orjson.dumps(row))
