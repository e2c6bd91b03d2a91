// A city's figures, each beside France and the department, with its year and who publishes it; why this city; its aids.

import { html, nothing, svg } from "./libraries.js";
import { departementOf } from "./departements.js";
import { ask } from "./requests.js";
import { capitalized, count, inhabitants, oneDecimal, plural, years } from "./words.js";

const AIDS_SHOWN = 5;
const WEEKS_SHOWN = 53;
const FITTING = /déménage|logement|emploi/;

const euros = (value) => `${count(value)} €`;
const monthly = (value) => `${euros(value)} par mois`;
/** The figures in two groups: column, name, and how it is written, with its unit and short. */
export const GROUPS = [
  ["Le lieu", [
    ["population", "Population", inhabitants, (thousands) => count(thousands * 1000)],
    ["z_moyen", "Altitude moyenne", (m) => `${count(m)} m`],
    ["distance_from_sea", "Distance de la mer", (km) => `${count(km)} km`],
    ["average_temperature", "Température moyenne", (t) => `${oneDecimal(t)} °C`],
    ["superficie", "Superficie", (ha) => `${count(ha / 100)} km²`],
  ]],
  ["Se loger", [
    ["average_houseselled", "Prix de vente", (price) => `${count(price)} €/m²`],
    ["average_houserent", "Loyer", (price) => `${oneDecimal(price)} €/m² par mois`, (price) => `${oneDecimal(price)} €/m²`],
    ["rent_t2", "Loyer d’un deux-pièces", monthly, euros],
    ["rent_t4", "Loyer d’un quatre-pièces", monthly, euros],
    ["total_social_housing", "Logements sociaux", count],
  ]],
];
const NOT_PUBLISHED = ["average_houseselled", "average_houserent"]; // 0 stands for none

/** The figures of a city in two groups; what is not known of any city is left out. */
export function facts(it) {
  const known = ask(`api/cities/figures/${it.insee_com}`).value?.figures;
  const delay = it.newRegion?.average_delay_obtain_social_housing;
  return html`${GROUPS.map(([title, rows]) => html`<section class="facts-group">
    <h2>${title}</h2>
    <dl>${rows.filter(([name]) => known?.[name].of !== 0).map((row) => fact(it, row, known?.[row[0]]))}
      ${title === "Se loger" && delay ? html`<div><dt>Délai pour un logement social</dt><dd>${delay} mois</dd><dd class="beside">moyenne de la région</dd></div>` : nothing}
    </dl>
  </section>`)}
  <p class="credit">Sous chaque chiffre : la médiane des communes du département, celle de la France, et le rang parmi les communes
    (1re : la valeur la plus élevée) ; puis la source et son année.</p>`;
}

/** The figure of a city as it is written, and whether it is its own: { text, isOwn }; else its department's, or unknown. */
export function valueOf(it, [name, , write]) {
  const own = NOT_PUBLISHED.includes(name) ? it[name] || null : it[name];
  const around = own === null && it.departement?.[name];
  return { text: around ? `${write(around)} dans le département` : own === null ? "inconnu" : write(own), isOwn: own !== null };
}

function fact(it, row, figure) {
  const [name, label, write, short = write] = row;
  const { text, isOwn } = valueOf(it, row);
  return html`<div>
    <dt>${label}</dt>
    <dd class=${isOwn ? "" : "unknown"}>${text}</dd>
    ${figure ? html`<dd class="beside">${context(figure, short, departementOf(it))}<br>${source(figure)}</dd>` : nothing}
  </div>`;
}

/** Who publishes a figure, and its year. */
export const source = ({ publisher, vintage }) =>
  [publisher?.replace(/ \(.*\)/, ""), vintage && vintage !== "unknown" ? years(vintage) : "année non précisée"].filter(Boolean).join(", ");

/** The vintage of a source, by the release that is served. */
export function vintageOf(source) {
  const tables = ask("api/release").value?.tables ?? [];
  return tables.flatMap(({ sources }) => sources).find(({ source_id }) => source_id === source)?.vintage;
}

function context({ france, departement, rank, of }, write, name) {
  return [
    departement !== null && name && `${name} ${write(departement)}`,
    france !== null && `France ${write(france)}`,
    rank && `${count(rank)}${rank === 1 ? "re" : "e"} sur ${count(of)}`,
  ].filter(Boolean).join(" · ");
}

/** The criteria that the city meets, as the filters call them. */
export function why(it) {
  const met = ask(`api/cities/figures/${it.insee_com}`).value?.criterions ?? [];
  const labels = (ask("api/cities/criterions").value?.criterions ?? []).filter(({ key }) => met.includes(key));
  return labels.length ? html`<ul class="why" aria-label="Critères que la ville remplit">${labels.map(({ label, subLabel }) =>
    html`<li>${label}${subLabel ? html` <small>${subLabel}</small>` : nothing}</li>`)}</ul>` : nothing;
}

/** The weekly offers of a trade in the city's region: a curve and what it says, in words. */
export function trend({ newRegion }, metier) {
  const weeks = ask(`api/trends?rome=${encodeURIComponent(metier)}&region=${newRegion?.code ?? ""}`).value?.slice(-WEEKS_SHOWN);
  if (!weeks?.length) return nothing;
  const [first, last] = [weeks[0], weeks.at(-1)];
  const where = newRegion ? `en ${newRegion.name}` : "en France";
  const said = `${plural(last.number, "offre")} ${where}, semaine du ${years(last.week)}`;
  if (weeks.length === 1) return html`<p class="trend">${capitalized(said)}.</p>`;
  return html`<figure class="trend">
    ${curve(weeks)}
    <figcaption>${said} ; ${count(first.number)} la semaine du ${years(first.week)}.</figcaption>
  </figure>`;
}

function curve(weeks) {
  const [width, height, most] = [320, 56, Math.max(...weeks.map(({ number }) => number))];
  const times = weeks.map(({ week }) => Date.parse(week));
  const x = (time) => 4 + ((time - times[0]) / (times.at(-1) - times[0])) * (width - 8);
  const y = (number) => height - 4 - (number / (most || 1)) * (height - 8);
  const points = weeks.map(({ number }, at) => `${x(times[at]).toFixed(1)},${y(number).toFixed(1)}`);
  return html`<svg viewBox="0 0 ${width} ${height}" aria-hidden="true">
    ${svg`<path class="ground" d="M4 ${height - 4}H${width - 4}"></path><polyline points=${points.join(" ")}></polyline>
    <circle cx=${points.at(-1).split(",")[0]} cy=${points.at(-1).split(",")[1]} r="3"></circle>`}
  </svg>`;
}

/** Aids for those who move or look for a home or a job: the best known first. */
export function aids() {
  const fitting = (ask("api/helps/get-previews").value ?? []).filter(({ situation }) => FITTING.test(situation ?? ""));
  fitting.sort((one, other) => (other.visibility_boost ?? 0) - (one.visibility_boost ?? 0) || other.count_vue - one.count_vue);
  return fitting.length ? html`<section>
    <h2>Être aidé</h2>
    ${fitting.slice(0, AIDS_SHOWN).map((aid) => html`<details class="domain">
      <summary><span>${aid.title}<small>${aid.goal}</small></span></summary>
      <div class="aid"><p>${plain(aid.who)}</p><p class="credit">${[aid.type, aid.partner].filter(Boolean).join(" · ")}</p></div>
    </details>`)}
  </section>` : nothing;
}

/** The text of a piece of HTML, without what it hides. */
function plain(markup) {
  const shown = (markup ?? "").replace(/<(\w+)[^>]*display:\s*none[^>]*>.*?<\/\1>/gs, "").replace(/<[^>]*>/g, " ");
  const decoder = document.createElement("textarea"); // reads entities, and no elements
  decoder.innerHTML = shown;
  return decoder.value.trim();
}
