// What is shown while there is nothing to show yet, or nothing at all.

import { html } from "./libraries.js";
import { retry } from "./requests.js";

/** For an answer that is not there: what is going on with it. */
export function pending({ status }, lines = 6) {
  if (status === "failed") return failed();
  const slow = status === "slow" ? html`<p class="slow">C’est plus long que d’habitude…</p>` : "";
  return html`<div class="pending" aria-busy="true"><p class="unseen">Chargement…</p>${slow}${Array.from(
    { length: lines },
    () => html`<div class="bone"></div>`,
  )}</div>`;
}

function failed() {
  return html`<div class="lone">
    <h2>Le service ne répond pas</h2>
    <p>Ce n’est pas vous : les données ne sont pas joignables pour l’instant. Un nouvel essai part tout seul dans quelques secondes.</p>
    <button type="button" @click=${retry}>Réessayer maintenant</button>
  </div>`;
}

/** Across the page, while an answer that is shown could not be brought up to date. */
export const awayBanner = () => html`<p class="away" role="alert">
  Le service ne répond pas ; nouvel essai dans quelques secondes. <button type="button" @click=${retry}>Réessayer</button>
</p>`;

/** Across the page: something to know. */
export const note = (text) => html`<p class="away" role="status">${text}</p>`;

/** Across every view, while the bundled sample is served. */
export const sampleBanner = () => html`<aside class="away">Données d’essai, inventées.</aside>`;
