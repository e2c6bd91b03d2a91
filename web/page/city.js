// A city's sheet: where it is, what life costs there, what work and what facilities there are.

import { html, nothing } from "./libraries.js";
import { href, LIST, state } from "./address.js";
import { compareLink } from "./compare.js";
import { departementOf } from "./departements.js";
import { tag } from "./explore.js";
import { aids, facts, trend, vintageOf, why } from "./facts.js";
import { communeOf, map } from "./map.js";
import { ask, redraw } from "./requests.js";
import { pending } from "./states.js";
import { tradeLabel } from "./trade.js";
import { basinName, cityName, count, inhabitants, lying, plural, years } from "./words.js";

const TRADES_SHOWN = 8;
const both = new Intl.ListFormat("fr");
let photoOf = null;

/** The view. */
export function city() {
  const { ville, metier } = state();
  const found = ask(`api/cities/load/${encodeURIComponent(ville)}`);
  const back = html`<p class="crumb"><a href=${href({ ville: "" })}>← ${metier ? tradeLabel(metier) : "Toutes les villes"}</a></p>`;
  if (found.status === "missing") return html`${back}<div class="lone"><h1 tabindex="-1">Cette commune n’est pas connue</h1>
    <p>Aucune commune n’a le code INSEE « ${ville} » dans cette version des données.</p></div>`;
  if (!found.value) return html`${back}${pending(found, 10)}`;
  return html`${back}${sheet(found.value, metier)}`;
}

/** The name of the city that is shown, once it is known. */
export const cityTitle = () => cityName(ask(`api/cities/load/${encodeURIComponent(state().ville)}`).value ?? {});

function sheet(it, metier) {
  const work = ask(`api/cities/trades/${it.insee_com}`);
  const close = it.geo_point_2d_x === null ? { value: [] } : ask("api/cities/search-close-cities", {
    latitude: it.geo_point_2d_x, longitude: it.geo_point_2d_y, inseeCode: it.insee_com,
  });
  const name = cityName(it);
  return html`
    <article class="layout city">
      <header class="choose">
        <h1 tabindex="-1">${name}</h1>
        <p class="where">${where(it)}</p>
        ${former(it.former)}
        ${why(it)}
        ${compareLink(it.insee_com)}
        ${about(it)}
      </header>
      <section class="see" aria-label="Situation">
        ${situation(it, name, work, close.value ?? [], metier)}
      </section>
      <div class="list">
        ${facts(it)}
        ${jobs(it, work, metier)}
        ${facilities(it.equipments)}
        ${neighbours(close)}
        ${metier ? similar(it, metier) : nothing}
        ${aids()}
      </div>
    </article>`;
}

function where(it) {
  const postal = it.postal_code?.split("/") ?? [];
  const codes = postal.length > 2 ? `${postal[0]} à ${postal.at(-1)}` : postal.join(", ");
  return [lying(departementOf(it), it.newRegion?.name), codes].filter(Boolean).join(" · ");
}

/** The communes that it was made of: their names, and how many have none. */
function former(communes) {
  const names = communes.map(({ name }) => name).filter(Boolean);
  const more = communes.length - names.length;
  const others = more ? [`${plural(more, "commune")} dont le nom n’est pas connu`] : [];
  return communes.length ? html`<p class="where">Réunit ${both.format([...names, ...others])}</p>` : nothing;
}

/** The map of the city in its basin; in its region where the basin has no outline. */
function situation(it, name, work, close, metier) {
  const basin = work.value;
  if (!basin && work.status !== "missing") return html`<div class="map empty" aria-busy="true"></div>`;
  const ind_t = basin?.trades.find(({ codeRome }) => codeRome === metier)?.ind_t;
  const basins = ind_t ? [{ ...basin, ind_t, insee_com: it.insee_com }] : null;
  return html`${map({
    basins, pins: pinsOf(it, name, close), region: it.new_code_region ?? 0, basin: basin?.bassin_id ?? 0,
    commune: communeOf(it.code_dept, it.insee_com), trade: tradeLabel(metier),
  })}`;
}

function pinsOf(it, name, close) {
  const pin = (place) => ({
    insee: place.insee_com, name: cityName(place), latitude: place.geo_point_2d_x, longitude: place.geo_point_2d_y,
  });
  return [{ ...pin(it), kind: "chosen", caption: name }, ...close.map(pin)];
}

/** Description and photo, each with where it comes from. The photo is asked of Wikimedia only when the reader says so. */
function about(it) {
  const article = it.description_url ? html`<a href=${it.description_url} rel="noreferrer">Wikipédia</a>` : "Wikipédia";
  const version = it.description_revision ? ` (version ${it.description_revision})` : "";
  return html`
    ${it.description ? html`<div class="description"><p>${it.description}</p>
      <p class="credit">Texte : ${article}${version}, ses auteurs, ${it.description_licence ?? "CC BY-SA"}</p></div>` : nothing}
    ${it.photo ? photo(it) : nothing}`;
}

function photo(it) {
  const { insee_com, photo: address, photo_page } = it;
  const name = cityName(it);
  return html`<figure class="photo">
    ${photoOf === insee_com
      ? html`<img src=${address} alt="Vue de ${name}" referrerpolicy="no-referrer">`
      : html`<button type="button" @click=${() => show(insee_com)}>Afficher une photo de ${name}</button>`}
    <figcaption class="credit">Photo de Wikimedia Commons :
      <a href=${photo_page ?? commonsPage(address)} rel="noreferrer">auteur et licence</a></figcaption>
  </figure>`;
}

function show(insee) {
  photoOf = insee;
  redraw();
}

/** The page of a file of upload.wikimedia.org, which names its author and licence. */
function commonsPage(address) {
  const parts = new URL(address, location).pathname.split("/");
  const file = parts.includes("thumb") ? parts.at(-2) : parts.at(-1);
  return parts[2] === "commons" ? `https://commons.wikimedia.org/wiki/File:${file}` : `https://fr.wikipedia.org/wiki/Fichier:${file}`;
}

function jobs(it, work, metier) {
  const { value } = work;
  if (!value) return html`<section><h2>Travailler</h2>${work.status === "missing" ? nothing : pending(work, 3)}</section>`;
  const here = value.trades.find((trade) => trade.codeRome === metier);
  const offered = value.trades.filter((trade) => trade.number);
  const total = offered.reduce((sum, trade) => sum + trade.number, 0);
  return html`<section>
    <h2>Travailler</h2>
    ${metier ? html`<div class="chosen-trade"><b>${tradeLabel(metier)}</b>
      ${here?.ind_t ? tag(here.ind_t) : html`<span class="unknown">pas suivi dans ce bassin</span>`}
      <span class="offers">${here?.number ? plural(here.number, "offre") : "aucune offre"}</span>${trend(it, metier)}</div>` : nothing}
    <p>${value.bassin_name ? html`${basinName(value.name)}. ` : nothing}${total
      ? html`${plural(total, "offre")} dans la commune${offered.length > TRADES_SHOWN ? ", d’abord :" : " :"}`
      : "Aucune offre dans la commune."}</p>
    ${total ? html`<table>
      <caption class="unseen">Métiers qui ont le plus d’offres dans la commune</caption>
      <thead><tr><th scope="col">Métier</th><th scope="col" class="n">Offres</th></tr></thead>
      <tbody>${offered.slice(0, TRADES_SHOWN).map(({ codeRome, label, number, ind_t }) => html`<tr>
        <th scope="row"><a href=${href({ ...LIST, metier: codeRome })}>${label ?? codeRome}</a>
          ${ind_t ? tag(ind_t) : nothing}</th>
        <td class="n">${count(number)}</td></tr>`)}</tbody>
    </table>` : nothing}
  </section>`;
}

function facilities(rows) {
  const names = ask("page/facilities.json").value;
  if (!names) return nothing;
  const vintage = vintageOf("bpe");
  const labels = (names.vintages.find(({ from }) => (vintage ?? "") >= from) ?? names.vintages.at(-1)).labels;
  const groups = byDomain(rows);
  return html`<section>
    <h2>Équipements</h2>
    ${rows.length ? html`<p>${plural(rows.reduce((sum, row) => sum + row.total, 0), "équipement")}${
      vintage ? `, base permanente des équipements, ${years(vintage)}` : ""}.</p>` : html`<p>Aucun équipement n’y est recensé.</p>`}
    ${Object.keys(names.domains).filter((domain) => groups.get(domain)).map((domain) => {
      const those = groups.get(domain).toSorted((one, other) => other.total - one.total);
      return html`<details class="domain">
        <summary><span>${names.domains[domain]}</span> <b>${count(those.reduce((sum, row) => sum + row.total, 0))}</b></summary>
        <ul>${those.map((row) => html`<li><span>${labels[row.typequ] ?? html`code ${row.typequ}`}</span><b>${count(row.total)}</b></li>`)}</ul>
      </details>`;
    })}
  </section>`;
}

function byDomain(rows) {
  const groups = new Map();
  for (const row of rows) groups.set(row.typequ[0], [...(groups.get(row.typequ[0]) ?? []), row]);
  return groups;
}

function neighbours(close) {
  if (!close.value) return html`<section><h2>Villes proches</h2>${pending(close, 2)}</section>`;
  return close.value.length ? html`<section>
    <h2>Villes proches</h2>
    <ul class="others">${close.value.toSorted((one, other) => one.distance - other.distance).map((other) => html`<li><a href=${href({ ville: other.insee_com })}>${cityName(other)}</a>
      <span>à ${count(other.distance)} km${other.population === null ? nothing : ` · ${inhabitants(other.population)}`}</span></li>`)}</ul>
  </section>` : nothing;
}

function similar(it, metier) {
  const { id, population, distance_from_sea, z_moyen } = it;
  const alike = ask("api/cities/search-similar-cities", { codeRome: metier, city: { id, population, distance_from_sea, z_moyen } });
  if (!alike.value) return html`<section><h2>Villes semblables</h2>${pending(alike, 2)}</section>`;
  const labels = ask("api/cities/criterions").value?.criterions ?? [];
  const kinds = alike.value.criterions.map((key) => labels.find((criterion) => criterion.key === key)?.label ?? key);
  return alike.value.result.length ? html`<section>
    <h2>Villes semblables</h2>
    <p>Où ce métier est suivi aussi : ${kinds.join(", ").toLocaleLowerCase("fr")}.</p>
    <ul class="others">${alike.value.result.map((other) => html`<li><a href=${href({ ville: other.insee_com })}>${cityName(other)}</a></li>`)}</ul>
  </section>` : nothing;
}
