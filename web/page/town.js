// Going straight to a city, by its name.

import { html } from "./libraries.js";
import { go, state } from "./address.js";
import { typeAhead } from "./field.js";
import { fetchJson } from "./requests.js";
import { cityName } from "./words.js";

const field = typeAhead({
  id: "ville",
  placeholder: "Aller à une ville…",
  none: "Aucune ville trouvée",
  find: suggested,
  pick: ({ code }) => go({ vue: "", ville: code }),
});

/** The field, empty again once a city is chosen. */
export function townField() {
  return html`<div class="town"><label class="unseen" for="ville">Aller à une ville</label>${field("", state().ville)}</div>`;
}

async function suggested(text, signal) {
  const found = await fetchJson("api/cities/autocomplete", { query: text }, signal).catch(() => []);
  return found.map((city) => ({
    code: city.insee_com, label: cityName(city), of: (city.postal_code ?? "").split("/")[0],
  }));
}
