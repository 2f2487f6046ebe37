// The frames to paint: those that were suggested, and those that are painted already.

import { fill, h, plural } from "../dom.js";

/** Show the frames of `info` in a list; `open(frame)` is called when one is chosen. */
export function showStrip(list, id, info, current, open) {
  const painted = new Map(info.painted.map((each) => [each.frame, each]));
  const suggested = info.suggestions.map((each) => each.frame);
  const others = info.painted.map((each) => each.frame).filter((frame) => !suggested.includes(frame));
  if (current !== null && !suggested.includes(current) && !painted.has(current)) others.push(current);
  const focus = document.activeElement?.dataset.frame;
  const entry = (frame, why) => {
    const paint = painted.get(frame);
    return h("li", {}, h("button", {
      type: "button", class: "frame-card", "data-frame": frame, "aria-current": frame === current ? "true" : undefined, onclick: () => open(frame),
    },
    h("img", { src: `/api/jobs/${id}/original/${frame}.jpg?size=180`, alt: `frame ${frame}`, loading: "lazy", style: { "aspect-ratio": `${info.width} / ${info.height}` } }),
    h("span", { class: "row between" }, h("b", {}, `frame ${frame}`),
      paint ? h("span", { class: `badge ${paint.accepted ? "good" : "hand"}` }, paint.accepted ? "in the film" : "painted") : null),
    h("small", {}, why)));
  };
  const shown = info.suggestions.map((each) => entry(each.frame, words(each)));
  fill(list, shown, others.map((frame) => entry(frame, "")));
  if (focus) list.querySelector(`[data-frame="${focus}"]`)?.focus();
}

function words({ shots, covered }) {
  const some = shots.length > 4 ? `${plural(shots.length, "shot")}` : `shot${shots.length > 1 ? "s" : ""} ${shots.join(", ")}`;
  return `serves ${some}; with those above ${Math.round(100 * covered)} % of the film`;
}
