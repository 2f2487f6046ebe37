// A place to drop files and folders on, or to choose them from.

import { h } from "./dom.js";

/** Return a drop zone; `take` gets the files, those of dropped folders too.
 *
 * Until what it returns has come to an end, the zone says that something is being done. */
export function dropZone({ title, hint, accept, take, large = false, multiple = true, extra = [] }) {
  const input = h("input", {
    type: "file", multiple, accept: accept.join(","), hidden: true,
    onchange: () => {
      taking([...input.files]);
      input.value = "";
    },
  });
  const head = h("strong", {}, title);
  const taking = async (files) => {
    if (files.length) head.textContent = "One moment …";
    await take(files);
    head.textContent = title;
  };
  const zone = h(
    "div", { class: `drop${large ? " large" : ""}`, role: "group", "aria-label": title },
    head,
    h("span", { class: "faint" }, hint),
    h("div", { class: "row" }, h("button", { type: "button", onclick: () => input.click() }, multiple ? "Choose files…" : "Choose a file…"), extra),
    input,
  );
  const over = (on) => (event) => {
    event.preventDefault();
    zone.classList.toggle("over", on);
  };
  zone.addEventListener("dragover", over(true));
  zone.addEventListener("dragleave", over(false));
  zone.addEventListener("drop", async (event) => {
    over(false)(event);
    event.stopPropagation();
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const files = entries.length ? (await Promise.all(entries.map(filesOf))).flat() : [...event.dataTransfer.files];
    taking(files.filter((file) => !file.name.startsWith(".")));
  });
  return zone;
}

async function filesOf(entry) {
  if (entry.isFile) return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  const reader = entry.createReader();
  const files = [];
  for (;;) { // a reader gives some hundred entries at a time, and none at the end
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return files;
    for (const each of some) if (each.isFile) files.push(...(await filesOf(each)));
  }
}
