// How numbers, names and kinds are written.

const SMALL = new Set(
  "à au aux d de des du en ès et l la le les lès lez sous sur".split(" "),
);

/** SAINT-JEAN-DE-LUZ to Saint-Jean-de-Luz: names come in capitals, without accents. */
export function placeName(capitals) {
  let first = true;
  return (capitals ?? "").toLowerCase().replace(/\p{L}+/gu, (word) => {
    const small = !first && SMALL.has(word);
    first = false;
    return small ? word : capitalized(word);
  });
}

/** « de Brest », « d’Orléans », « du Mans », « des Abymes ». */
export function of(name) {
  const [, article, rest] = /^(Les? )?(.*)$/u.exec(name);
  if (article) return `${article === "Le " ? "du" : "des"} ${rest}`;
  return /^([aeiouyœ]|hy)/.test(fold(name)) ? `d’${name}` : `de ${name}`;
}

/** « le bassin d’Orléans »: its name with accents where the API knows them; D AUGE lost its apostrophe. */
export function basinName(name) {
  const written = (name === name.toUpperCase() ? placeName(name) : name).replace(/\b([dl]) (?=\p{L})/giu, "$1’");
  return written.startsWith("Bassin ") ? written : `Bassin ${of(written)}`;
}

/** A department and its region, once where both are called the same. */
export const lying = (departement, region) => [...new Set([departement, region])].filter(Boolean).join(" · ");

export const capitalized = (words) => words[0].toUpperCase() + words.slice(1);

/** How a commune's row is called: as INSEE writes it, where that is known. */
export const cityName = ({ name, nom_comm }) => name ?? placeName(nom_comm);

const number = (options) => {
  const format = new Intl.NumberFormat("fr-FR", options);
  return (value) => format.format(value);
};
export const count = number({ maximumFractionDigits: 0 });
export const oneDecimal = number({ minimumFractionDigits: 1, maximumFractionDigits: 1 });
export const percent = number({ style: "percent" });
export const signed = number({ signDisplay: "exceptZero" });

const kilobytes = number({ style: "unit", unit: "kilobyte", maximumFractionDigits: 0 });
const megabytes = number({ style: "unit", unit: "megabyte", maximumFractionDigits: 1 });

/** The size of a file: « 1 ko », « 2,1 Mo ». */
export const weight = (bytes) => (bytes < 1e6 ? kilobytes(Math.max(bytes / 1e3, 1)) : megabytes(bytes / 1e6));

/** « 1 ville », « 2 villes ». */
export const plural = (value, one, many = `${one}s`) => `${count(value)} ${value < 2 ? one : many}`;

/** Thousands of inhabitants, as the warehouse has them: to a tenth. */
export const inhabitants = (thousands, one = "habitant", many = `${one}s`) =>
  thousands < 0.05 ? `moins de 50 ${many}` : plural(Math.round(thousands * 1000), one, many);

const moment = new Intl.DateTimeFormat("fr-FR", { dateStyle: "long", timeStyle: "short" });
export const when = (iso) => moment.format(new Date(iso));

const day = new Intl.DateTimeFormat("fr-FR", { dateStyle: "long", timeZone: "UTC" });

/** A vintage as one reads it: « 21 décembre 2021 », « 20–21 décembre 2021 », « 1981–2010 »; « non précisé ». */
export function years(vintage) {
  if (!vintage || vintage === "unknown") return "non précisé";
  const days = [...vintage.matchAll(/(\d{4})-?(0\d|1[0-2])-?([0-3]\d)/g)].map(([, ...date]) => new Date(date.join("-")));
  return days.length ? day.formatRange(days[0], days.at(-1)) : vintage.replace("-", "–");
}

/** The age of a vintage (2019, 2021-12-21 or 20211221), in words; nothing where it is no date. */
export function age(vintage, now = new Date()) {
  const date = /^(\d{4})(?:-?(\d\d)(?:-?(\d\d))?)?$/.exec(vintage ?? "");
  if (!date) return "";
  const [, year, month, day] = date.map(Number);
  if (!month) return now.getFullYear() > year ? plural(now.getFullYear() - year, "an") : "cette année";
  const days = Math.floor((now - new Date(year, month - 1, day || 1)) / 86_400_000);
  if (days < 61) return plural(Math.max(days, 0), "jour");
  return days < 731 ? `${Math.floor(days / 30.44)} mois` : plural(Math.floor(days / 365.25), "an");
}

/** A text as it is compared: without case and accents. */
export const fold = (text) =>
  (text ?? "").normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replaceAll("œ", "oe").replaceAll("’", "'");

/** The five classes of the index of tension, as employers see them: 1 is easy to recruit for, 5 is hard. */
export const TENSION = ["facile", "plutôt facile", "ni facile ni difficile", "plutôt difficile", "difficile"];
export const recruiting = (indT) => `Recrutement ${TENSION[indT - 1] ?? "d’indice inconnu"}`;
