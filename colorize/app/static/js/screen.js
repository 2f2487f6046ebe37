// The Screen tab: settings, recognition with its log and counters, and what was kept and rejected.

import { get, post, watch } from "./api.js";
import { careful, fill, h, notice, plural } from "./dom.js";
import { pick } from "./picker.js";
import { progressView } from "./progress.js";
import { field, slider } from "./settings.js";

/** Show the tab in `panel`; returns what ends it. */
export function screenTab(panel) {
  const form = h("div", { class: "card stack" });
  const work = h("div", { class: "stack" });
  panel.append(h("div", { class: "two wide" }, form, work));
  let stop = () => {};
  careful(async () => {
    const [settings, weights] = await Promise.all([get("/api/screening/settings"), get("/api/weights")]);
    const view = workView(work, (end) => (stop = end));
    settingsCard(form, settings, weights.filter((each) => each.purpose !== "colour"), view.start);
    if (settings.keep) view.open(settings.keep);
  })();
  return () => stop();
}

function settingsCard(card, saved, weights, start) {
  const checkpoint = h("select", { name: "checkpoint", onchange: () => targets() }, weights.map((each) => h("option", { value: each.path }, each.title)));
  if (weights.some((each) => each.path === saved.checkpoint)) checkpoint.value = saved.checkpoint;
  const target = h("select", { name: "target" });
  const targets = () => {
    const chosen = weights.find((each) => each.path === checkpoint.value);
    fill(target, (chosen?.classes ?? []).map((name) => h("option", { value: name }, name)));
    target.value = [saved.target, chosen?.target].find((name) => chosen?.classes.includes(name)) ?? chosen?.classes[0] ?? "";
  };
  targets();
  const threshold = slider("threshold", "Keep from probability", saved.threshold ?? 0.95, 0, 1, 0.01);
  const folder = place("Folder to look through", "folder", saved.folder);
  const keep = place("Kept pictures go to", "keep", saved.keep, true);
  const rejected = place("Rejected ones go to", "rejected", saved.rejected, true, "they stay where they are");
  const move = h("input", { type: "radio", name: "move", value: "move" });
  const copy = h("input", { type: "radio", name: "move", value: "copy" });
  (saved.move ? move : copy).checked = true;
  const read = () => ({
    checkpoint: checkpoint.value, folder: folder.read(), keep: keep.read(), rejected: rejected.read(), target: target.value,
    threshold: threshold.read(), move: move.checked,
  });
  fill(card, h("h2", {}, "Settings"),
    weights.length ? null : h("p", {}, h("span", { class: "badge bad" }, "no classifier"), " None lies in the page's folders."),
    field("Classifier", checkpoint), field("Looking for", target), threshold.element, folder.element, keep.element, rejected.element,
    h("div", { class: "row", role: "radiogroup", "aria-label": "copy or move" },
      h("label", { class: "check" }, copy, "Copy"), h("label", { class: "check" }, move, "Move, which can be undone")),
    h("button", { type: "button", class: "first", disabled: !weights.length, onclick: () => start(read()) }, "Start"),
    h("small", {}, "These settings are remembered. Nothing is ever deleted or overwritten."));
}

/** A folder of the server: typed, or chosen. */
function place(title, name, value, fresh = false, empty = "") {
  const input = h("input", { type: "text", name, value: value ?? "", placeholder: empty || "folder/below/it", spellcheck: "false" });
  const browse = careful(async () => {
    const path = await pick({ title, fresh });
    if (path) input.value = path;
  });
  const element = h("div", { class: "row" }, h("div", { class: "grow" }, field(title, input)), h("button", { type: "button", class: "icon", style: { "align-self": "end" }, "aria-label": `choose: ${title}`, onclick: browse }, "…"));
  return { element, read: () => input.value.trim() };
}

function workView(main, onStop) {
  const counters = h("dl", { class: "counters" });
  const [progress, showProgress] = progressView();
  const log = h("pre", { class: "log", role: "log", "aria-label": "what was decided", tabindex: 0 });
  const actions = h("div", { class: "row" });
  const sides = h("div", { class: "sides" });
  const box = h("div", { class: "card stack" }, counters, progress, log, actions);
  let shown = null; // the screening in the galleries
  const tally = (counts) => fill(counters, ["kept", "rejected", "unreadable"].map((word) => h("div", { "data-count": word }, h("dt", {}, word), h("dd", {}, counts[word]))),
    h("div", { "data-count": "all" }, h("dt", {}, "looked at"), h("dd", {}, counts.kept + counts.rejected + counts.unreadable)));

  const open = careful(async (keep) => {
    try {
      shown = await get(`/api/screening?keep=${encodeURIComponent(keep)}`);
    } catch {
      return empty();
    }
    tally(shown.counts);
    log.hidden = log.textContent === "";
    fill(actions, h("button", { type: "button", "data-test": "undo", onclick: undo }, "Undo this screening"),
      h("span", { class: "faint" }, `${shown.target} from ${shown.threshold} on, ${shown.move ? "moved" : "copied"}; a click on a picture corrects it`));
    return gallery();
  });
  const empty = () => {
    shown = null;
    tally({ kept: 0, rejected: 0, unreadable: 0 });
    fill(actions, h("span", { class: "faint" }, "Choose a folder at the left and start."));
    fill(sides);
    log.hidden = log.textContent === "";
  };
  const undo = careful(async () => {
    const { undone } = await post("/api/screening/undo", { keep: shown.keep });
    notice(`${plural(undone, "picture")} put back as they were.`);
    log.textContent = "";
    empty();
  });
  const correct = careful(async (file, verdict) => {
    shown = await post("/api/screening/correct", { keep: shown.keep, file, verdict });
    tally(shown.counts);
    gallery();
    notice(`${file} is ${verdict} now.`);
  });
  const gallery = () => fill(sides, ["kept", "rejected"].map((verdict) => side(shown, verdict, correct)));

  const start = careful(async (settings) => {
    const there = await get(`/api/screening?keep=${encodeURIComponent(settings.keep)}`).catch(() => null);
    const other = there && (there.threshold !== settings.threshold || there.target !== settings.target || there.move !== settings.move || there.folder !== settings.folder);
    if (other && !confirm(`A screening for ${there.target} from ${there.threshold} on lies there. Undo it and start anew?`)) return;
    const ticket = await post("/api/screening/start", { ...settings, anew: Boolean(other) });
    follow(ticket.id, settings.keep);
  });

  function follow(id, keep) {
    log.textContent = "";
    log.hidden = false;
    fill(sides);
    const counts = { kept: 0, rejected: 0, unreadable: 0 };
    let said = 0;
    fill(actions, h("button", { type: "button", onclick: careful(() => post(`/api/tickets/${id}/stop`)) }, "Stop"));
    onStop(watch(async () => {
      const ticket = await get(`/api/tickets/${id}?since=${said}`);
      said = ticket.said;
      for (const line of ticket.lines) {
        log.append(`${line}\n`);
        const word = line.split(" ")[0];
        if (word in counts) counts[word] += 1;
      }
      log.scrollTop = log.scrollHeight;
      tally(counts);
      showProgress(ticket);
      if (["waiting", "running"].includes(ticket.state)) return true;
      if (ticket.state === "failed") notice(ticket.message, { bad: true });
      await open(keep);
      return false;
    }, { every: 300, lost: () => open(keep) }));
  }
  fill(main, box, sides);
  empty();
  return { start, open };
}

function side(screening, verdict, correct) {
  const other = verdict === "kept" ? "rejected" : "kept";
  const pictures = screening.decisions.filter((each) => each.verdict === verdict);
  const sorted = pictures.sort((a, b) => b.probability - a.probability);
  return h("section", { class: "card", "data-side": verdict, "aria-label": verdict },
    h("h2", {}, `${verdict === "kept" ? "Kept" : "Rejected"} `, h("span", { class: "faint" }, pictures.length)),
    pictures.length ? null : h("p", { class: "faint" }, "none"),
    h("ul", { class: "thumbs gallery" }, sorted.map((each) => h("li", {},
      h("button", { type: "button", title: `${each.file}: click to make it ${other}`, "data-file": each.file, onclick: () => correct(each.file, other) },
        h("img", { src: `/api/screening/${each.number}.jpg?keep=${encodeURIComponent(screening.keep)}&v=${encodeURIComponent(each.file)}`, alt: each.file, loading: "lazy" }),
        h("span", { class: "figure" }, h("span", {}, each.file), h("b", {}, each.probability.toFixed(3)), each.corrected ? h("span", { class: "badge hand" }, "by hand") : null))))));
}
