// Choosing a trade: one types a job title, or picks from all the trades.

import { html, nothing } from "./libraries.js";
import { go, href, LIST, state } from "./address.js";
import { typeAhead } from "./field.js";
import { ask, fetchJson } from "./requests.js";
import { fold } from "./words.js";

const TRADES_SHOWN = 5;

const field = typeAhead({
  id: "metier",
  placeholder: "Boulanger, infirmière, soudeur…",
  none: "Aucun métier trouvé",
  find: suggested,
  pick: ({ code }) => go({ ...LIST, metier: code }),
});

/** The trades of the release: [{ key, label }]. */
const trades = () => ask("api/cities/criterions").value?.codeRomes ?? [];

/** The label of a ROME code, or the code where it has none. */
export const tradeLabel = (code) => trades().find((trade) => trade.key === code)?.label ?? code;

/** The field, which holds the trade that is chosen. */
export function tradeField() {
  const { metier } = state();
  return html`
    <div class="trade">
      <label for="metier">Votre métier</label>
      <div class="field">
        ${field(metier && tradeLabel(metier))}
        ${metier ? html`<a class="clear" href=${href({ ...LIST, metier: "", chances: "" })} aria-label="Effacer le métier">×</a>` : nothing}
      </div>
    </div>`;
}

/** Every trade, for those who would rather look than type. */
export function allTrades() {
  return html`
    <details class="all-trades">
      <summary>Parcourir les ${trades().length} métiers</summary>
      <ul>${trades().map(({ key, label }) => html`<li><a href=${href({ ...LIST, metier: key })}>${label ?? key}</a></li>`)}</ul>
    </details>`;
}

/** Trades whose label has the words, then the job titles that the API finds. */
async function suggested(text, signal) {
  const parts = (words) => fold(words).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const asked = parts(text);
  const having = ({ label }) => asked.every((word) => parts(label).some((other) => other.startsWith(word)));
  const found = trades().filter(having).slice(0, TRADES_SHOWN);
  const titles = await fetchJson("api/cities/search-by-skill", { label: text }, signal).catch(() => []);
  return [
    ...found.map(({ key, label }) => ({ code: key, label, of: `Métier ${key}` })),
    ...titles.map(({ codeRome, label }) => ({ code: codeRome, label, of: tradeLabel(codeRome) })),
  ];
}
