// Tools and views of the Paint tab, by button and by key.

import { h } from "../dom.js";

export const TOOLS = [
  ["fill", "Fill", "F", "fill a region that lines close; [ and ] for smaller or larger ones"],
  ["brush", "Brush", "B", "dots and strokes; [ and ] for a thinner or thicker one"],
  ["erase", "Erase", "E", "take paint away by the brush; with Alt a whole region"],
  ["pick", "Pick", "I", "take the colour that is shown there"],
];
export const VIEWS = [
  ["result", "Result", "1", "what the film will look like"],
  ["painted", "Painted only", "2", "what you have painted, and nothing else"],
  ["unsure", "Unsure", "3", "where a click helps most: orange is unsure"],
  ["gray", "Gray", "4", "the frame as it is"],
];

/** Return `{ element, show(chosen) }` of buttons of which one is chosen. */
export function choices(name, all, choose) {
  const buttons = all.map(([value, words, key, title]) => h("button", {
    type: "button", role: "radio", "data-value": value, title: `${title} (${key})`, "aria-keyshortcuts": key, onclick: () => choose(value),
  }, words));
  const element = h("div", { class: "segmented", role: "radiogroup", "aria-label": name }, buttons);
  return {
    element,
    show(chosen) {
      for (const button of buttons) {
        button.setAttribute("aria-checked", String(button.dataset.value === chosen));
        button.tabIndex = button.dataset.value === chosen ? 0 : -1;
      }
    },
  };
}

/** Listen to keys that are nobody else's; `keys` maps them to actions. */
export function listenToKeys(element, keys) {
  const listen = (event) => {
    const target = event.target;
    if (target.matches?.("input:not([type=range]), select, textarea, dialog *")) return;
    const control = event.ctrlKey || event.metaKey;
    const name = (control ? "Ctrl+" : "") + (event.shiftKey && control ? "Shift+" : "") + (event.key.length === 1 ? event.key.toUpperCase() : event.key);
    const action = keys[name];
    if (!action || (event.altKey && !control)) return;
    action();
    event.preventDefault();
  };
  addEventListener("keydown", listen);
  return () => removeEventListener("keydown", listen);
}
