// What the API answered, kept while its release is served; what is late; what failed, and when it is tried again.

const SLOW_MS = 2000;
const RETRY_SECONDS = 5;

const known = new Map();
const lastReady = new Map();
let wanted = new Set();
let release = null;
let timer = null;
let changed = () => {};

/** Call `draw` whenever an answer has come, is late or has failed. */
export function onChange(draw) {
  changed = draw;
}

/** Draw what is shown anew. */
export function redraw() {
  changed();
}

/** Before each drawing: what it asks for is what is tried again. */
export function begin() {
  wanted = new Set();
}

/**
 * The answer of a route, asked for once: { status, value }. Status is loading, slow, ready, missing (404) or failed.
 * While it is not ready, `value` is the last answer of the same `slot`.
 */
export function ask(path, body, slot) {
  const key = body ? `${path} ${JSON.stringify(body)}` : path;
  wanted.add(key);
  if (!known.has(key)) load(key, path, body);
  const entry = known.get(key);
  if (slot && entry.status === "ready") lastReady.set(slot, entry.value);
  return { status: entry.status, value: entry.value ?? lastReady.get(slot) };
}

/** Whether the API failed to answer what is shown. */
export function away() {
  return [...wanted].some((key) => known.get(key)?.status === "failed");
}

/** Ask again for what failed and is still shown. */
export function retry() {
  clearTimeout(timer);
  timer = null;
  for (const [key, entry] of known) {
    if (entry.status !== "failed") continue;
    if (wanted.has(key)) load(key, entry.path, entry.body, "failed");
    else known.delete(key);
  }
}

/** The answer of a route, as it is; raises an error where there is none. */
export async function fetchJson(path, body, signal) {
  const sent = body && { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  const response = await fetch(path, { ...sent, signal });
  if (!response.ok) {
    throw Object.assign(new Error(`${response.status}`), {
      missing: response.status === 404 || response.status === 422,
      after: Number(response.headers.get("Retry-After")),
    });
  }
  noteRelease(response.headers.get("X-Release"));
  return response.json();
}

async function load(key, path, body, status = "loading") {
  const entry = { status, path, body };
  known.set(key, entry);
  const late = setTimeout(() => {
    if (entry.status === "loading") entry.status = "slow";
    changed();
  }, SLOW_MS);
  try {
    entry.value = await fetchJson(path, body);
    entry.status = "ready";
  } catch (error) {
    entry.status = error.missing ? "missing" : "failed";
    if (!error.missing) timer ??= setTimeout(retry, (error.after || RETRY_SECONDS) * 1000);
  }
  clearTimeout(late);
  changed();
}

/** Another release is served: what the one before said is forgotten, and asked again when it is drawn. */
function noteRelease(served) {
  if (!served || served === release) return;
  if (release) for (const [key, entry] of known) if (entry.status === "ready" && key.startsWith("api/")) known.delete(key);
  release = served;
}
