"""Pictures of staged tables, for the Dagster UI: small PNGs, drawn when somebody looks at them."""

import inspect
import io
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from warehouse.criteria import CRITERIA

if TYPE_CHECKING:  # the web server, which knows the address from here, does without pandas until a picture is asked for
    import pandas as pd

Picture = Callable[["pd.DataFrame"], Any]
"""From a table to a figure of matplotlib."""

ADDRESS = "/pictures"
"""Where the web server of the UI (`pipelines/webserver.py`) has the picture of a staged table, below it by its name."""

DPI = 75
COLOURS = 48
"""Of a PNG: enough for these, and a third of the size."""
HARDEST = 5
"""The class of `ind_t` that is hardest to recruit."""
SHOWN = 15
CURVES = 8
"""How many are drawn on one picture."""
FRANCE = ((-5.3, 9.7), (41.3, 51.2))
"""What the maps show, degrees: longitudes, latitudes of mainland France and Corsica."""


def png(picture: Picture, frame: "pd.DataFrame") -> bytes:
    """The PNG that a picture draws of a table."""
    from PIL import Image

    drawn = io.BytesIO()
    picture(frame).savefig(drawn, format="png", dpi=DPI)
    small = io.BytesIO()
    Image.open(drawn).convert("RGB").quantize(COLOURS).save(small, "png", optimize=True)
    return small.getvalue()


def as_markdown(name: str) -> list[str]:
    """The picture of a staged table, as the UI shows it within Markdown; nothing where it has none."""
    return [f"![{inspect.getdoc(PICTURES[name])}]({ADDRESS}/{name})"] if name in PICTURES else []


def _figure(width: float, height: float) -> Any:
    """A figure that belongs to no window. matplotlib takes a second to import: only who draws does."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def map_of_communes(cities: "pd.DataFrame") -> Any:
    """Communes of mainland France by region, altitude (m) and distance from the sea (km)."""
    figure = _figure(13, 4.4)
    (west, east), (south, north) = FRANCE
    cities = cities[cities["geo_point_2d_y"].between(west, east) & cities["geo_point_2d_x"].between(south, north)]
    region = cities["new_code_region"].astype("category").cat.codes
    panels: Sequence[tuple[str, pd.Series, str]] = (
        ("region since 2016", region, "tab20"),
        ("altitude, m", cities["z_moyen"].clip(0, 2000), "terrain"),
        ("distance from the sea, km", cities["distance_from_sea"], "viridis_r"),
    )
    size = 300 / max(len(cities), 300) ** 0.5
    for axes, (title, values, colours) in zip(figure.subplots(1, 3), panels, strict=True):
        known = values.notna()
        drawn = axes.scatter(
            cities["geo_point_2d_y"][known].astype(float),  # the longitude, despite its name
            cities["geo_point_2d_x"][known].astype(float),
            c=values[known].astype(float),
            s=size,
            cmap=colours,
            linewidths=0,
        )
        axes.set(title=title, xlim=FRANCE[0], ylim=FRANCE[1], aspect=1.45, xticks=[], yticks=[])
        if colours != "tab20":
            figure.colorbar(drawn, ax=axes, shrink=0.7)
    return figure


def bars_of_tensions(tensions: "pd.DataFrame") -> Any:
    """The ROMEs hardest to recruit (`ind_t` 5) in most basins; pairs of ROME and basin by class beside."""
    figure = _figure(11, 4.6)
    left, right = figure.subplots(1, 2, width_ratios=[2, 1])
    basins = tensions[(tensions["ind_t"] == HARDEST).fillna(False)].groupby(["rome", "lib_rome"]).size()
    top = basins.sort_values(ascending=False, kind="stable").head(SHOWN)[::-1]
    left.barh([f"{rome}  {str(label)[:48]}" for rome, label in top.index], top, color="#c0504d")
    left.set(title="basins where the ROME is of class 5")
    classes = tensions["ind_t"].value_counts().sort_index()
    right.bar([str(c) for c in classes.index], classes.astype(int), color="#4f81bd")
    right.set(title="ROMEs x basins, by class", xlabel="class, 5 = hardest to recruit")
    return figure


def heat_of_criteria(table: "pd.DataFrame") -> Any:
    """Per region and criterion, the number of ROMEs that meet it."""
    regions = json.loads(table["json"].iloc[0])
    keys = [criterion.key for criterion in CRITERIA]
    met = [[sum(key in rome["criterions"] for rome in region["romes"].values()) for key in keys] for region in regions]
    figure = _figure(9, 5)
    axes = figure.subplots()
    drawn = axes.imshow(met, aspect="auto", cmap="YlGnBu")
    axes.set_xticks(range(len(keys)), keys, rotation=35, ha="right")
    axes.set_yticks(range(len(regions)), [region["label"] for region in regions])
    axes.set_title("ROMEs with a commune that meets the criterion")
    figure.colorbar(drawn, ax=axes)
    return figure


def bars_of_facilities(equipments: "pd.DataFrame") -> Any:
    """The facility types there are most of."""
    totals = equipments.groupby("typequ")["total"].sum().astype(int)
    top = totals.sort_values(ascending=False, kind="stable").head(SHOWN)[::-1]
    figure = _figure(8, 4.4)
    axes = figure.subplots()
    axes.bar_label(axes.barh(list(top.index), top, color="#9bbb59"), fmt="{:,.0f}", padding=3)
    axes.set(title=f"facilities, number: the {len(top)} commonest of {len(totals)} types", ylabel="type (BPE)")
    axes.margins(x=0.12)
    return figure


def bars_of_communes(codes: "pd.DataFrame") -> Any:
    """The communes that have most former codes; in the title how many codes there are now, and were."""
    former = codes[codes["code"] != codes["current_code"]]
    top = former.groupby("current_code").size().sort_values(ascending=False, kind="stable").head(SHOWN)[::-1]
    names = codes[codes["code"].isin(list(top.index))].set_index("code")["name"]
    figure = _figure(8, 4.4)
    axes = figure.subplots()
    axes.barh([f"{code}  {names.get(code)}" for code in top.index], top, color="#9bbb59")
    now = f"{len(codes) - len(former):,} codes now, {len(former):,} former ones"
    axes.set(title=f"{now} in {former['current_code'].nunique():,} communes: those with most")
    return figure


def lines_of_offers(history: "pd.DataFrame") -> Any:
    """Weekly offers of the ROMEs and of the regions that have most of them."""
    figure = _figure(13, 4.6)
    for axes, column, title in zip(
        figure.subplots(1, 2), ("rome_id", "code_region"), ("by ROME", "by region"), strict=True
    ):
        weekly = history.astype({"number": "int64"}).pivot_table("number", "week", column, "sum", fill_value=0)
        most = weekly.sum().nlargest(CURVES).index
        for name in most:
            axes.plot(weekly.index, weekly[name], marker=".", label=str(name))
        axes.set(title=f"weekly offers, {title}", ylim=(0, None))
        axes.tick_params(axis="x", rotation=30)
        axes.legend(fontsize=7, ncols=2)
    return figure


PICTURES: dict[str, Picture] = {
    "cities": map_of_communes,
    "cog": bars_of_communes,
    "equipments": bars_of_facilities,
    "offers_history": lines_of_offers,
    "regions_tensions_criterions": heat_of_criteria,
    "tensions": bars_of_tensions,
}
"""By the name of the staged table."""
