// The settings of a job as a form.

import { about, get } from "./api.js";
import { fill, h } from "./dom.js";

// What is to be known beside a control.
export const HINTS = { saturation: "Frames that you gave in colour keep the colours that they were given." };

/** Return `{ element, read() }` for what a job asks for. */
export async function settingsForm(asked, onModel = () => {}) {
  const [{ devices, settings }, weights] = await Promise.all([about(), get("/api/weights")]);
  const usable = weights.filter((each) => each.purpose !== "classify");
  const checkpoint = h("select", { name: "checkpoint", onchange: () => { offer(); onModel(); } },
    usable.map((each) => h("option", { value: each.path }, (each.title.startsWith(each.path) ? each.title : `${each.title} — ${each.path}`))));
  const chosen = () => usable.find((each) => each.path === checkpoint.value);
  checkpoint.value = asked.checkpoint || usable[0]?.path || "";
  const controls = settings.map((each) => ({ ...each, ...CONTROLS[each.kind](each, asked[each.name]) }));
  const offer = () => controls.forEach((each) => each.offer?.(chosen()?.outputs ?? null));
  offer();
  const of = (...kinds) => controls.filter((each) => kinds.includes(each.kind)).map((each) => each.element);
  const device = h("select", { name: "device" }, devices.map((each) => h("option", { value: each }, each)));
  device.value = asked.device || devices[0];
  const element = h("form", { onsubmit: (event) => event.preventDefault() },
    usable.length ? null : h("p", {}, h("span", { class: "badge bad" }, "no model"), " None lies in the page's folders. ", h("code", {}, "colorize-train"), " makes one; ", h("code", {}, "make demo"), " leaves one in demo/."),
    h("fieldset", {},
      field("Model", checkpoint),
      h("div", { class: "fields" }, of("number", "choice")),
      h("div", { class: "fields" }, of("slider")),
      h("div", { class: "fields" }, of("check"), devices.length > 1 ? field("Device", device) : null)));
  const read = () => ({
    ...asked, // what has no control stays as it is
    ...Object.fromEntries(controls.map((each) => [each.name, each.read()])),
    checkpoint: checkpoint.value,
    device: device.value,
  });
  const takesReferences = () => chosen()?.references !== false;
  return { element, read, takesReferences };
}

// A control, `{ element, read() }`, for each kind of setting that the server describes.
const CONTROLS = {
  number({ name, label, low, high, step, empty, default: unset }, value) {
    const control = h("input", { type: "number", name, min: low, max: high, step, placeholder: empty, value: value ?? "" });
    return { element: field(label, control), read: () => (control.value ? Number(control.value) : unset) };
  },
  choice({ name, label, choices, numbered }, value) {
    let known = [];
    let wanted = String(value);
    const control = h("select", { name, onchange: () => (wanted = control.value) });
    /** Offer as many numbers as the model has colourings; null: as many as that is not known. */
    const offer = (outputs) => {
      const count = numbered ? outputs ?? Math.max(4, Number(wanted) + 1 || 0) : 0;
      known = [...Object.entries(choices), ...Array.from({ length: count }, (_, n) => [n, numbered.replace("{}", n)])];
      fill(control, known.map(([each, words]) => h("option", { value: String(each) }, words)));
      control.value = known.some(([each]) => String(each) === wanted) ? wanted : String(known[0][0]);
    };
    offer(null);
    return { element: field(label, control), offer, read: () => known[control.selectedIndex][0] };
  },
  slider({ name, label, low, high, step }, value) {
    const made = slider(name, label, value, low, high, step);
    const hint = HINTS[name];
    return { ...made, element: hint ? h("div", {}, made.element, h("small", {}, hint)) : made.element };
  },
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
