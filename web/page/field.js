// A field where one types and picks, on GOV.UK's accessible-autocomplete.

import { autocomplete } from "./libraries.js";

const PAUSE_MS = 120;

/**
 * A field with suggestions, mounted anew whenever its `value` changes: the element to put on the page.
 * `find(text, signal)` gives [{ label, of }], `pick` is told which was chosen, `none` says that nothing was found.
 */
export function typeAhead({ id, placeholder, none, find, pick }) {
  const place = document.createElement("div");
  let shown = null;
  let asking = new AbortController();

  async function source(text, show) {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    await new Promise((done) => setTimeout(done, PAUSE_MS));
    const found = signal.aborted ? [] : await find(text, signal);
    if (!signal.aborted) show(found);
  }

  return (value, key = value) => {
    if (key === shown) return place;
    shown = key;
    place.replaceChildren();
    autocomplete({
      element: place,
      id,
      name: "",
      source,
      placeholder,
      defaultValue: value,
      minLength: 2,
      autoselect: true,
      confirmOnBlur: false,
      inputClasses: "type-ahead",
      templates: { inputValue: (found) => found?.label ?? "", suggestion },
      onConfirm: (found) => found && pick(found),
      tNoResults: () => none,
      tStatusQueryTooShort: (length) => `Tapez au moins ${length} lettres`,
      tStatusNoResults: () => none,
      tStatusSelectedOption: (option, length, index) => `${option}, ${index + 1} sur ${length}`,
      tStatusResults: (length, option) => `${length} propositions. ${option}`,
      tAssistiveHint: () => "Choisissez avec les flèches haut et bas, validez avec Entrée.",
    });
    return place;
  };
}

function suggestion(found) {
  return `<span>${escaped(found.label ?? found)}</span><small>${escaped(found.of)}</small>`;
}

function escaped(text) {
  const span = document.createElement("span");
  span.textContent = text ?? "";
  return span.innerHTML;
}
