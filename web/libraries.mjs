// What the page uses of its libraries. `make page` bundles it into page/libraries.js, which is committed.
export { default as autocomplete } from "accessible-autocomplete";
export { geoAzimuthalEqualArea, geoCentroid, geoCircle, geoConicConformal, geoPath } from "d3-geo";
export { select } from "d3-selection";
export { zoom, zoomIdentity } from "d3-zoom";
export { html, nothing, render, svg } from "lit-html";
export { keyed } from "lit-html/directives/keyed.js";
export { live } from "lit-html/directives/live.js";
export { ref } from "lit-html/directives/ref.js";
export { repeat } from "lit-html/directives/repeat.js";
export { feature, merge, mesh } from "topojson-client";
