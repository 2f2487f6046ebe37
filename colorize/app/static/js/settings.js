// The settings of a job as a form.

import { about, get } from "./api.js";
import { h } from "./dom.js";

/** Return `{ element, read() }` for what a job asks for. */
export async function settingsForm(asked, outputs, onWeights = () => {}) {
  const [{ devices }, weights] = await Promise.all([about(), get("/api/weights")]);
  const usable = weights.filter((each) => each.purpose !== "classify");
  const checkpoint = h("select", { name: "checkpoint", onchange: () => onWeights() },
    usable.map((each) => h("option", { value: each.path }, (each.title.startsWith(each.path) ? each.title : `${each.title} — ${each.path}`))));
  checkpoint.value = asked.checkpoint || usable[0]?.path || "";
  const size = h("input", { type: "number", name: "short_side", min: 16, max: 4096, step: 8, placeholder: "as trained", value: asked.short_side ?? "" });
  const variant = h("select", { name: "variant" }, h("option", { value: "auto" }, "choose for each shot"),
    Array.from({ length: Math.max(outputs ?? 4, Number(asked.variant) + 1 || 0) }, (_, n) => h("option", { value: String(n) }, `always number ${n}`)));
  variant.value = String(asked.variant);
  const saturation = slider("saturation", "Saturation", asked.saturation, 0, 2, 0.05);
  const stillness = slider("stillness", "Stillness of colours", asked.stillness, 0, 1, 0.05);
  const recolor = h("input", { type: "checkbox", name: "recolor" });
  recolor.checked = asked.recolor;
  const fast = h("input", { type: "checkbox", name: "fast" });
  fast.checked = asked.fast;
  const device = h("select", { name: "device" }, devices.map((each) => h("option", { value: each }, each)));
  device.value = asked.device || devices[0];
  const element = h("form", { onsubmit: (event) => event.preventDefault() },
    usable.length ? null : h("p", {}, h("span", { class: "badge bad" }, "no weights"), " None lie in the page's folders. ", h("code", {}, "colorize-train"), " makes them; ", h("code", {}, "make demo"), " leaves some in demo/."),
    h("fieldset", {},
      field("Weights", checkpoint),
      h("div", { class: "fields" }, field("Working size (short side)", size), field("Colouring", variant)),
      h("div", { class: "fields" }, saturation.element, stillness.element),
      h("div", { class: "fields" },
        h("label", { class: "check" }, recolor, "Colour also what is in colour already"),
        h("label", { class: "check" }, fast, "Compute in half precision (faster on newer processors)"),
        devices.length > 1 ? field("Device", device) : null)));
  const read = () => ({
    checkpoint: checkpoint.value,
    device: device.value,
    short_side: size.value ? Number(size.value) : null,
    variant: variant.value === "auto" ? "auto" : Number(variant.value),
    saturation: saturation.read(),
    stillness: stillness.read(),
    quality: asked.quality,
    recolor: recolor.checked,
    fast: fast.checked,
  });
  const takesReferences = () => usable.find((each) => each.path === checkpoint.value)?.references !== false;
  return { element, read, takesReferences };
}

export const field = (title, control) => h("label", { class: "field" }, h("span", {}, title), control);

/** Return `{ element, read() }` of a number that is drawn along a line. */
export function slider(name, title, value, low, high, step, onchange) {
  const shown = h("span", { class: "value", "aria-hidden": "true" }, Number(value).toFixed(2));
  const control = h("input", {
    type: "range", name, min: low, max: high, step, value,
    oninput: () => (shown.textContent = Number(control.value).toFixed(2)),
    onchange,
  });
  control.value = value;
  return { element: h("label", { class: "field" }, h("span", {}, title, shown), control), read: () => Number(control.value), control };
}
