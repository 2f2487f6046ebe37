// The Paint tab: choose a frame, paint it, see it at once in colour, play its shot, give it to the film.

import { get, post, remove, watch } from "../api.js";
import { careful, complain, fill, h, notice, plural } from "../dom.js";
import { progressView } from "../progress.js";
import { canvasView } from "./canvas.js";
import { tableOf } from "./colour.js";
import { overview, PaintedFrame } from "./frame.js";
import { offersView } from "./offers.js";
import { paletteView } from "./palette.js";
import { shotView } from "./shot.js";
import { showStrip } from "./strip.js";
import { choices, listenToKeys, TOOLS, VIEWS } from "./tools.js";

const IDLE = 2500; // milliseconds between looks at what nobody works on: another tab may change it

/** Show the tab in `panel`; returns what ends it. */
export function paintTab(panel, what) {
  const main = h("div", { class: "stack" });
  panel.append(main);
  const [id, number] = what.split("/");
  if (!id) {
    careful(choose)(main);
    return undefined;
  }
  return paintView(main, id, number === undefined ? null : Number(number));
}

async function choose(main) {
  const jobs = await get("/api/jobs");
  fill(main, h("div", { class: "card" }, h("h2", {}, "Paint frames of which film?"),
    jobs.length
      ? h("ul", { class: "list" }, jobs.map((job) => h("li", {}, h("a", { href: `#paint/${job.id}` }, h("span", { class: "name" }, job.title), h("span", { class: "badge" }, job.state)))))
      : h("p", { class: "empty" }, "None yet: drop one in ", h("a", { href: "#colour/new" }, "Colour"), ".")));
}

function paintView(main, id, first) {
  let info = null;
  let frame = null; // what is painted: see PaintedFrame
  let shown = "";
  let failed = ""; // the ticket whose failure was told
  let [tool, view, radius, level] = ["fill", "result", 6, null];
  let looking = null; // another frame of the shot, and its draft
  let last = null; // where the pointer was
  let under = -1; // the region under it that is marked
  const tables = new Map();

  const [progress, showProgress] = progressView();
  const count = h("input", { type: "number", min: 1, max: 48, value: 8, "aria-label": "how many frames", class: "count" });
  const suggest = h("button", { type: "button", "data-test": "suggest", onclick: careful(async () => { await post(`/api/jobs/${id}/paint/suggest`, { count: Number(count.value) || 8 }); again(); }) }, "Suggest frames");
  const accept = h("button", { type: "button", class: "first", "data-test": "accept", title: "its shot, and all that show the same, follow it (A)", onclick: careful(give) }, "Give it to the film");
  const render = h("button", { type: "button", "data-test": "colour-film", onclick: careful(colour) }, "Colour the film");
  const title = h("h2", {}, "…");
  const head = h("div", { class: "row between" }, title, h("div", { class: "row" }, accept, render));
  const list = h("ul", { class: "frames", "aria-label": "frames to paint" });
  const number = h("input", { type: "number", min: 0, placeholder: "no.", "aria-label": "number of another frame", class: "count" });
  const go = h("form", { class: "asking", onsubmit: (event) => { event.preventDefault(); if (number.value !== "") open(Number(number.value)); } }, h("button", { type: "submit" }, "Paint frame"), number);
  const toolbar = choices("tool", TOOLS, (value) => setTool(value));
  const views = choices("what is shown", VIEWS, (value) => setView(value));
  const size = h("output", { class: "faint", "data-test": "size" });
  const smaller = h("button", { type: "button", class: "icon", "aria-label": "smaller", title: "smaller ([)", onclick: () => resize(-1) }, "−");
  const larger = h("button", { type: "button", class: "icon", "aria-label": "larger", title: "larger (])", onclick: () => resize(1) }, "+");
  const undo = h("button", { type: "button", class: "icon", "aria-label": "undo", title: "undo (Ctrl+Z)", "data-test": "undo", onclick: () => step("undo") }, "↶");
  const redo = h("button", { type: "button", class: "icon", "aria-label": "redo", title: "redo (Ctrl+Shift+Z)", "data-test": "redo", onclick: () => step("redo") }, "↷");
  const clear = h("button", { type: "button", class: "quiet", onclick: careful(wipe) }, "Clear");
  const easel = canvasView({ act });
  const said = h("output", { class: "faint", "data-test": "said" });
  const palette = paletteView(id, { changed: (answer) => takePalette(answer), pictures });
  const offers = offersView(id, { accept: takeOffers, mark });
  const shot = shotView(id, { look, open: (at) => open(at), rate: () => info.rate });
  const work = h("div", { class: "card stack work" },
    h("div", { class: "row between" }, h("div", { class: "row" }, toolbar.element, smaller, size, larger, undo, redo, clear), views.element),
    easel.element, h("div", { class: "row between" }, said, offers.element), shot.element);
  const start = h("div", { class: "card empty", "data-test": "start" });
  const right = h("div", { class: "stack" }, palette.element, h("div", { class: "card stack" }, h("a", { class: "button quiet", href: `/api/jobs/${id}/paint/hints.zip`, download: "" }, "Save all paint (PNG)"), h("small", { class: "faint" }, "transparent pictures named after their frames: ", h("code", {}, "colorize --hints"), " takes them"),
    h("a", { class: "button quiet", href: `/api/jobs/${id}/paint/series.json`, download: "" }, "Save named colours"), h("small", { class: "faint" }, "for the next episode: ", h("code", {}, "colorize --palette series.json"))));
  const side = h("aside", { class: "card stack" }, h("div", { class: "asking" }, suggest, count), progress, list, go);
  fill(main, head, h("div", { class: "studio" }, side, h("div", { class: "stack" }, start, work), right));
  work.hidden = right.hidden = true;

  async function watchJob() {
    const found = await overview(id);
    const asked = found.suggesting;
    const active = asked && ["waiting", "running"].includes(asked.state);
    showProgress(active ? asked : null);
    if (asked?.state === "failed" && asked.id !== failed) complain(asked.message);
    if (asked?.state === "failed") failed = asked.id;
    const content = JSON.stringify({ ...found, suggesting: asked?.state });
    if (content !== shown) {
      shown = content;
      update(found, active);
    }
    return active ? 400 : IDLE;
  }
  function update(found, active = false) {
    info = found;
    title.textContent = `${info.title}: paint`;
    palette.show(info);
    tables.clear();
    showStrip(list, id, info, frame?.number ?? null, (at) => open(at));
    const ready = info.shots.length > 0;
    suggest.disabled = info.active;
    go.hidden = !ready;
    accept.disabled = info.active || !frame || frame.layer.empty;
    const given = info.painted.filter((each) => each.accepted).length;
    render.disabled = info.active || !info.shots.length;
    render.textContent = given ? `Colour the film by ${plural(given, "frame")}` : "Colour the film";
    number.max = (info.frames ?? 1) - 1;
    if (!frame) {
      start.hidden = false;
      fill(start, active ? "Looking through the film …" : ready
        ? "Choose a frame on the left."
        : [h("p", {}, "Which frames are worth painting? Those whose colours serve most of the film."), h("button", { type: "button", class: "first", "data-test": "begin", onclick: () => suggest.click() }, "Look through the film and suggest frames")]);
      if (ready && first !== null) {
        const wanted = first;
        first = null;
        open(wanted);
      }
    }
    draw();
  }
  const open = careful(async (at) => {
    await frame?.close();
    shot.stop();
    looking = null;
    under = -1;
    const next = await new PaintedFrame(id, at, told).load();
    frame = next;
    history.replaceState(null, "", `#paint/${id}/${at}`);
    start.hidden = true;
    work.hidden = right.hidden = false;
    level = null;
    easel.size(frame.width, frame.height);
    shot.show(at, info.shots.find((each) => each.start <= at && at < each.stop) ?? { start: at, stop: at + 1 });
    offers.show(frame);
    said.textContent = "";
    showStrip(list, id, info, at, (another) => open(another));
    update(info);
    setTool(tool);
    setView(view);
  });

  function told(what) {
    if (what instanceof Error) {
      complain(what.message);
      if (what.status === 412) open(frame.number); // as it was left elsewhere
      return;
    }
    if (what === "saved") again();
    if (what === "regions") {
      offers.show(frame);
      tellSize();
    }
    if (what === "draft") said.textContent = `coloured in ${frame.seconds.toFixed(2)} s · unsure by ${(100 * frame.mean).toFixed(1)} %`;
    draw();
  }
  function takePalette(answer) {
    info = { ...info, palette: answer.palette, palette_version: answer.palette_version };
    tables.clear();
    palette.show(info);
    shot.changed();
    if (frame) frame.draft();
    again();
    draw();
  }

  // What is shown.
  const tableFor = (swatch) => {
    if (!tables.has(swatch)) tables.set(swatch, tableOf(info.palette.find((each) => each.id === swatch)?.color ?? "#808080"));
    return tables.get(swatch);
  };
  function draw() {
    if (!frame || !info) return;
    easel.draw((context) => {
      if (looking) {
        context.drawImage(looking.bitmap ?? looking.gray, 0, 0, frame.width, frame.height);
        return;
      }
      const { width, height, luma, layer } = frame;
      const under0 = view === "result" && frame.result ? frame.result : null;
      if (under0) context.drawImage(under0, 0, 0, width, height);
      const pixels = under0 ? context.getImageData(0, 0, width, height) : context.createImageData(width, height);
      const { data } = pixels;
      const withPaint = view !== "gray";
      for (let at = 0; at < luma.length; at += 1) {
        const swatch = withPaint ? layer.data[at] : 0;
        if (swatch) {
          const table = tableFor(swatch);
          const from = 3 * luma[at];
          data[4 * at] = table[from];
          data[4 * at + 1] = table[from + 1];
          data[4 * at + 2] = table[from + 2];
        } else if (!under0) data[4 * at] = data[4 * at + 1] = data[4 * at + 2] = luma[at];
        data[4 * at + 3] = 255;
      }
      context.putImageData(pixels, 0, 0);
      if (view === "unsure" && frame.unsure) context.drawImage(heat(frame.unsure), 0, 0, width, height);
    });
    undo.disabled = !frame.layer.done.length;
    redo.disabled = !frame.layer.undone.length;
    accept.disabled = info.active || frame.layer.empty;
  }
  function look(at, bitmap) {
    if (at === frame.number) looking = null;
    else {
      looking = { at, bitmap, gray: null };
      if (!bitmap) {
        const mine = looking;
        const image = new Image();
        image.onload = () => { mine.gray = image; if (looking === mine) draw(); };
        image.src = `/api/jobs/${id}/original/${at}.jpg?size=540`;
        return;
      }
    }
    mark(null);
    draw();
  }
  /** Mark pixels over the frame with a colour; null takes the marks away. */
  function mark(pixels, [red, green, blue] = [255, 255, 255], strength = 90) {
    easel.mark((over) => {
      if (!pixels?.length) return;
      const marks = over.createImageData(frame.width, frame.height);
      for (const at of pixels) marks.data.set([red, green, blue, strength], 4 * at);
      over.putImageData(marks, 0, 0);
    });
  }

  // What is done.
  const levelNow = () => level ?? frame.regions.usual;
  const inside = ([x, y]) => x >= 0 && y >= 0 && x < frame.width && y < frame.height;
  const indexOf = ([x, y]) => Math.floor(y) * frame.width + Math.floor(x);
  function act(what, place, event = {}) {
    if (!frame) return;
    if (what === "leave" || !inside(place)) {
      if (!frame.layer.stroke) {
        under = -1;
        mark(null);
        palette.here(null);
        if (what !== "up") return;
      }
    }
    if (looking) {
      if (what === "down") open(looking.at); // a wrong frame: paint it
      return;
    }
    const at = inside(place) ? indexOf(place) : -1;
    if (at >= 0) palette.here(frame.luma[at]);
    if (what === "hover") return hover(at, place);
    if (what === "down") {
      if (tool === "pick") return pick(at, place);
      const swatch = tool === "erase" ? 0 : palette.at();
      if (swatch === null) return notice("Choose a colour first: New, or take one from a picture.");
      frame.layer.begin();
      if (tool === "fill") {
        if (!frame.regions) return notice("The regions of this frame are still being found.");
        frame.layer.paint(frame.regions.pixels(at, levelNow()), swatch);
      } else frame.layer.line(place, place, radius, swatch);
      last = place;
      return draw();
    }
    if (!frame.layer.stroke) return undefined;
    if (what === "move" && tool !== "fill" && last) {
      frame.layer.line(place, last, radius, tool === "erase" ? 0 : palette.at());
      last = place;
      return draw();
    }
    if (what === "up") {
      last = null;
      if (frame.layer.end()) kept();
    }
    return undefined;
  }
  function kept() {
    shot.changed();
    offers.changed();
    frame.changed();
    draw();
  }
  function hover(at, place) {
    if (at < 0) return;
    if (tool === "fill" && frame.regions) {
      const label = frame.regions.label(at, levelNow());
      if (label === under) return;
      under = label;
      mark(frame.regions.pixels(at, levelNow()));
    } else if (tool === "brush" || tool === "erase") {
      easel.mark((over) => {
        over.strokeStyle = "#fff";
        over.lineWidth = 1;
        over.beginPath();
        over.arc(place[0], place[1], Math.max(1, radius), 0, 7);
        over.stroke();
      });
    }
  }
  const pick = careful(async (at, [x, y]) => {
    if (at < 0) return;
    const swatch = frame.layer.data[at];
    if (swatch && view !== "gray") palette.select(swatch);
    else await palette.take(easel.colourAt(Math.floor(x), Math.floor(y)));
    setTool("fill");
  });
  function step(which) {
    if (frame?.layer[which]()) kept();
  }
  function resize(by) {
    if (!frame) return;
    if (tool === "fill") {
      if (frame.regions) level = Math.min(frame.regions.levels.length - 1, Math.max(0, levelNow() + by));
      under = -1;
    } else radius = Math.min(80, Math.max(0, Math.round(by > 0 ? radius * 1.4 + 1 : (radius - 1) / 1.4)));
    tellSize();
  }
  function tellSize() {
    const many = frame?.regions?.levels.length;
    const fills = many ? `regions ${levelNow() + 1} of ${many}` : "regions …";
    size.textContent = tool === "fill" ? fills : tool === "pick" ? "" : `${2 * radius + 1} px`;
  }
  function setTool(value) {
    tool = value;
    toolbar.show(value);
    if (frame) mark(null);
    under = -1;
    tellSize();
  }
  function setView(value) {
    view = value;
    views.show(value);
    if (looking) shot.back();
    looking = null;
    draw();
  }
  async function wipe() {
    if (frame.layer.empty || !confirm(`Take all paint of frame ${frame.number} away, and out of the film?`)) return;
    await frame.close();
    await remove(`/api/jobs/${id}/paint/frames/${frame.number}`);
    open(frame.number);
  }
  async function give() {
    await frame.saving;
    update({ ...info, ...(await post(`/api/jobs/${id}/paint/frames/${frame.number}/accept`)) });
    notice(`Frame ${frame.number} is in the film: its shot and those that show the same follow it.`);
    again();
  }
  async function colour() {
    await frame?.saving;
    await post(`/api/jobs/${id}/start`, {});
    location.hash = `colour/${id}`;
  }
  function takeOffers(some) {
    frame.layer.begin();
    for (const { labels, swatch } of some) {
      const wanted = new Set(labels);
      frame.layer.paint(frame.regions.of((label) => wanted.has(label)).filter((at) => frame.layer.data[at] === 0), swatch);
    }
    if (frame.layer.end()) kept();
  }
  function pictures() {
    return info.references.map((each) => ({ title: each.name, url: `/api/jobs/${id}/references/${encodeURIComponent(each.name)}?v=${each.digest.slice(0, 12)}` }));
  }
  function next(by) {
    const all = [...list.querySelectorAll("[data-frame]")].map((each) => Number(each.dataset.frame));
    const at = all.indexOf(frame?.number ?? -1) + by;
    if (all[at] !== undefined) open(all[at]);
  }

  let stop = () => {};
  function again() {
    stop();
    stop = watch(watchJob);
  }
  again();
  const deaf = listenToKeys(main, {
    ...Object.fromEntries(TOOLS.map(([value, , key]) => [key, () => setTool(value)])),
    ...Object.fromEntries(VIEWS.map(([value, , key]) => [key, () => setView(value)])),
    "Ctrl+Z": () => step("undo"), "Ctrl+Shift+Z": () => step("redo"), "Ctrl+Y": () => step("redo"),
    "[": () => resize(-1), "]": () => resize(1), "+": () => easel.zoom(1.3), "-": () => easel.zoom(1 / 1.3), 0: () => easel.fit(),
    PageDown: () => next(1), PageUp: () => next(-1), P: () => frame && shot.toggle(), A: () => accept.disabled || accept.click(),
  });
  const warn = (event) => { if (frame?.saving) event.preventDefault(); };
  addEventListener("beforeunload", warn);
  return () => {
    stop();
    deaf();
    removeEventListener("beforeunload", warn);
    shot.stop();
    frame?.close();
  };
}

/** Return a plane of what is unsure as orange of that strength. */
function heat(plane) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [plane.width, plane.height];
  const context = canvas.getContext("2d");
  context.drawImage(plane, 0, 0);
  const pixels = context.getImageData(0, 0, plane.width, plane.height);
  for (let at = 0; at < pixels.data.length; at += 4) pixels.data.set([255, 110, 0, Math.min(215, pixels.data[at])], at);
  context.putImageData(pixels, 0, 0);
  return canvas;
}
