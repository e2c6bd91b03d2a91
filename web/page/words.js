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
    return small ? word : word[0].toUpperCase() + word.slice(1);
  });
}

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

/** « 1 ville », « 2 villes ». */
export const plural = (value, one, many = `${one}s`) => `${count(value)} ${value < 2 ? one : many}`;

/** Thousands of inhabitants, as the warehouse has them. */
export const inhabitants = (thousands) => plural(Math.round(thousands * 1000), "habitant");

const moment = new Intl.DateTimeFormat("fr-FR", { dateStyle: "long", timeStyle: "short" });
export const when = (iso) => moment.format(new Date(iso));

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
