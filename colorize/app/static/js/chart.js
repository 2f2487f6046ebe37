// Curves over epochs, as SVG.

import { h } from "./dom.js";

// Apart in lightness too (after Okabe and Ito).
export const COLOURS = ["#1f77b4", "#d55e00", "#2c9c69", "#a855a0", "#8a6d00", "#4fa8dc", "#c2477a", "#777777"];
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [520, 260, 54, 10, 12, 28];

/** Return a chart of `curves`: `{ name, x, y, dashed }`, missing values being null. */
export function chart(title, curves) {
  const points = curves.flatMap((curve) => curve.y.map((y, n) => [curve.x[n], y])).filter(([, y]) => y !== null);
  const [x0, x1] = range(points.map(([x]) => x));
  const [y0, y1] = range(points.map(([, y]) => y));
  const across = (x) => LEFT + ((x - x0) / (x1 - x0)) * (WIDTH - LEFT - RIGHT);
  const up = (y) => HEIGHT - BOTTOM - ((y - y0) / (y1 - y0)) * (HEIGHT - TOP - BOTTOM);
  const svg = h("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title} over epochs` },
    ticks(y0, y1, 5).map((y) => [
      h("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: up(y), y2: up(y) }),
      h("text", { x: LEFT - 6, y: up(y) + 4, "text-anchor": "end" }, short(y)),
    ]),
    ticks(x0, x1, 6).map((x) => h("text", { x: across(x), y: HEIGHT - 8, "text-anchor": "middle" }, short(x))),
    curves.map((curve, n) => h("polyline", {
      fill: "none", stroke: COLOURS[n % COLOURS.length], "stroke-width": 2, "stroke-dasharray": curve.dashed ? "5 4" : undefined, "stroke-linejoin": "round",
      points: curve.y.map((y, i) => (y === null ? "" : `${across(curve.x[i])},${up(y)}`)).join(" "),
    })));
  return h("figure", { class: "card", style: { margin: 0 } }, h("h3", {}, title), svg,
    h("figcaption", { class: "legend" }, curves.map((curve, n) => h("span", {}, h("i", { style: { background: COLOURS[n % COLOURS.length] } }), curve.name))));
}

function range(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

/** Return round numbers from `low` to `high`. */
function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step / 1000; value += step) found.push(Number(value.toPrecision(10)));
  return found;
}

const short = (value) => (Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-3) ? value.toExponential(1) : String(Number(value.toPrecision(4))));
