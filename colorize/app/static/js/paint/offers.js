// Colours with a name that the network finds again in a frame: offered, taken by a click.

import { get } from "../api.js";
import { careful, fill, h } from "../dom.js";
import { rgbOf } from "./colour.js";

/** Return `{ element, show(frame), changed() }`; `accept(offers)` paints what is taken, `mark` shows
 * where one is. */
export function offersView(id, { accept, mark }) {
  const element = h("div", { class: "row offers", "data-test": "offers", "aria-live": "polite" });
  let found = [];
  let frame = null;
  const take = (some) => {
    found = found.filter((each) => !some.includes(each));
    mark(null);
    accept(some);
    draw();
  };
  const where = (offer) => {
    const wanted = new Set(offer.labels);
    return frame.regions.of((label) => wanted.has(label));
  };
  function draw() {
    fill(element,
      found.length ? h("span", { class: "faint" }, "Found again:") : null,
      found.map((offer) => {
        const show = () => mark(where(offer), rgbOf(offer.color), 200);
        return h("button", { type: "button", class: "offer", "data-swatch": offer.swatch, title: `${Math.round(100 * offer.score)} % sure`, onclick: () => take([offer]), onmouseenter: show, onfocus: show, onmouseleave: () => mark(null), onblur: () => mark(null) },
          h("span", { class: "chip", style: { background: offer.color } }), offer.name);
      }),
      found.length > 1 ? h("button", { type: "button", class: "quiet", "data-test": "all-offers", onclick: () => take(found) }, "Take all") : null);
  }
  const look = careful(async (asked) => {
    const { offers } = await get(`${asked.path}/offers`);
    if (asked !== frame) return;
    found = offers;
    draw();
  });
  return {
    element,
    /** Look what is found again in a frame, as soon as its regions are known. */
    show(newer) {
      frame = newer;
      found = [];
      draw();
      if (newer.regions && newer.layer.empty) look(newer);
    },
    /** What is painted has changed: what was offered is not offered over it. */
    changed() {
      if (!frame?.regions) return;
      found = found.filter((offer) => where(offer).some((at) => frame.layer.data[at] === 0));
      draw();
    },
  };
}
