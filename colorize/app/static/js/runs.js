// The Runs tab: recorded experiments, and the curves of runs side by side.

import { get } from "./api.js";
import { chart } from "./chart.js";
import { careful, complain, fill, h } from "./dom.js";
import { markdown } from "./markdown.js";

const picture = (path) => `/api/runs/picture?path=${encodeURIComponent(path)}`;

/** Show the tab in `panel`. */
export function runsTab(panel, path) {
  const list = h("div", { class: "card" });
  const main = h("div", { class: "stack" });
  panel.append(h("div", { class: "two wide" }, list, main));
  careful(async () => {
    const runs = await get("/api/runs");
    if (!runs.length) {
      fill(list, h("h2", {}, "Runs"));
      fill(main, h("div", { class: "card empty" }, "No run and no experiment lies in the page's folders. Start it as ", h("code", {}, "colorize-app runs/ experiments/"), "."));
      return;
    }
    const chosen = new Set(path ? path.split("+") : [(runs.find((run) => run.readme) ?? runs[0]).path]);
    const show = careful(async () => {
      // The answer can come when another tab is already asked for.
      if (location.hash.startsWith("#runs")) {
        history.replaceState(null, "", `#runs/${encodeURIComponent([...chosen].join("+"))}`);
      }
      const known = [...chosen];
      const answers = await Promise.allSettled(known.map((each) => get(`/api/runs/one?path=${encodeURIComponent(each)}`)));
      for (const [n, { reason }] of answers.entries()) {
        if (!reason) continue;
        complain(reason.message);
        chosen.delete(known[n]); // the others can be shown all the same
      }
      const records = answers.filter((each) => each.value).map((each) => each.value);
      fill(main, records.length ? page(records) : h("div", { class: "card empty" }, "Tick one run, or several to compare their curves."));
    });
    fill(list, h("h2", {}, "Runs and experiments"), h("p", { class: "faint" }, "Tick several to compare."), h("ul", { class: "list" }, runs.map((run) => entry(run, chosen, show))));
    await show();
  })();
}

function entry(run, chosen, show) {
  const box = h("input", { type: "checkbox", onchange: () => {
    if (box.checked) chosen.add(run.path);
    else chosen.delete(run.path);
    show();
  } });
  box.checked = chosen.has(run.path);
  const kinds = [run.history ? "curves" : "", run.results ? "table" : ""].filter(Boolean).join(", ");
  return h("li", {}, h("label", {}, box, h("span", { class: "name", title: run.path }, run.title), h("small", {}, kinds)));
}

function page(records) {
  const parts = [];
  const curves = records.filter((record) => record.history);
  if (curves.length) parts.push(h("div", { class: "charts" }, charts(curves)), finals(curves));
  for (const record of records) {
    parts.push(h("article", { class: "card prose" },
      record.readme ? markdown(record.readme, (source) => shownPicture(record, source)) : h("h2", {}, record.path),
      record.readme ? null : record.tables.map(resultTable),
      record.readme ? null : record.pictures.map((name) => h("p", {}, h("img", { src: picture(`${record.path}/${name}`), alt: name, loading: "lazy" })))));
  }
  return parts;
}

/** Pictures of a record lie below it; nothing else is fetched. */
function shownPicture(record, source) {
  return /^[\w][\w./-]*\.(png|jpg)$/.test(source) ? picture(`${record.path}/${source}`) : null;
}

/** Return the values of a run by panel: training losses, and each validation score. */
function panels(records) {
  const found = new Map();
  for (const record of records) {
    const { history } = record;
    for (const [column, y] of Object.entries(history)) {
      const [kind, metric, ...rest] = column.split("/");
      if (!["train", "val"].includes(kind) || y.every((value) => value === null)) continue;
      const title = kind === "train" ? "training loss" : metric;
      const name = kind === "train" ? [metric, ...rest].join("/") : rest.join("/") || "validation";
      const run = records.length > 1 ? `${record.path.split("/").slice(1).join("/")} ${name}` : name;
      if (!found.has(title)) found.set(title, []);
      found.get(title).push({ name: run, x: history.epoch ?? y.map((_, n) => n + 1), y, dashed: name === "gray" });
    }
  }
  return found;
}

function charts(records) {
  return [...panels(records)].map(([title, curves]) => chart(title, curves.slice(0, 24)));
}

function finals(records) {
  const columns = [...new Set(records.flatMap((record) => Object.keys(record.history).filter((name) => name.startsWith("val/"))))];
  const last = (values) => values?.filter((value) => value !== null).at(-1);
  if (!columns.length) return null;
  return h("section", { class: "card scroll" }, h("h2", {}, "After the last epoch"), h("table", {},
    h("thead", {}, h("tr", {}, h("th", {}, "run"), columns.map((name) => h("th", {}, name.slice(4))))),
    h("tbody", {}, records.map((record) => h("tr", {}, h("td", {}, record.path), columns.map((name) => h("td", {}, last(record.history[name])?.toPrecision(4) ?? "–")))))));
}

function resultTable(table) {
  const rows = Object.entries(table.rows);
  const sum = (row) => row.reduce((total, value) => total + (Number(value) || 0), 0) || 1;
  return h("div", { class: "scroll" }, table.title ? h("h3", {}, table.title) : null, h("table", {},
    h("thead", {}, h("tr", {}, h("th", {}, table.heat ? "true ↓ predicted →" : ""), table.columns.map((name) => h("th", {}, name)))),
    h("tbody", {}, rows.map(([name, row]) => h("tr", {}, h("td", {}, name), row.map((value) => (
      table.heat ? h("td", { class: "heat", style: { "--share": value / sum(row) } }, value) : h("td", {}, value))))))));
}
