// Choose a folder or a file below the folders that the server has opened.

import { get } from "./api.js";
import { careful, fill, h } from "./dom.js";

/** Ask for a path; resolves to it, or to null. `files` offers files too, `fresh` a new folder. */
export function pick({ title, files = false, fresh = false }) {
  return new Promise((resolve) => {
    const body = h("div");
    const dialog = h("dialog", { "aria-label": title, onclose: () => { dialog.remove(); resolve(dialog.returnValue || null); } }, h("h2", {}, title), body);
    const open = careful(async (path) => {
      const found = await get(`/api/folders?path=${encodeURIComponent(path)}`);
      fill(body, listing(found, { open, files, fresh, choose: (value) => dialog.close(value) }));
      body.querySelector("button")?.focus();
    });
    document.body.append(dialog);
    dialog.showModal();
    open("");
  });
}

function listing(found, { open, files, fresh, choose }) {
  const below = (name) => (found.path ? `${found.path}/${name}` : name);
  const up = found.path.split("/").slice(0, -1).join("/");
  const entry = (mark, text, action) => h("li", {}, h("button", { type: "button", onclick: action }, `${mark} ${text}`));
  const name = h("input", { type: "text", "aria-label": "name of a new folder", placeholder: "new folder" });
  return [
    h("p", { class: "faint" }, found.path || "the page's folders"),
    h("ul", { class: "entries" },
      found.path ? entry("↰", "up", () => open(up)) : null,
      found.folders.map((each) => entry("▸", each, () => open(below(each)))),
      files ? found.files.map((each) => entry("·", each, () => choose(below(each)))) : null,
      found.folders.length + found.files.length === 0 ? h("li", { class: "empty" }, "nothing here") : null,
    ),
    found.more ? h("p", { class: "faint" }, "There is more in this folder than is listed.") : null,
    files ? null : h("p", { class: "faint" }, found.files.length ? `${found.files.length} pictures or films in this folder` : ""),
    fresh && found.path ? h("div", { class: "row" }, h("div", { class: "grow" }, name), h("button", { type: "button", onclick: () => name.value && choose(below(name.value)) }, "Use new folder")) : null,
    h("div", { class: "row", style: { "margin-top": "0.8rem", "justify-content": "end" } },
      h("button", { type: "button", class: "quiet", onclick: () => choose("") }, "Cancel"),
      found.path ? h("button", { type: "button", class: "first", onclick: () => choose(found.path) }, "Choose this folder") : null,
    ),
  ];
}
