// Choosing a city by its name: to go there, or to compare it.

import { html } from "./libraries.js";
import { go, LIST, state } from "./address.js";
import { typeAhead } from "./field.js";
import { fetchJson } from "./requests.js";
import { cityName } from "./words.js";

const cityField = (id, placeholder, pick) =>
  typeAhead({ id, placeholder, none: "Aucune ville trouvée", find: suggested, pick: ({ code }) => pick(code) });
const field = cityField("ville", "Aller à une ville…", (code) => go({ vue: "", ville: code }));
const adding = cityField("comparer", "Nom ou code postal", (code) =>
  go({ ...LIST, vue: "comparer", comparer: [...new Set([...state().comparer.split(",").filter(Boolean), code])].join() }));

/** The field, empty again once a city is chosen. */
export function townField() {
  return html`<div class="town"><label class="unseen" for="ville">Aller à une ville</label>${field("", state().ville)}</div>`;
}

/** The field that adds a city to those that are compared. */
export function comparedField(codes) {
  return html`<div class="adding"><label for="comparer">Ajouter une ville</label>${adding("", codes.join())}</div>`;
}

async function suggested(text, signal) {
  const found = await fetchJson("api/cities/autocomplete", { query: text }, signal).catch(() => []);
  return found.map((city) => ({
    code: city.insee_com, label: cityName(city), of: (city.postal_code ?? "").split("/")[0],
  }));
}
