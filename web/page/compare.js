// Up to three cities side by side: their figures, each with the median of France, its source and its year.

import { html, nothing } from "./libraries.js";
import { href, LIST, state } from "./address.js";
import { departementOf } from "./departements.js";
import { GROUPS, source, valueOf, vintageOf } from "./facts.js";
import { ask } from "./requests.js";
import { pending } from "./states.js";
import { comparedField } from "./town.js";
import { tradeLabel } from "./trade.js";
import { cityName, count, TENSION, years } from "./words.js";

const MOST = 3;

/** The INSEE codes of the cities that are compared. */
const compared = () => state().comparer.match(/\b\d[\dAB]\d{3}\b/g)?.slice(0, MOST) ?? [];

const withCities = (codes) => href({ ...LIST, vue: "comparer", comparer: codes.join() });

/** From a city's sheet: the comparison with this city, where it has room. */
export function compareLink(insee) {
  const codes = compared();
  const hasRoom = codes.length < MOST && !codes.includes(insee);
  const words = !codes.length ? "Comparer à d’autres villes" : hasRoom ? "Ajouter à la comparaison" : "Voir la comparaison";
  return html`<p class="compare-link"><a href=${withCities(hasRoom ? [...codes, insee] : codes)}>${words}</a></p>`;
}

/** The view. */
export function compare() {
  const { metier } = state();
  const codes = compared();
  const found = codes.map((code) => ask(`api/cities/load/${encodeURIComponent(code)}`));
  const cities = found.map(({ value }) => value).filter(Boolean);
  const unknown = codes.filter((_, at) => found[at].status === "missing");
  const waiting = found.find(({ status, value }) => !value && status !== "missing");
  return html`<div class="single compare">
    <p class="crumb"><a href=${href(LIST)}>← ${metier ? tradeLabel(metier) : "Toutes les villes"}</a></p>
    <h1 tabindex="-1">Comparer des villes</h1>
    ${codes.length < MOST ? comparedField(codes) : nothing}
    ${unknown.map((code) => html`<p>Aucune commune n’a le code INSEE « ${code} » dans cette version des données.</p>`)}
    ${waiting ? pending(waiting, 8) : cities.length ? table(cities, metier)
      : html`<p>Choisissez jusqu’à trois villes : ${MOST} colonnes, les mêmes chiffres.</p>`}
  </div>`;
}

function table(cities, metier) {
  const figures = cities.map(({ insee_com }) => ask(`api/cities/figures/${insee_com}`).value?.figures);
  const codes = cities.map(({ insee_com }) => insee_com);
  const one = figures.find(Boolean); // the medians of France are the same beside each
  return html`<table>
    <caption class="unseen">Les chiffres de ${cities.map(cityName).join(", ")} et la médiane des communes de France</caption>
    <thead><tr>${cities.map((it) => html`<th scope="col">
      <a href=${href({ vue: "", ville: it.insee_com })}>${cityName(it)}</a>
      <small>${departementOf(it)}</small>
      <a class="drop" href=${withCities(codes.filter((code) => code !== it.insee_com))} aria-label="Retirer ${cityName(it)}">Retirer</a></th>`)}
      <th scope="col">France<small>médiane des communes</small></th></tr></thead>
    ${GROUPS.map(([title, rows]) => html`
      ${section(title, cities.length)}
      ${rows.filter(([name]) => one?.[name].of !== 0).map((row) => {
        const [name, label, write] = row;
        const france = one?.[name].france ?? null;
        return line(label, one && source(one[name]), cities.map((it) => valueOf(it, row)), france === null ? "—" : write(france));
      })}`)}
    ${work(cities, metier)}
  </table>`;
}

function work(cities, metier) {
  const trades = cities.map(({ insee_com }) => ask(`api/cities/trades/${insee_com}`).value?.trades);
  const here = trades.map((those) => those?.find(({ codeRome }) => codeRome === metier));
  const said = (value) => ({ text: value ?? "—", isOwn: value !== undefined });
  const [offers, tension] = ["offers_dump", "tensions"].map((of) => `France Travail, ${years(vintageOf(of))}`);
  return html`
    ${section("Travailler", cities.length)}
    ${line("Offres dans la commune", offers, trades.map((those) => said(those && count(those.reduce((sum, { number }) => sum + number, 0)))), "")}
    ${metier ? html`
      ${line(`Offres, ${tradeLabel(metier)}`, offers, trades.map((those, at) => said(those && count(here[at]?.number ?? 0))), "")}
      ${line(`Recrutement, ${tradeLabel(metier)}`, `indice de tension, de 1 à 5 ; ${tension}`,
        here.map((trade) => said(trade?.ind_t ? `${TENSION[trade.ind_t - 1]} (${trade.ind_t})` : "pas suivi")), "")}` : nothing}`;
}

const section = (title, cities) => html`<tbody><tr><th class="title" scope="rowgroup" colspan=${cities + 1}><h2>${title}</h2></th></tr></tbody>`;

/** A figure: what it is over the whole width, then a value per city and that of France. */
const line = (label, of, values, france) => html`<tbody>
  <tr class="what"><th scope="rowgroup" colspan=${values.length + 1}>${label} <small>${of}</small></th></tr>
  <tr>${values.map(({ text, isOwn }) => html`<td class=${isOwn ? "" : "unknown"}>${text}</td>`)}<td class="france">${france}</td></tr>
</tbody>`;
