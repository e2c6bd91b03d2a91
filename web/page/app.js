// The page: draws what the address asks for, again whenever the address or what is known of it changes.

import { html, nothing, render } from "./libraries.js";
import { follow, href, LIST, mend, NO_FILTER, state } from "./address.js";
import { city, cityTitle } from "./city.js";
import { compare } from "./compare.js";
import { explore } from "./explore.js";
import { inVain, remember, unknown } from "./mend.js";
import { release } from "./release.js";
import { ask, away, begin, onChange } from "./requests.js";
import { awayBanner, note, sampleBanner } from "./states.js";
import { townField } from "./town.js";
import { tradeLabel } from "./trade.js";
import { when } from "./words.js";

const root = document.getElementById("page");
const HOME = { ...NO_FILTER, ...LIST, metier: "", comparer: "" };
const VIEWS = { donnees: release, comparer: compare };
let titleAwaited = false;

function draw() {
  begin();
  const asked = state();
  const wrong = unknown(asked) ?? [];
  if (wrong.length) {
    remember(wrong, asked);
    mend({ page: asked.page, ...Object.fromEntries(wrong.map((name) => [name, ""])) });
  }
  const now = state();
  const shown = (VIEWS[now.vue] ?? (now.ville ? city : explore))();
  render(page(now, shown), root);
  document.title = [titleOf(now), "Mobiville"].filter(Boolean).join(" · ");
  const title = titleAwaited && root.querySelector("h1");
  if (title) {
    title.focus({ preventScroll: true });
    titleAwaited = false;
  }
}

function titleOf({ vue, ville, metier }) {
  if (vue === "donnees") return "Les données";
  if (vue === "comparer") return "Comparer des villes";
  return ville ? cityTitle() : metier && tradeLabel(metier);
}

function page(now, shown) {
  const served = ask("api/release").value;
  return html`
    <header class="top">
      <a class="name" href=${href(HOME)} data-here>Mobiville</a>
      ${townField()}
      <nav aria-label="Pages">
        <a href=${href({ vue: "" })} data-here aria-current=${now.vue ? nothing : "page"}>Carte</a>
        <a href=${href({ vue: "donnees" })} aria-current=${now.vue === "donnees" ? "page" : nothing}>Les données</a>
      </nav>
    </header>
    ${away() ? awayBanner() : nothing}
    ${served?.sample ? sampleBanner() : nothing}
    ${inVain() ? note(inVain()) : nothing}
    <main id="contenu" tabindex="-1">${shown}</main>
    <footer>
      <p>${served ? html`Version ${served.id} du ${when(served.published_at)}. ` : nothing}
        D’après l’Insee, France Travail, la Dares, DVF, Météo-France et l’IGN (contours).</p>
      <p>Indice de tension d’un métier dans un bassin d’emploi : de 1, recrutement facile pour l’employeur, à 5, recrutement difficile.</p>
      <nav aria-label="Informations légales">
        <a href="mentions-legales">Mentions légales</a>
        <a href="accessibilite">Accessibilité : non conforme</a>
        <a href="docs">API</a>
      </nav>
    </footer>`;
}

/** Another view begins at its title, for the eye and for a screen reader; the same one stays where it is. */
function moved(event) {
  remember([]);
  const before = last;
  last = state();
  const isOther = before.vue !== last.vue || before.ville !== last.ville;
  titleAwaited = isOther;
  draw();
  if (event.type === "popstate") return; // the browser puts the page back where it was
  if (isOther) scrollTo(0, 0);
  else if (before.page !== last.page) root.querySelector(".list").scrollIntoView({ block: "start" });
}

let last = state();
root.replaceChildren(); // the first words of index.html
onChange(draw);
follow(moved);
draw();
