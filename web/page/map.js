// The map of France: basins by their index, lines of departments and regions, the largest cities, the cities of the list.

import {
  feature, geoAzimuthalEqualArea, geoCentroid, geoCircle, geoConicConformal, geoPath, html, keyed, merge, mesh, nothing, ref, select, svg, zoom,
  zoomIdentity,
} from "./libraries.js";
import { go, LIST } from "./address.js";
import { ask, redraw } from "./requests.js";
import { departementName } from "./departements.js";
import { basinName, plural, recruiting, TENSION } from "./words.js";

const WIDTH = 640;
const HEIGHT = 620;
const OVERSEAS = [1, 2, 3, 4, 6];
const BOX = 58;
const AROUND_DEGREES = 0.6;
const FARTHEST = 12;
const NARROW = matchMedia("(max-width: 30em)"); // as in style.css: the map is small, and what is written on it larger

/** What is made of the topology: pieces of basins and of regions, a shape of each; the lines between. */
function outlinesOf(topology) {
  const [places, pieces] = [true, false].map((isPlace) =>
    topology.objects.pieces.geometries.filter(({ type }) => (type === "Point") === isPlace));
  const shapes = (name) =>
    new Map([...Map.groupBy(pieces, ({ properties }) => properties[name])].map(([code, those]) =>
      [code, { code, region: those[0].properties.region, shape: merge(topology, those) }]));
  const lines = (name, of) =>
    mesh(topology, { type: "GeometryCollection", geometries: of }, (one, other) => one.properties[name] !== other.properties[name]);
  const mainland = pieces.filter(({ properties }) => !OVERSEAS.includes(properties.region));
  return {
    basins: shapes("basin"),
    departements: shapes("departement"),
    regions: shapes("region"),
    borders: [["departement", lines("departement", mainland)], ["region-line", lines("region", mainland)]],
    cities: places.map((city) => {
      const [longitude, latitude] = feature(topology, city).geometry.coordinates;
      return { ...city.properties, longitude, latitude };
    }),
  };
}

/** What is drawn, and where: the paths of basins, their projection, the area they are drawn in; some are in a corner. */
function frames({ basins, departements, regions, borders }, { region, departement, basin }) {
  const one = basins.get(basin) ?? departements.get(departement) ?? regions.get(region);
  const whole = [[0, 0], [WIDTH, HEIGHT]];
  const around = [[24, 24], [WIDTH - 24, HEIGHT - 24]];
  if (OVERSEAS.includes(one?.region)) {
    const island = local(regions.get(one.region).shape, around);
    return [drawnIn(island, whole, basins, ({ region: code }) => code === one.region)];
  }
  const lambert = geoConicConformal().rotate([-3, 0]).parallels([44, 49]).precision(0);
  const isMainland = ({ region: code }) => !OVERSEAS.includes(code);
  if (one) {
    lambert.fitExtent(around, basins.has(basin) ? surroundings(one.shape) : one.shape).clipExtent([[-20, -20], [WIDTH + 20, HEIGHT + 20]]);
    const those = [...departements.values()].filter(({ region: code }) => code === one.region);
    return [drawnIn(lambert, whole, basins, isMainland, borders, those)];
  }
  const shapes = [...regions.values()].filter(isMainland).map(({ shape }) => shape);
  lambert.fitExtent([[20, 8], [WIDTH - 8, HEIGHT - 8]], { type: "GeometryCollection", geometries: shapes });
  const overseas = OVERSEAS.map((code, position) => {
    const x = 6 + (position % 2) * (BOX + 6);
    const y = HEIGHT - (3 - Math.floor(position / 2)) * (BOX + 20);
    const projection = local(regions.get(code).shape, [[x + 6, y + 6], [x + BOX - 6, y + BOX - 6]]);
    const area = [[x, y], [x + BOX, y + BOX]];
    return { ...drawnIn(projection, area, basins, (its) => its.region === code), corner: { x, y, code } };
  });
  return [drawnIn(lambert, whole, basins, isMainland, borders), ...overseas];
}

/** A basin and what is around it, which says where it is. */
const surroundings = (shape) =>
  ({ type: "GeometryCollection", geometries: [shape, geoCircle().center(geoCentroid(shape)).radius(AROUND_DEGREES)()] });

function local(shape, extent) {
  const [longitude, latitude] = shape.coordinates[0][0][0];
  return geoAzimuthalEqualArea().rotate([-longitude, -latitude]).precision(0).fitExtent(extent, shape);
}

function drawnIn(projection, area, basins, isHere, borders = [], departements = []) {
  const path = geoPath(projection).digits(1);
  const drawn = [...basins.values()].filter(isHere).map(({ code, region, shape }) => ({ code, region, d: path(shape) }));
  return {
    projection, area,
    regions: Map.groupBy(drawn.filter(({ d }) => d), ({ region }) => region),
    borders: borders.map(([name, lines]) => [name, path(lines)]),
    departements: departements.map(({ code, shape }) => ({ code, d: path(shape) })),
  };
}

/** Where a point lies: in the frame whose area holds it, or nowhere on this map. */
function place(shown, { longitude, latitude }) {
  for (const { projection, corner, area: [[left, top], [right, bottom]] } of shown) {
    const [x, y] = longitude === null ? [] : projection([longitude, latitude]);
    if (left <= x && x <= right && top <= y && y <= bottom) return { x, y, isInCorner: Boolean(corner) };
  }
  return null;
}

let outlines = null;
let drawn = { key: null, frames: [] };
let moved = zoomIdentity;
let element = null;

/** The frames of what is looked at, made once; another begins without zoom. */
function framesOf(topology, asked) {
  outlines ??= outlinesOf(topology);
  const key = outlines.basins.has(asked.basin) ? `basin ${asked.basin}` : `region ${asked.region} ${asked.departement}`;
  if (drawn.key !== key) {
    drawn = { key, frames: frames(outlines, asked) };
    moved = zoomIdentity;
  }
  return drawn.frames;
}

// A wheel scrolls the page and a finger too: with Ctrl, with two fingers, or once it is larger, they move the map.
const isMeant = ({ type, ctrlKey, metaKey, button, touches }) =>
  (type === "wheel" ? ctrlKey || metaKey : !button && (!touches || touches.length > 1 || moved.k > 1));
const zooming = zoom()
  .scaleExtent([1, FARTHEST])
  .translateExtent([[0, 0], [WIDTH, HEIGHT]])
  .filter(isMeant)
  .wheelDelta(({ deltaY, deltaMode }) => -deltaY * (deltaMode ? 0.25 : 0.008))
  .on("zoom", ({ transform }) => {
    moved = transform;
    redraw();
  });

function attach(map) {
  element = map;
  if (map) select(map).call(zooming).on("dblclick.zoom", null);
}

const larger = (times) => () => select(element).call(zooming.scaleBy, times);

/** The outline of a commune, of the file of its department; null where that is not there. */
export function communeOf(department, insee) {
  const topology = ask(`page/communes/${encodeURIComponent(department)}.json`).value;
  const one = topology?.objects.communes.geometries.find(({ id }) => id === insee);
  return one ? feature(topology, one) : null;
}

/**
 * The map. `basins`: answer of search-basins, null without a trade; `pins`: [{ insee, name, latitude, longitude, label }];
 * `region`, `departement`, `basin`: the codes of what is looked at closely, or 0; `commune`: its outline there, or null.
 */
export function map({ basins, pins = [], region = 0, departement = "", basin = 0, commune = null, trade, busy = false }) {
  const topology = ask("page/basins.json").value;
  if (!topology) return html`<div class="map empty" aria-busy="true"></div>`;
  const asked = { region, departement, basin };
  const shown = framesOf(topology, asked);
  const unit = NARROW.matches ? 1.6 : 1;
  const found = new Map(basins?.map((one) => [one.bassin_id, one]));
  const points = basins?.filter(({ bassin_id }) => !outlines.basins.has(bassin_id)) ?? [];
  const placed = spread(placedOn(shown, pins), unit);
  return html`
    <figure class="map" aria-busy=${busy}>
      ${keyed(drawn.key, html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label=${summary(basins, trade)}
        class=${moved.k > 1 ? "zoomed" : ""} @click=${choose} @pointerover=${read} @pointerleave=${read} ${ref(attach)}>
        <g transform=${moved}>
          ${shown.map((frame) => frameOf(frame, found, asked))}
          ${commune ? svg`<path class="commune" d=${geoPath(shown[0].projection).digits(1)(commune)}></path>` : nothing}
        </g>
        <g class="basins">${placedOn(shown, points).map((point) => dot(point, unit))}</g>
        <g class="names">${named(shown, placed, unit).map(({ name, x, y }) => svg`
          <circle cx=${x} cy=${y} r=${1.6 * unit}></circle>
          <text x=${x} y=${y - 4 * unit} font-size=${10 * unit}>${name}</text>`)}</g>
        <g class="pins">${placed.map((pin) => marker(pin, unit)).toReversed()}</g>
      </svg>`)}
      <p class="zoom">
        <button type="button" aria-label="Agrandir la carte" ?disabled=${moved.k >= FARTHEST} @click=${larger(2)}>+</button>
        <button type="button" aria-label="Réduire la carte" ?disabled=${moved.k <= 1} @click=${larger(0.5)}>−</button>
      </p>
      <p class="readout" aria-hidden="true"></p>
      ${basins ? legend() : nothing}
    </figure>`;
}

function frameOf({ regions, borders, departements, corner }, found, asked) {
  const outlined = [...regions.values()].flat().filter(({ code }) => code === asked.basin);
  const chosen = departements.filter(({ code }) => code === asked.departement);
  const isFar = (region) => asked.region && region !== asked.region && !chosen.length;
  return svg`
    ${corner ? svg`<rect class="box" x=${corner.x} y=${corner.y} width=${BOX} height=${BOX} rx="8" data-region=${corner.code}></rect>` : nothing}
    ${[...regions].map(([region, those]) => svg`<g class="region ${isFar(region) ? "far" : ""}"
      data-region=${region} data-says=${regionName(region)}>${those.map(({ code, d }) => area(d, found.get(code), code === asked.basin))}</g>`)}
    ${borders.map(([name, d]) => svg`<path class=${name} d=${d}></path>`)}
    ${found.size ? nothing : departements.map(choice)}
    ${chosen.map(({ d }) => svg`<path class="veil" d="M0 0H${WIDTH}V${HEIGHT}H0Z${d}"></path>`)}
    ${[...outlined, ...chosen].map(({ d }) => svg`<path class="outline" d=${d}></path>`)}
    ${corner ? svg`<text x=${corner.x + BOX / 2} y=${corner.y + BOX + 11} font-size="9.5">${regionName(corner.code)}</text>` : nothing}`;
}

export const regionName = (code) => ask("api/cities/criterions").value?.regions.find(({ id }) => Number(id) === code)?.label ?? "";

/** A department of the region, to be chosen where no basin is: without a trade. */
const choice = ({ code, d }) => svg`<path class="choice" d=${d} data-departement=${code} data-says=${departementName(code)}></path>`;

/** A basin; one that is not among those found says nothing of itself. */
const area = (d, basin, isHere) => svg`<path class="basin ${basin?.ind_t ? `index-${basin.ind_t}` : "plain"} ${isHere ? "here" : ""}" d=${d}
  data-basin=${basin?.bassin_id ?? nothing} data-city=${basin?.insee_com ?? nothing} data-says=${basin ? basinSays(basin) : nothing}></path>`;

/** What a basin is, in words: its name, its communes, its index. */
export const basinSays = ({ name, cities, ind_t }) => [
  basinName(name ?? ""),
  [cities && plural(cities, "commune"), ind_t && `${recruiting(ind_t).toLocaleLowerCase("fr")} (indice ${ind_t})`].filter(Boolean).join(", "),
].filter(Boolean).join(" — ");

/** Places with where they are on the screen of the map, those that are on it. */
function placedOn(shown, places) {
  return places.flatMap((one) => {
    const at = place(shown, one);
    const [x, y] = at ? moved.apply([at.x, at.y]) : [];
    return 0 <= x && x <= WIDTH && 0 <= y && y <= HEIGHT ? [{ ...one, x, y, isInCorner: at.isInCorner }] : [];
  });
}

/** The pins, each beside those before it where it would lie on one: `from` is where it belongs. */
function spread(pins, unit) {
  const free = [];
  for (const pin of pins) {
    const radius = unit * (pin.label ? 9 : 5);
    const isFree = ([x, y]) => free.every((other) => Math.hypot(other.x - x, other.y - y) > other.radius + radius);
    const around = Array.from({ length: 60 }, (_, step) => {
      const [angle, away] = [(step % 12) * (Math.PI / 6), radius * (1 + Math.floor(step / 12)) * 1.2];
      return [pin.x + away * Math.sin(angle), pin.y - away * Math.cos(angle)];
    });
    const [x, y] = [[pin.x, pin.y], ...around].find(isFree) ?? [];
    if (x !== undefined) free.push({ ...pin, x, y, radius, from: pin });
  }
  return free;
}

/** The largest cities whose name has room, and which no pin names. */
function named(shown, pins, unit) {
  const taken = pins.map(({ x, y, radius, caption }) => {
    const right = caption ? 12 + caption.length * 9 * unit : radius;
    return [x - radius, y - radius, x + right, y + radius];
  });
  return placedOn(shown, outlines.cities).filter(({ name, x, y, isInCorner }) => {
    const half = (name.length * 6.2 * unit) / 2;
    const box = [x - half, y - 15 * unit, x + half, y + 2 * unit];
    const isCut = box[0] < 0 || box[1] < 0 || box[2] > WIDTH;
    const isFree = taken.every(([left, top, right, bottom]) => box[2] < left || right < box[0] || box[3] < top || bottom < box[1]);
    if (isInCorner || isCut || !isFree) return false;
    return taken.push(box);
  });
}

const dot = ({ x, y, ...basin }, unit) => svg`<circle class="basin ${basin.ind_t ? `index-${basin.ind_t}` : "plain"}" cx=${x} cy=${y} r=${4 * unit}
  data-basin=${basin.bassin_id} data-city=${basin.insee_com} data-says=${basinSays(basin)}></circle>`;

function marker(pin, unit) {
  const { x, y, from, radius } = pin;
  return svg`<g class="pin ${pin.kind ?? ""}" data-city=${pin.insee} data-says=${pin.name}>
    ${x === from.x && y === from.y ? nothing : svg`<path d="M${from.x} ${from.y}L${x} ${y}"></path>`}
    <circle cx=${x} cy=${y} r=${radius}></circle>
    ${pin.label ? svg`<text x=${x} y=${y + 3.6 * unit} font-size=${9.5 * unit}>${pin.label}</text>` : nothing}
    ${pin.caption ? svg`<text class="caption" x=${x + 9 * unit} y=${y + 5 * unit} font-size=${15 * unit}>${pin.caption}</text>` : nothing}
  </g>`;
}

function legend() {
  const step = (kind, words) => html`<li><svg viewBox="0 0 44 10" preserveAspectRatio="none" aria-hidden="true"><rect class=${kind} width="44" height="10"></rect></svg>${words}</li>`;
  return html`<figcaption class="legend">
    <p>Bassins d’emploi : indice de tension, de 1 (recrutement facile pour l’employeur) à 5 (difficile)</p>
    <ul class="steps">
      ${TENSION.map((_, at) => step(`index-${at + 1}`, at + 1))}
      ${step("plain", "autres bassins")}
    </ul>
  </figcaption>`;
}

function summary(basins, trade) {
  if (!basins) return "Carte de France";
  return `Carte de France pour ${trade} : ${plural(basins.length, "bassin d’emploi", "bassins d’emploi")}. La liste des bassins suit la carte.`;
}

function choose(event) {
  const { city, departement, region } = event.target.closest("[data-city], [data-departement], [data-region]")?.dataset ?? {};
  if (city) go({ vue: "", ville: city });
  else if (departement) go({ ...LIST, departement });
  else if (region) go({ ...LIST, region });
}

function read(event) {
  const says = event.type === "pointerleave" ? "" : (event.target.closest("[data-says]")?.dataset.says ?? "");
  event.currentTarget.parentElement.querySelector(".readout").textContent = says;
}

/** Show on the map the basin of the link that is looked at in a list. */
export function point(event) {
  const { basin } = event.target.closest("[data-basin]")?.dataset ?? {};
  for (const drawnBasin of element?.querySelectorAll(".basin") ?? []) {
    drawnBasin.toggleAttribute("data-looked", Boolean(basin) && drawnBasin.dataset.basin === basin);
  }
}
