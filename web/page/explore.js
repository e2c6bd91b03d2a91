// Where a trade is wanted: filters, the map, the list of cities.

import { html, live, nothing, repeat } from "./libraries.js";
import { go, href, LIST, mend, NO_FILTER, state } from "./address.js";
import { departementOf, departementsOf } from "./departements.js";
import { basinSays, map, point, regionName } from "./map.js";
import { unknown } from "./mend.js";
import { ask, redraw } from "./requests.js";
import { pending } from "./states.js";
import { allTrades, tradeField, tradeLabel } from "./trade.js";
import { basinName, capitalized, cityName, count, inhabitants, lying, percent, plural, recruiting, TENSION } from "./words.js";

const PER_PAGE = 10;
const WIDE = matchMedia("(min-width: 56.25em)"); // as in style.css
const CHANCES = [["", "Toutes"], ["1", "Opportunités d’emploi"], ["2", "Peu d’opportunités"]];
const ORDERS = [["", "population"], ["mer", "proximité de la mer"], ["montagne", "altitude"]];

/** What the address asks the API for. */
export function asked({ metier, region, departement, taille, cadre, chances, tri, page }) {
  return {
    codeRome: metier ? [metier] : [],
    onlySearchInTension: Boolean(metier),
    codeRegion: region ? [region] : [],
    departement: departement ? [departement] : [],
    codeCity: taille || null,
    codeEnvironment: cadre || null,
    opportunity: chances && metier ? Number(chances) : null,
    sortBy: tri || null,
    index: PER_PAGE * (pageNumber(page) - 1),
  };
}

const pageNumber = (page) => Math.max(Math.floor(Number(page)) || 1, 1);

/** The share of opportunities per region code, for a trade; null without one, or before it is known. */
function sharesOf(metier) {
  const regions = ask("api/cities/criterions").value?.regions;
  if (!metier || !regions) return null;
  return new Map(
    regions.flatMap(({ id, romes }) => {
      const share = romes[metier]?.opportunite;
      return share === undefined || share === null ? [] : [[Number(id), share]];
    }),
  );
}

/** The view. */
export function explore() {
  const now = state();
  const body = asked(now);
  const search = unknown(now) ? ask("api/cities/search", body, "search") : { ...ask("api/cities/criterions"), value: undefined };
  toLastPage(search, now);
  const { index, sortBy, ...filters } = body;
  const basins = now.metier && unknown(now) ? ask("api/cities/search-basins", filters, "basins").value ?? [] : null;
  const shares = sharesOf(now.metier);
  const title = now.metier ? html`Où recrute-t-on&nbsp;?` : html`Où exercer votre métier&nbsp;?`;
  return html`
    <div class="layout">
      <section class="choose" aria-label="Recherche">
        <h1 tabindex="-1">${title}</h1>
        ${tradeField()}
        ${now.metier ? nothing : allTrades()}
        ${filtersOf(now)}
      </section>
      <section class="see" aria-label="Carte">
        ${map({
          basins,
          pins: pinsOf(search.value, now),
          region: Number(now.region) || 0,
          departement: now.departement,
          trade: tradeLabel(now.metier),
          busy: search.status !== "ready",
        })}
        ${now.region ? backOut(now) : nothing}
        ${basins?.length ? basinList(basins) : nothing}
        ${shares ? ranking(shares, now) : nothing}
      </section>
      <section class="list" aria-label="Villes" aria-busy=${search.status !== "ready"}>${list(search, now)}</section>
    </div>`;
}

/** From a department to its region, from a region to France; overseas both are the same. */
function backOut({ region, departement }) {
  const isInner = departement && departementsOf(region).length > 1;
  const [to, name] = isInner ? [{ departement: "" }, regionName(Number(region))] : [{ region: "" }, "Toute la France"];
  return html`<p class="back-out"><a href=${href(to)}>← ${name}</a></p>`;
}

/** A page after the last is the last. */
function toLastPage({ status, value }, { page }) {
  const last = Math.max(Math.ceil((value?.total ?? 0) / PER_PAGE), 1);
  if (status !== "ready" || pageNumber(page) <= last) return;
  mend({ page: String(last) });
  queueMicrotask(redraw);
}

function pinsOf(found, now) {
  const first = PER_PAGE * (pageNumber(now.page) - 1);
  return (found?.list ?? []).map((city, position) => ({
    insee: city.insee_com,
    name: `${first + position + 1}. ${cityName(city)}`,
    latitude: city.geo_point_2d_x,
    longitude: city.geo_point_2d_y,
    label: first + position + 1,
  }));
}

function filtersOf(now) {
  const criterions = ask("api/cities/criterions").value;
  const regions = criterions?.regions ?? [];
  const tagged = (tag) => (criterions?.criterions ?? []).filter((criterion) => criterion.tag === tag);
  const choices = (tag, all) => [["", all], ...tagged(tag).map(({ key, label, subLabel }) => [key, label, subLabel])];
  const chosen = Object.keys(NO_FILTER).filter((name) => now[name]).length;
  return html`
    <details class="filters" ?open=${WIDE.matches}>
      <summary>Filtres${chosen ? ` (${chosen})` : nothing}</summary>
      <form @submit=${(event) => event.preventDefault()}>
        <div class="row">
          ${select("region", "Région", [["", "Toute la France"], ...regions.map(({ id, label }) => [id, label])], now)}
          ${select("departement", "Département", [["", "Tous"], ...departements(now)], now)}
          ${select("tri", "Trier par", orders(now), now)}
        </div>
        ${chips("cadre", "Cadre", choices("environment", "Tous"), now)}
        ${chips("taille", "Taille", choices("city", "Toutes"), now)}
        ${now.metier ? html`<div>${chips("chances", "Opportunités", CHANCES, now)}
          <p class="hint">« Opportunités d’emploi » garde les bassins d’indice 1 à 3, « Peu d’opportunités » ceux d’indice 4 et 5.</p></div>` : nothing}
        ${chosen ? html`<a class="reset" href=${href(NO_FILTER)}>Effacer les filtres</a>` : nothing}
      </form>
    </details>`;
}

/** The departments that can be chosen, by name: « Finistère (29) ». */
const departements = ({ region }) => departementsOf(region)
  .toSorted((one, other) => one.name.localeCompare(other.name, "fr"))
  .map(({ code, name }) => [code, `${name} (${code})`]);

/** What the list is ordered by, as it is: with a trade by its index first. */
const orders = ({ metier }) => ORDERS.map(([key, words]) => [key, metier ? `Indice, puis ${words}` : capitalized(words)]);

function select(name, label, options, now) {
  return html`<label class="select"><span>${label}</span>
    <select name=${name} .value=${live(now[name])} @change=${(event) => go({ [name]: event.target.value })}>
      ${options.map(([key, text]) => html`<option value=${key} ?selected=${key === now[name]}>${text}</option>`)}
    </select></label>`;
}

function chips(name, legend, options, now) {
  return html`<fieldset class="chips">
    <legend>${legend}</legend>
    ${options.map(([key, text, more]) => html`<label title=${more ?? nothing}>
      <input type="radio" name=${name} value=${key} .checked=${live(now[name] === key)}
        @change=${() => go({ [name]: key })}><span>${text}</span></label>`)}
  </fieldset>`;
}

/** What the map shows, for those who read it otherwise. */
function basinList(basins) {
  const sorted = basins.toSorted((one, other) => one.ind_t - other.ind_t || (one.name ?? "").localeCompare(other.name ?? ""));
  return html`<details class="ranking long">
    <summary>Les ${plural(basins.length, "bassin d’emploi", "bassins d’emploi")} de la carte</summary>
    <ol @focusin=${point} @focusout=${point} @pointerover=${point} @pointerleave=${point}>${sorted.map((basin) => html`<li>
      <a href=${href({ ville: basin.insee_com })} data-basin=${basin.bassin_id} aria-label=${basinSays(basin)}>
        <span>${basinName(basin.name ?? "")}</span>${gauge(basin.ind_t)}<b>${basin.ind_t}</b></a></li>`)}</ol>
  </details>`;
}

const shareWords = (share) => `${percent(share)} des communes ont un indice de 1 à 3`;

/** The regions by share. */
function ranking(shares, now) {
  const regions = ask("api/cities/criterions").value.regions;
  const known = regions.filter(({ id }) => shares.has(Number(id)));
  known.sort((one, other) => shares.get(Number(other.id)) - shares.get(Number(one.id)) || one.label.localeCompare(other.label));
  return html`<details class="ranking">
    <summary>Classement des régions, par part des communes d’indice 1 à 3</summary>
    <ol>${known.map(({ id, label }) => {
      const share = shares.get(Number(id));
      return html`<li><a href=${href({ region: id })} aria-current=${id === now.region ? "true" : nothing}
        aria-label="${label} : ${shareWords(share)}">
        <span>${label}</span><meter min="0" max="1" value=${share} aria-hidden="true"></meter><b>${percent(share)}</b></a></li>`;
    })}</ol>
  </details>`;
}

function list(search, now) {
  if (!search.value) return pending(search);
  const { list: cities, total } = search.value;
  const stale = search.status !== "ready";
  return html`
    <div class="head ${stale ? "stale" : ""}">
      <h2 aria-live="polite">${now.metier
        ? html`${plural(total, "commune")} pour <em>${tradeLabel(now.metier)}</em>`
        : plural(total, "commune")}</h2>
      ${search.status === "slow" ? html`<p class="slow">C’est plus long que d’habitude…</p>` : nothing}
    </div>
    ${total ? nothing : empty(now)}
    <ol class="cities ${stale ? "stale" : ""}" start=${search.value.index + 1}>
      ${repeat(cities, ({ insee_com }) => insee_com, (city, position) => item(city, search.value.index + position + 1))}
    </ol>
    ${pages(total, now)}`;
}

function empty(now) {
  const filtered = ["region", "departement", "taille", "cadre", "chances"].some((name) => now[name]);
  return html`<div class="lone">
    <p>${filtered
      ? "Aucune commune ne réunit tout cela."
      : "Aucun bassin d’emploi n’est suivi pour ce métier dans cette version des données."}</p>
    ${filtered ? html`<a href=${href(NO_FILTER)}>Effacer les filtres</a>` : nothing}
  </div>`;
}

function item(city, rank) {
  const indT = city["bassin.tensions.ind_t"];
  const offers = city["citiesJobs.number"];
  return html`<li>
    <span class="rank" aria-hidden="true">${rank}</span>
    <h3><a href=${href({ ville: city.insee_com })}>${cityName(city)}</a></h3>
    <div class="about">
      ${indT ? tag(indT) : nothing}
      <p>${lying(departementOf(city), city["newRegion.name"])}</p>
      <p>${offers ? html`<b class="offers">${plural(offers, "offre")}</b> · ` : nothing}${[
        city.population !== null && inhabitants(city.population, "hab.", "hab.").replaceAll(" ", "\u00a0"),
        city.distance_from_sea !== null && seaAt(city.distance_from_sea),
        city.z_moyen !== null && `${count(city.z_moyen)}\u00a0m d’altitude`,
      ].filter(Boolean).join(" · ")}</p>
    </div>
  </li>`;
}

const seaAt = (km) => (km ? `mer à\u00a0${count(km)}\u00a0km` : "au bord de la mer");

/** The index of tension in words and in shape, without a side. */
const gauge = (indT) =>
  html`<span class="gauge" aria-hidden="true">${TENSION.map((_, step) => html`<i class=${step < indT ? "on" : ""}></i>`)}</span>`;
export const tag = (indT) => html`<p class="tag">${gauge(indT)}
  ${recruiting(indT)} <small>indice ${indT} sur 5</small></p>`;

function pages(total, now) {
  const last = Math.ceil(total / PER_PAGE);
  const page = pageNumber(now.page);
  if (last < 2 && page === 1) return nothing;
  const to = (number, text, rel) => html`<a rel=${rel} href=${href({ page: number > 1 ? String(number) : "" })}>${text}</a>`;
  return html`<nav class="pages" aria-label="Pages de la liste">
    ${page > 1 ? to(page - 1, "← Précédente", "prev") : html`<span></span>`}
    <span>Page ${count(page)} sur ${count(last)}</span>
    ${page < last ? to(page + 1, "Suivante →", "next") : html`<span></span>`}
  </nav>`;
}
