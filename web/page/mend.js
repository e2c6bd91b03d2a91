// An address that asks for what there is not: which of its values, and the address without them.

import { DEPARTEMENTS } from "./departements.js";
import { ask } from "./requests.js";

const NAMED = {
  vue: "la page", comparer: "les villes", metier: "le métier", region: "la région", departement: "le département",
  taille: "la taille", cadre: "le cadre", chances: "le filtre des opportunités", tri: "l’ordre", page: "le numéro de page",
};
const FIXED = { vue: ["donnees", "comparer"], chances: ["1", "2"], tri: ["mer", "montagne"] };
let said = [];

/** The values that are not known: null until it can be told. `now`: what the address asks for. */
export function unknown(now) {
  if (!Object.keys(NAMED).some((name) => now[name])) return [];
  const choices = ask("api/cities/criterions").value;
  if (!choices) return null;
  const keys = choices.criterions.map(({ key }) => key);
  const known = {
    ...FIXED, region: choices.regions.map(({ id }) => id), departement: DEPARTEMENTS.map(({ code }) => code),
    taille: keys, cadre: keys,
    metier: now.metier.match(/^[A-N]\d{4}$/), page: now.page.match(/^[1-9]\d{0,8}$/),
    comparer: now.comparer.match(/^\d[\dAB]\d{3}(,\d[\dAB]\d{3}){0,2}$/),
  };
  return Object.keys(known).filter((name) => now[name] && !known[name]?.includes(now[name]));
}

/** Remember what the address asked for in vain, to say it beside what is shown instead. */
export function remember(names, now) {
  said = names.map((name) => `${NAMED[name]} « ${now[name]} »`);
}

/** What was asked for in vain, in a sentence; empty where there was nothing. */
export const inVain = () => (said.length
  ? `Nous ne connaissons pas ${new Intl.ListFormat("fr").format(said)} : l’adresse a été corrigée.` : "");
