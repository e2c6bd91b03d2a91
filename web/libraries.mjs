// What the page uses of its libraries. `make page` bundles it into page/libraries.js, which is committed.
export { default as autocomplete } from "accessible-autocomplete";
export { geoAzimuthalEqualArea, geoConicConformal, geoPath } from "d3-geo";
export { html, nothing, render, svg } from "lit-html";
export { live } from "lit-html/directives/live.js";
export { repeat } from "lit-html/directives/repeat.js";
