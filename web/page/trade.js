// Choosing a trade: one types a job title, or picks from all the trades.

import { autocomplete, html } from "./libraries.js";
import { go, href, LIST, state } from "./address.js";
import { ask, fetchJson } from "./requests.js";
import { fold } from "./words.js";

const PAUSE_MS = 120;
const TRADES_SHOWN = 5;

const place = document.createElement("div");
let shown = null;
let asking = new AbortController();

/** The trades of the release: [{ key, label }]. */
export const trades = () => ask("api/cities/criterions").value?.codeRomes ?? [];

/** The label of a ROME code, or the code where it has none. */
export const tradeLabel = (code) => trades().find((trade) => trade.key === code)?.label ?? code;

/** The field, which holds the trade that is chosen. */
export function tradeField() {
  const chosen = state().metier;
  const now = `${chosen} ${chosen && tradeLabel(chosen)}`;
  if (now !== shown) {
    shown = now;
    mount(chosen ? tradeLabel(chosen) : "");
  }
  return html`
    <div class="trade">
      <label for="metier">Votre métier</label>
      <div class="field">${place}${chosen ? html`<a class="clear" href=${href({ ...LIST, metier: "", chances: "" })} aria-label="Effacer le métier">×</a>` : ""}</div>
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

function mount(label) {
  place.replaceChildren();
  autocomplete({
    element: place,
    id: "metier",
    name: "",
    source: suggest,
    minLength: 2,
    autoselect: true,
    confirmOnBlur: false,
    showNoOptionsFound: true,
    defaultValue: label,
    placeholder: "Boulanger, infirmière, soudeur…",
    inputClasses: "trade-input",
    templates: { inputValue: (trade) => trade?.label ?? "", suggestion: suggestion },
    onConfirm: (trade) => trade?.codeRome && go({ ...LIST, metier: trade.codeRome }),
    tNoResults: () => "Aucun métier trouvé",
    tStatusQueryTooShort: (length) => `Tapez au moins ${length} lettres`,
    tStatusNoResults: () => "Aucun métier trouvé",
    tStatusSelectedOption: (option, length, index) => `${option}, ${index + 1} sur ${length}`,
    tStatusResults: (length, option) => `${length} métiers proposés. ${option}`,
    tAssistiveHint: () => "Choisissez avec les flèches haut et bas, validez avec Entrée.",
  });
}

function suggestion(trade) {
  if (typeof trade === "string") return escaped(trade);
  return `<span>${escaped(trade.label)}</span><small>${escaped(trade.of)}</small>`;
}

function escaped(text) {
  const span = document.createElement("span");
  span.textContent = text;
  return span.innerHTML;
}

/** Trades whose label has the words, then the job titles that the API finds. */
async function suggest(text, show) {
  asking.abort();
  asking = new AbortController();
  const { signal } = asking;
  await new Promise((done) => setTimeout(done, PAUSE_MS));
  if (signal.aborted) return;
  const words = fold(text).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const having = ({ label }) => {
    const folded = fold(label).split(/[^\p{L}\p{N}]+/u);
    return words.every((word) => folded.some((other) => other.startsWith(word)));
  };
  const found = trades().filter(having).slice(0, TRADES_SHOWN);
  const asTrade = found.map(({ key, label }) => ({ codeRome: key, label, of: `Métier ${key}` }));
  try {
    const titles = await fetchJson("api/cities/search-by-skill", { label: text }, signal);
    show([...asTrade, ...titles.map((title) => ({ ...title, of: tradeLabel(title.codeRome) }))]);
  } catch (error) {
    if (error.name !== "AbortError") show(asTrade);
  }
}
