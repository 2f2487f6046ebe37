// Original and result in one picture, with a divider to draw from side to side.

import { h } from "./dom.js";

/** Return `{ element, draw(before, after) }`; pictures are ImageBitmaps, `after` may be null. */
export function compareView({ width, height }) {
  const before = h("canvas", { class: "before" });
  const after = h("canvas", { class: "after" });
  const line = h("div", {
    class: "line", role: "slider", tabindex: 0, "aria-label": "divider between original and result",
    "aria-valuemin": 0, "aria-valuemax": 100,
  });
  const missing = h("span", { class: "tag right" }, "result");
  const element = h("div", { class: "compare" }, before, after, line, h("span", { class: "tag left" }, "original"), missing);
  element.style.setProperty("aspect-ratio", `${width} / ${height}`);
  element.style.setProperty("max-width", `calc(62vh * ${width / height})`);
  let at = 50;
  const move = (value) => {
    at = Math.min(100, Math.max(0, value));
    element.style.setProperty("--at", `${at}%`);
    line.setAttribute("aria-valuenow", Math.round(at));
    line.setAttribute("aria-valuetext", `${Math.round(at)} % original`);
  };
  const follow = (event) => {
    const box = element.getBoundingClientRect();
    move((100 * (event.clientX - box.left)) / box.width);
  };
  element.addEventListener("pointerdown", (event) => {
    element.setPointerCapture(event.pointerId);
    follow(event);
  });
  element.addEventListener("pointermove", (event) => {
    if (element.hasPointerCapture(event.pointerId)) follow(event);
  });
  line.addEventListener("keydown", (event) => {
    const to = { ArrowLeft: at - 2, ArrowRight: at + 2, PageDown: at - 10, PageUp: at + 10, Home: 0, End: 100 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    move(to);
  });
  move(50);
  return {
    element,
    draw(first, second) {
      paint(before, first);
      if (second) paint(after, second);
      after.hidden = !second;
      missing.textContent = second ? "result" : "not coloured yet";
    },
  };
}

function paint(canvas, picture) {
  if (canvas.width !== picture.width || canvas.height !== picture.height) {
    canvas.width = picture.width;
    canvas.height = picture.height;
  }
  canvas.getContext("2d").drawImage(picture, 0, 0);
}
