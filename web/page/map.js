// The map of France: regions by their share of communes below index 4, basins by their index, the cities of the list.

import { geoAzimuthalEqualArea, geoConicConformal, geoPath, html, nothing, svg } from "./libraries.js";
import { go, LIST } from "./address.js";
import { ask } from "./requests.js";
import { basinName, percent, plural, recruiting, TENSION } from "./words.js";

const WIDTH = 640;
const HEIGHT = 620;
const CLASSES = 5; // of a fifth each, the same for every trade, so that two maps compare
const OVERSEAS = [1, 2, 3, 4, 6];
const BOX = 58;

/** The share of communes as a class from 0 to 4. */
const shareClass = (share) => Math.min(Math.floor(share * CLASSES), CLASSES - 1);

/** What is drawn: features, their projection, and the area they are drawn in; a box around those that have `corner`. */
function frames(features, shown) {
  const mainland = features.filter((feature) => !OVERSEAS.includes(feature.properties.code));
  const one = features.find((feature) => feature.properties.code === shown);
  const whole = [[0, 0], [WIDTH, HEIGHT]];
  const around = [[24, 24], [WIDTH - 24, HEIGHT - 24]];
  if (one && !mainland.includes(one)) return [{ features: [one], projection: local(one, around), area: whole }];
  const lambert = geoConicConformal().rotate([-3, 0]).parallels([44, 49]).precision(0.1);
  if (one) {
    lambert.fitExtent(around, one).clipExtent([[-20, -20], [WIDTH + 20, HEIGHT + 20]]);
    const last = [...mainland.filter((feature) => feature !== one), one]; // its border lies over the others'
    return [{ features: last, projection: lambert, area: whole }];
  }
  lambert.fitExtent([[20, 8], [WIDTH - 8, HEIGHT - 8]], { type: "FeatureCollection", features: mainland });
  const overseas = OVERSEAS.map((code, position) => {
    const feature = features.find(({ properties }) => properties.code === code);
    const x = 6 + (position % 2) * (BOX + 6);
    const y = HEIGHT - (3 - Math.floor(position / 2)) * (BOX + 20);
    const projection = local(feature, [[x + 6, y + 6], [x + BOX - 6, y + BOX - 6]]);
    return { features: [feature], projection, area: [[x, y], [x + BOX, y + BOX]], corner: { x, y } };
  });
  return [{ features: mainland, projection: lambert, area: whole }, ...overseas];
}

function local(feature, extent) {
  const [longitude, latitude] = feature.geometry.coordinates[0][0][0];
  return geoAzimuthalEqualArea().rotate([-longitude, -latitude]).fitExtent(extent, feature);
}

/** Where a point lies: in the frame whose area holds it, or nowhere on this map. */
function place(shown, { longitude, latitude }) {
  for (const { projection, area: [[left, top], [right, bottom]] } of shown) {
    const [x, y] = projection([longitude, latitude]);
    if (left <= x && x <= right && top <= y && y <= bottom) return [x, y];
  }
  return null;
}

let drawn = { key: null, frames: [] };

function framesOf(features, shown) {
  if (drawn.key !== shown) drawn = { key: shown, frames: frames(features, shown) };
  return drawn.frames;
}

/**
 * The map. `shares`: opportunite by region code, null without a trade; `basins`: answer of search-basins;
 * `pins`: [{ insee, name, latitude, longitude, label }]; `region`: the code that is looked at closely, or 0.
 */
export function map({ shares, basins = [], pins = [], region = 0, trade, busy = false }) {
  const outlines = ask("page/regions.json");
  if (!outlines.value) return html`<div class="map empty" aria-busy="true"></div>`;
  const shown = framesOf(outlines.value.features, region);
  const placed = (points) =>
    points
      .filter(({ longitude }) => longitude !== null)
      .map((point) => [point, place(shown, point)])
      .filter(([, at]) => at);
  return html`
    <figure class="map" aria-busy=${busy}>
      <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label=${summary(shares, basins, trade)}
        @click=${choose} @pointerover=${read} @pointerleave=${read}>
        <defs>
          <pattern id="none" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
            <rect class="hatch-ground" width="6" height="6"></rect><path class="hatch" d="M0 0V6"></path>
          </pattern>
        </defs>
        ${shown.map((frame) => frameOf(frame, shares, region))}
        <g class="basins">${placed(basins).map(([basin, at]) => dot(basin, at))}</g>
        <g class="pins">${placed(pins).toReversed().map(([pin, at]) => marker(pin, at))}</g>
      </svg>
      <p class="readout" aria-hidden="true"></p>
      ${legend(shares, basins)}
    </figure>`;
}

function frameOf({ features, projection, corner }, shares, region) {
  const path = geoPath(projection).digits(1);
  return svg`
    ${corner ? svg`<rect class="box" x=${corner.x} y=${corner.y} width=${BOX} height=${BOX} rx="8"></rect>` : nothing}
    ${features.map(({ properties: { code, name }, geometry }) => {
      const share = shares?.get(code);
      const fill = !shares ? "plain" : share === undefined ? "none" : `share-${shareClass(share)}`;
      const here = code === region ? " here" : "";
      return svg`<path class="region ${fill}${here}" d=${path(geometry)} data-region=${code}
        data-says=${shares ? `${name} — ${shareWords(share)}` : name}></path>`;
    })}
    ${corner ? svg`<text x=${corner.x + BOX / 2} y=${corner.y + BOX + 11}>${features[0].properties.name}</text>` : nothing}`;
}

export const shareWords = (share) =>
  share === undefined ? "pas de donnée pour ce métier" : `${percent(share)} des communes ont un indice de 1 à 3`;

function dot(basin, [x, y]) {
  const says = `${basinName(basin.name ?? "")} — ${plural(basin.cities, "commune")}${
    "ind_t" in basin ? `, ${recruiting(basin.ind_t).toLocaleLowerCase("fr")} (indice ${basin.ind_t})` : ""
  }`;
  const kind = basin.ind_t ? `index-${basin.ind_t}` : "any";
  return svg`<circle class="basin ${kind}" cx=${x.toFixed(1)} cy=${y.toFixed(1)} r="3.4"
    data-city=${basin.insee_com} data-says=${says}></circle>`;
}

function marker(pin, [x, y]) {
  return svg`<g class="pin ${pin.kind ?? ""}" data-city=${pin.insee} data-says=${pin.name}
      transform="translate(${x.toFixed(1)} ${y.toFixed(1)})">
    <circle r=${pin.label ? 9 : 5}></circle>
    ${pin.label ? svg`<text y="3.6">${pin.label}</text>` : nothing}
    ${pin.caption ? svg`<text class="caption" x="12" y="4">${pin.caption}</text>` : nothing}
  </g>`;
}

function legend(shares, basins) {
  if (!shares) return nothing;
  const steps = Array.from({ length: CLASSES }, (_, step) => step);
  return html`
    <figcaption class="legend">
      <p>Régions : part des communes d’indice 1 à 3, en %</p>
      <ul class="steps">
        ${steps.map((step) => html`<li><svg viewBox="0 0 44 10" preserveAspectRatio="none" aria-hidden="true"><rect class="share-${step}" width="44" height="10"></rect></svg>${
          step * (100 / CLASSES)}–${(step + 1) * (100 / CLASSES)}</li>`)}
        <li><svg viewBox="0 0 44 10" preserveAspectRatio="none" aria-hidden="true"><rect class="none" width="44" height="10"></rect></svg>sans donnée</li>
      </ul>
      ${basins.length ? html`<p>Bassins d’emploi : indice de tension, de 1 à 5</p>
      <ul class="kinds">${TENSION.map((words, step) => html`<li>
        <svg viewBox="0 0 12 12" aria-hidden="true"><circle class="basin index-${step + 1}" cx="6" cy="6" r="4.4"></circle></svg>${step + 1}
        ${step % 2 ? nothing : words}</li>`)}</ul>` : nothing}
    </figcaption>`;
}

function summary(shares, basins, trade) {
  if (!shares) return "Carte des régions de France";
  return `Carte de France pour ${trade} : ${plural(basins.length, "bassin d’emploi", "bassins d’emploi")} où le métier est suivi. Le classement des régions suit la carte.`;
}

function choose(event) {
  const { city, region } = event.target.closest("[data-city], [data-region]")?.dataset ?? {};
  if (city) go({ vue: "", ville: city });
  else if (region) go({ ...LIST, region });
}

function read(event) {
  const says = event.type === "pointerleave" ? "" : (event.target.closest("[data-says]")?.dataset.says ?? "");
  event.currentTarget.parentElement.querySelector(".readout").textContent = says;
}
