// The state of the page is its address, so that a view can be shared and the back button works.

import { regionOf } from "./departements.js";

const NAMES = ["vue", "ville", "comparer", "metier", "region", "departement", "taille", "cadre", "chances", "tri", "page"];
const FILTERS = ["region", "departement", "taille", "cadre", "chances", "tri"];

/** What the address asks for: a text per name, empty where it says nothing. A department is in its region. */
export function state() {
  const query = new URLSearchParams(location.search);
  const asked = Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? ""]));
  return { ...asked, region: regionOf(asked.departement) || asked.region };
}

/** The address of the state with some changes. Another trade or filter begins at the first page. */
export function href(changes, from = state()) {
  const next = { ...from, ...changes };
  if ("region" in changes && !("departement" in changes)) next.departement = "";
  if (next.departement) next.region = ""; // the department says which
  if (["metier", ...FILTERS].some((name) => name in changes) && !("page" in changes)) next.page = "";
  const query = new URLSearchParams(NAMES.filter((name) => next[name]).map((name) => [name, next[name]]));
  return query.size ? `?${query}` : location.pathname;
}

/** Go there, as a link would. */
export function go(changes) {
  history.pushState(null, "", href(changes));
  dispatchEvent(new Event("moved"));
}

/** Put the address right, without a step in the history. */
export function mend(changes) {
  history.replaceState(null, "", href(changes));
}

/** The list of cities with what was chosen, without what is shown instead. */
export const LIST = { vue: "", ville: "" };
/** The list with no filter. */
export const NO_FILTER = Object.fromEntries(FILTERS.map((name) => [name, ""]));

/** Call `moved` whenever the address changes; links within the page load nothing. */
export function follow(moved) {
  addEventListener("popstate", moved);
  addEventListener("moved", moved);
  addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='?'], a[data-here]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    history.pushState(null, "", link.getAttribute("href"));
    dispatchEvent(new Event("moved"));
  });
}
