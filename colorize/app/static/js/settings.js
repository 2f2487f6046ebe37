// The settings of a job as a form.

import { about, get } from "./api.js";
import { h } from "./dom.js";

/** Return `{ element, read() }` for what a job asks for. */
export async function settingsForm(asked, outputs, onWeights = () => {}) {
  const [{ devices, settings }, weights] = await Promise.all([about(), get("/api/weights")]);
  const usable = weights.filter((each) => each.purpose !== "classify");
  const checkpoint = h("select", { name: "checkpoint", onchange: () => onWeights() },
    usable.map((each) => h("option", { value: each.path }, (each.title.startsWith(each.path) ? each.title : `${each.title} — ${each.path}`))));
  checkpoint.value = asked.checkpoint || usable[0]?.path || "";
  const controls = settings.map((each) => ({ ...each, ...CONTROLS[each.kind](each, asked[each.name], outputs) }));
  const of = (...kinds) => controls.filter((each) => kinds.includes(each.kind)).map((each) => each.element);
  const device = h("select", { name: "device" }, devices.map((each) => h("option", { value: each }, each)));
  device.value = asked.device || devices[0];
  const element = h("form", { onsubmit: (event) => event.preventDefault() },
    usable.length ? null : h("p", {}, h("span", { class: "badge bad" }, "no weights"), " None lie in the page's folders. ", h("code", {}, "colorize-train"), " makes them; ", h("code", {}, "make demo"), " leaves some in demo/."),
    h("fieldset", {},
      field("Weights", checkpoint),
      h("div", { class: "fields" }, of("number", "choice")),
      h("div", { class: "fields" }, of("slider")),
      h("div", { class: "fields" }, of("check"), devices.length > 1 ? field("Device", device) : null)));
  const read = () => ({
    ...asked, // what has no control stays as it is
    ...Object.fromEntries(controls.map((each) => [each.name, each.read()])),
    checkpoint: checkpoint.value,
    device: device.value,
  });
  const takesReferences = () => usable.find((each) => each.path === checkpoint.value)?.references !== false;
  return { element, read, takesReferences };
}

// A control, `{ element, read() }`, for each kind of setting that the server describes.
const CONTROLS = {
  number({ name, label, low, high, step, empty, default: unset }, value) {
    const control = h("input", { type: "number", name, min: low, max: high, step, placeholder: empty, value: value ?? "" });
    return { element: field(label, control), read: () => (control.value ? Number(control.value) : unset) };
  },
  choice({ name, label, choices, numbered }, value, outputs) {
    const numbers = numbered ? Array.from({ length: Math.max(outputs ?? 4, Number(value) + 1 || 0) }, (_, n) => [n, numbered.replace("{}", n)]) : [];
    const known = [...Object.entries(choices), ...numbers];
    const control = h("select", { name }, known.map(([each, words]) => h("option", { value: String(each) }, words)));
    control.value = String(value);
    return { element: field(label, control), read: () => known[control.selectedIndex][0] };
  },
  slider: ({ name, label, low, high, step }, value) => slider(name, label, value, low, high, step),
  check({ name, label }, value) {
    const control = h("input", { type: "checkbox", name });
    control.checked = value;
    return { element: h("label", { class: "check" }, control, label), read: () => control.checked };
  },
};

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
