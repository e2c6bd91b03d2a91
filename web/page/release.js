// The release that is served: when it was made, from which files, with how many rows, what changed, its files.

import { html, nothing } from "./libraries.js";
import { ask } from "./requests.js";
import { pending } from "./states.js";
import { age, count, plural, signed, weight, when, years } from "./words.js";

const OPTIONAL = [["rows_used", "Utilisées"], ["rows_merged", "Réunies"], ["rows_rejected", "Rejetées"]];

/** The view. */
export function release() {
  const found = ask("api/release");
  if (!found.value) return html`<div class="single"><h1 tabindex="-1">Les données</h1>${
    found.status === "missing" ? nothing : pending(found, 12)}</div>`;
  const { id, published_at, started_at, geography, tables } = found.value;
  const changed = tables.filter((table) => table.changed);
  const seconds = (new Date(published_at) - new Date(started_at)) / 1000;
  return html`<div class="single">
    <h1 tabindex="-1">Les données</h1>
    <p class="lead">Version ${id}, publiée le ${when(published_at)}, faite en ${plural(Math.max(Math.round(seconds), 1), "seconde")}.
      ${changed.length === tables.length && tables.every((table) => table.rows_before === null)
        ? "C’est la première."
        : changed.length
          ? `${plural(changed.length, "table a changé", "tables ont changé")} depuis la précédente.`
          : "Rien n’a changé depuis la précédente."}
      ${geography ? `Géographie : ${geography}.` : nothing}</p>
    <section><h2>Ce qui est servi</h2>${tablesOf(tables)}</section>
    <section><h2>Les emporter</h2>${downloads()}</section>
    <section><h2>D’où cela vient</h2>${sourcesOf(tables)}</section>
  </div>`;
}

/** The files to take away, whose data they are, and how to read them by their address. */
function downloads() {
  const { status, value } = ask("api/downloads");
  if (status === "missing") return html`<p>Aucun fichier à télécharger pour l’instant : la prochaine mise à jour des données les écrit.</p>`;
  if (!value) return pending({ status }, 3);
  const latest = `api/${value.latest}`;
  const example = new URL(`${latest}/cities.parquet`, location);
  return html`
    <p>Chaque table de la version ${value.release}, en Parquet ou en CSV (UTF-8, séparé par « ; », codes en texte).
      Le <a href="dictionary">dictionnaire des données</a> explique chaque colonne ; les descriptions sont en anglais. Pour les programmes :
      <a href="${latest}/datapackage.json">datapackage.json</a>, <a href="${latest}/SHA256SUMS">SHA256SUMS</a>.</p>
    <div class="wide" tabindex="0" role="region" aria-label="Téléchargements"><table>
      <thead><tr><th scope="col">Table</th><th scope="col">Parquet</th><th scope="col">CSV</th></tr></thead>
      <tbody>${[...Map.groupBy(value.files, ({ table }) => table)].map(([table, files]) => html`<tr>
        <th scope="row"><code>${table}</code><br><small lang="en">${files[0].description}</small></th>
        ${["parquet", "csv"].map((kind) => html`<td>${files.filter(({ format }) => format === kind).map(({ path, bytes }) =>
          html`<a href="api/${path}" aria-label="${table} en ${kind}, ${weight(bytes)}" download>${weight(bytes)}</a>`)}</td>`)}</tr>`)}</tbody>
    </table></div>
    <p>Sans rien télécharger : <code>duckdb -c "FROM '${example}'"</code></p>
    <h3>À qui sont ces données</h3>
    <p>Nommez qui les publie, et gardez leur licence. Où elle n’est pas précisée, demandez à qui les publie avant de les réutiliser.</p>
    <ul class="credits">${value.sources.map(({ title, path, publisher, licence, version }) => html`<li>
      <a href=${path} rel="noreferrer">${title}</a>, ${publisher}${version && version !== "unknown" ? `, ${years(version)}` : ""} — ${licence}</li>`)}</ul>`;
}

function tablesOf(tables) {
  return html`<div class="wide" tabindex="0" role="region" aria-label="Tables"><table>
    <thead><tr><th scope="col">Table</th><th scope="col" class="n">Lignes</th><th scope="col" class="n">Avant</th>
      <th scope="col">Contenu</th><th scope="col">Chargée le</th></tr></thead>
    <tbody>${tables.map(({ table, rows, rows_before, changed, loaded_at }) => html`<tr>
      <th scope="row"><code>${table}</code></th>
      <td class="n">${count(rows)}</td>
      <td class="n">${rows_before === null ? "—" : rows === rows_before ? "=" : signed(rows - rows_before)}</td>
      <td>${rows_before === null ? "nouveau" : changed ? html`<b>modifié</b>` : "inchangé"}</td>
      <td>${when(loaded_at)}</td></tr>`)}</tbody>
  </table></div>`;
}

/** Each file once, with the tables made from it. */
function sourcesOf(tables) {
  const files = new Map();
  for (const { table, sources } of tables) {
    for (const source of sources) {
      const key = `${source.source_id} ${source.file_name} ${source.sha256}`;
      const file = files.get(key) ?? { ...source, tables: [] };
      if ((file.rows_read ?? null) === null) Object.assign(file, source); // some tables say no more than the name
      file.tables.push(table);
      files.set(key, file);
    }
  }
  const rows = [...files.values()].sort((one, other) => one.source_id.localeCompare(other.source_id));
  const more = OPTIONAL.filter(([name]) => rows.some((row) => row[name] !== undefined && row[name] !== null));
  const number = (value) => (value === null || value === undefined ? "—" : count(value));
  return html`<div class="wide" tabindex="0" role="region" aria-label="Fichiers"><table>
    <thead><tr><th scope="col">Source</th><th scope="col">Millésime</th><th scope="col">Âge</th>
      <th scope="col" class="n">Lignes lues</th>${more.map(([, label]) => html`<th scope="col" class="n">${label}</th>`)}
      <th scope="col">Tables</th></tr></thead>
    <tbody>${rows.map((row) => html`<tr>
      <th scope="row"><code>${row.source_id}</code><br><small>${row.file_name}<br>
        <span title=${row.sha256}>sha256 ${row.sha256.slice(0, 12)}…</span></small></th>
      <td>${years(row.vintage)}</td><td>${age(row.vintage) || "—"}</td>
      <td class="n">${number(row.rows_read)}</td>
      ${more.map(([name]) => html`<td class="n ${row[name] && name === "rows_rejected" ? "warn" : ""}">${number(row[name])}</td>`)}
      <td>${row.tables.map((table) => html`<code>${table}</code> `)}</td></tr>`)}</tbody>
  </table></div>`;
}
