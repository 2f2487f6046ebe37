// The palette: colours by number and name, for all frames of the job; one is at hand.

import { get, post, putText } from "../api.js";
import { careful, fill, h } from "../dom.js";
import { hexOf, joined, offsetsOf, scaleOn } from "./colour.js";

const HELD = 0.97; // of a colour's strength: less is told

/** Return `{ element, show(info), at(), take(rgb), here(luma) }`; `changed` is called with what the
 * server says when the palette is another one, `pictures()` returns what colours may be taken of. */
export function paletteView(id, { changed, pictures }) {
  let swatches = [];
  let version = "";
  let chosen = null;
  let luma = null; // under the pointer
  const path = `/api/jobs/${id}/paint/palette`;
  const list = h("ul", { class: "swatches", role: "radiogroup", "aria-label": "colours" });
  const chip = h("span", { class: "chip large", "data-test": "here" });
  const text = h("span", { class: "faint", "data-test": "held" });
  const colour = h("input", { type: "color", "aria-label": "this colour", onchange: () => change(colour.value, name.value) });
  const name = h("input", { type: "text", maxlength: 80, placeholder: "name it", "aria-label": "name of this colour", onchange: () => change(colour.value, name.value) });
  const fresh = h("input", { type: "color", value: "#a06a3c", "aria-label": "a new colour", onchange: () => add(fresh.value) });
  const away = h("button", { type: "button", class: "quiet icon", "aria-label": "remove this colour", title: "remove this colour", onclick: () => send("remove", { id: chosen }) }, "✕");
  const own = h("div", { class: "stack own" }, h("div", { class: "row" }, colour, h("div", { class: "grow" }, name), away));
  const file = h("input", { type: "file", accept: ".gpl", hidden: true, onchange: () => load(file.files[0]) });
  const from = h("details", {}, h("summary", {}, "From a picture…"));
  from.addEventListener("toggle", () => from.open && fill(from, h("summary", {}, "From a picture…"), pickers(pictures(), take)));
  const element = h("aside", { class: "card stack palette" },
    h("div", { class: "row between" }, h("h2", {}, "Colours"), h("label", { class: "button", title: "a new colour" }, "New ", fresh)),
    h("div", { class: "row" }, chip, text), list, own, from,
    h("div", { class: "row" },
      h("button", { type: "button", class: "quiet", onclick: () => file.click() }, "Import .gpl"), file,
      h("a", { class: "button quiet", href: `${path}.gpl`, download: "" }, "Export")));

  const use = (answer) => {
    if (!answer) return;
    changed(answer);
    if (answer.id) select(answer.id);
  };
  const send = careful(async (what, content) => {
    try {
      const answer = await post(`${path}/${what}`, { version, ...content });
      use(answer);
      return answer;
    } catch (error) {
      changed(await get(`/api/jobs/${id}/paint`)); // another tab may have changed it
      throw error;
    }
  });
  const add = async (hex, called = null) => (await send("add", { color: hex, name: called }))?.id;
  const change = (hex, called) => chosen && send("change", { id: chosen, color: hex, name: called.trim() || null });
  const load = careful(async (given) => {
    if (given) use(await putText(`${path}.gpl`, await given.text()));
    file.value = "";
  });
  async function take(rgb) {
    return add(hexOf(rgb));
  }
  function select(number) {
    chosen = swatches.some((each) => each.id === number) ? number : swatches[0]?.id ?? null;
    draw();
  }
  function draw() {
    const focus = document.activeElement?.dataset.swatch;
    fill(list, swatches.map((each) => h("li", {}, h("button", {
      type: "button", role: "radio", class: "swatch", "aria-checked": String(each.id === chosen), "data-swatch": each.id,
      "aria-label": each.name ?? each.color, title: `${each.name ?? each.color} as it looks from dark to bright`,
      style: { "background-image": ramp(each.color) }, onclick: () => select(each.id),
    }), h("span", { class: "name" }, each.name ?? ""))));
    if (focus) list.querySelector(`[data-swatch="${focus}"]`)?.focus();
    const current = swatches.find((each) => each.id === chosen);
    own.hidden = !current;
    if (current) {
      colour.value = current.color;
      if (document.activeElement !== name) name.value = current.name ?? "";
    }
    tell();
  }
  function tell() {
    const current = swatches.find((each) => each.id === chosen);
    if (!current) {
      text.textContent = "Choose a colour: New, or from a picture.";
      chip.style.setProperty("background", "none");
      return;
    }
    const offsets = offsetsOf(current.color);
    const shown = luma === null ? current.color : hexOf(joined(luma, offsets));
    chip.style.setProperty("background", shown);
    const held = luma === null ? 1 : scaleOn(luma, offsets);
    text.textContent = luma === null ? "point at the frame: how it looks there"
      : held < HELD ? `here too ${luma > 127 ? "bright" : "dark"} for it: ${Math.round(100 * held)} % as strong` : "as it looks here";
  }
  return {
    element,
    show(info) {
      swatches = info.palette;
      version = info.palette_version;
      if (!swatches.some((each) => each.id === chosen)) chosen = swatches[0]?.id ?? null;
      draw();
    },
    at: () => chosen,
    colours: () => swatches,
    select,
    take,
    here(value) {
      luma = value;
      tell();
    },
  };
}

/** A swatch as it looks from dark to bright, the darkest and the brightest left out. */
function ramp(hex) {
  const offsets = offsetsOf(hex);
  const stops = [0.15, 0.35, 0.55, 0.75, 0.92].map((part) => hexOf(joined(255 * part, offsets)));
  return `linear-gradient(90deg, ${stops.join(", ")})`;
}

/** Pictures that colours are taken of by a click. */
function pickers(pictures, take) {
  if (!pictures.length) return h("p", { class: "faint" }, "No coloured pictures yet: drop some under References in the Colour tab.");
  return h("div", { class: "pickers" }, pictures.map(({ url, title }) => {
    const image = h("img", { src: url, alt: title, title: `take a colour of ${title}` });
    image.addEventListener("click", (event) => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
      const context = canvas.getContext("2d");
      context.drawImage(image, 0, 0);
      const box = image.getBoundingClientRect();
      const x = Math.floor(((event.clientX - box.left) / box.width) * image.naturalWidth);
      const y = Math.floor(((event.clientY - box.top) / box.height) * image.naturalHeight);
      take([...context.getImageData(x, y, 1, 1).data.slice(0, 3)]);
    });
    return image;
  }));
}
