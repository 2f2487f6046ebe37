// The frame of the page: tabs, addresses, light and dark.

import { h, fill, notice } from "./dom.js";
import { classifyTab } from "./classify.js";
import { colourTab } from "./colour.js";
import { paintTab } from "./paint/tab.js";
import { runsTab } from "./runs.js";
import { screenTab } from "./screen.js";
import { shotsTab } from "./shots.js";

const TABS = [
  ["colour", "Colour", colourTab],
  ["paint", "Paint", paintTab],
  ["shots", "Shots", shotsTab],
  ["classify", "Classify", classifyTab],
  ["screen", "Screen", screenTab],
  ["runs", "Runs", runsTab],
];
const tabs = document.getElementById("tabs");
const panel = document.getElementById("panel");
let leave = () => {};
const JOB_TABS = ["colour", "paint", "shots"];
let job = ""; // the one last looked at: Colour, Paint and Shots show the same

/** Show what the address says: `#tab` or `#tab/what`. */
function show() {
  const [name, what = ""] = decodeURIComponent(location.hash.slice(1)).split(/\/(.*)/s);
  const [id, title, tab] = TABS.find(([each]) => each === name) ?? TABS[0];
  const jobTab = JOB_TABS.includes(id);
  if (jobTab && what) job = what === "new" ? "" : what.split("/")[0];
  for (const each of tabs.children) {
    const chosen = each.id === `tab-${id}`;
    each.setAttribute("aria-selected", chosen);
    each.tabIndex = chosen ? 0 : -1;
  }
  leave();
  document.title = `${title} – tooncolor`;
  panel.setAttribute("aria-labelledby", `tab-${id}`);
  fill(panel);
  leave = tab(panel, what === "new" ? "" : what || (jobTab ? job : "")) ?? (() => {});
}

/** What the address means is gone: show the list that it was in, and say so. */
addEventListener("gone", (event) => {
  const [name] = location.hash.slice(1).split("/");
  job = "";
  notice(event.detail, { bad: true });
  history.replaceState(null, "", `#${JOB_TABS.includes(name) ? "colour" : name || "colour"}`);
  show();
});

function makeTabs() {
  for (const [id, title] of TABS) {
    const go = () => (location.hash = id);
    tabs.append(h("button", { role: "tab", id: `tab-${id}`, "aria-controls": "panel", type: "button", onclick: go }, title));
  }
  tabs.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const all = [...tabs.children];
    const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
    next.focus();
    next.click();
    event.preventDefault();
  });
}

function makeTheme() {
  const button = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = localStorage.getItem("theme");
  const apply = () => {
    const theme = chosen ?? (dark.matches ? "dark" : "light");
    document.documentElement.dataset.theme = theme;
    button.textContent = theme === "dark" ? "☀ Light" : "☾ Dark";
  };
  button.addEventListener("click", () => {
    chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    localStorage.setItem("theme", chosen);
    apply();
  });
  dark.addEventListener("change", apply);
  apply();
}

// A file that misses a drop zone must not replace the page.
for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
makeTheme();
makeTabs();
addEventListener("hashchange", show);
show();
