// The Colour tab: drop, choose, start, watch, compare, take away.

import { about, allSent, get, post, remove, upload, watch } from "./api.js";
import { correction } from "./correct.js";
import { careful, clock, fill, h, plural } from "./dom.js";
import { dropZone } from "./drop.js";
import { pick } from "./picker.js";
import { player } from "./player.js";
import { progressView } from "./progress.js";
import { referencesCard, shotStarts } from "./references.js";
import { settingsForm } from "./settings.js";

const BADGES = { done: "good", failed: "bad", running: "auto", waiting: "auto", changed: "hand" };
const WORDS = { draft: "new", planned: "shots found", changed: "to be coloured" };
const badge = (state) => h("span", { class: `badge ${BADGES[state] ?? ""}` }, WORDS[state] ?? state);
const IDLE = 2000; // milliseconds between looks at what nobody works on: another tab may change it

/** Show the tab in `panel`; returns what ends it. */
export function colourTab(panel, id) {
  const list = h("ul", { class: "list" });
  const main = h("div", { class: "stack" });
  panel.append(h("div", { class: "two" },
    h("aside", { class: "card" },
      h("div", { class: "row between" }, h("h2", {}, "Jobs"), h("a", { class: "button", href: "#colour/new" }, "New")), list),
    main));
  let shown = "";
  const stopList = watch(async () => {
    const jobs = await get("/api/jobs");
    const content = JSON.stringify(jobs.map((job) => [job.id, job.title, job.state]));
    if (content !== shown) fill(list, entries(jobs, id));
    shown = content;
    return IDLE;
  });
  const stop = id ? jobView(main, id) : () => {};
  if (!id) careful(showStart)(main);
  return () => {
    stopList();
    stop();
  };
}

function entries(jobs, current) {
  if (!jobs.length) return [h("li", { class: "faint" }, "None yet.")];
  return jobs.map((job) => h("li", {}, h("a", { href: `#colour/${job.id}`, "aria-current": job.id === current ? "true" : undefined }, h("span", { class: "name", title: job.title }, job.title), badge(job.state))));
}

async function showStart(main) {
  const { pictures, films } = await about();
  const choose = careful(async () => {
    const path = await pick({ title: "A film, a picture or a folder of frames", files: true });
    if (path) location.hash = `colour/${(await post("/api/jobs", { source: path })).id}`;
  });
  const take = careful(async (files) => {
    if (!files.length) return;
    const more = files.length > 1 ? ` and ${files.length - 1} more` : "";
    const job = await post("/api/jobs", { title: files[0].name + more });
    if (await send(main, `/api/jobs/${job.id}/input`, files)) location.hash = `colour/${job.id}`;
    else await remove(`/api/jobs/${job.id}`);
  });
  fill(main, dropZone({
    title: "Drop a black-and-white cartoon",
    hint: "a film, a set of frames, or one picture",
    accept: [...films, ...pictures], take, large: true,
    extra: [h("button", { type: "button", onclick: choose }, "From one of the page's folders…")],
  }));
}

/** Send files and show how far that is; returns how many were taken. */
async function send(place, path, files) {
  const bar = h("div", {});
  const shown = h("div", { class: "stack" }, h("p", {}, `Sending ${plural(files.length, "file")}`), h("div", { class: "bar" }, bar));
  place.append(shown);
  const taken = await upload(path, files, (share) => bar.style.setProperty("width", `${100 * share}%`));
  shown.remove();
  return taken.length;
}

function jobView(main, id) {
  const head = h("div", { class: "row between" });
  const picture = h("div", {});
  const facts = h("p", { class: "faint facts", "data-test": "facts" });
  const stage = h("div", { class: "card" }, picture, facts);
  const [progress, showProgress] = progressView();
  const actions = h("div", { class: "row" });
  const told = h("div", {});
  const references = h("div", { class: "card" });
  const form = h("details", { class: "card" });
  fill(main, head, stage, h("div", { class: "card stack" }, progress, actions, told), references, form);
  const correct = correction(id, { taken: () => again() });
  let film = null;
  let settings = null;
  let stop = () => {};
  const shown = {}; // what each part of the tab shows, so that it is made anew only when that changes
  const changed = (part, ...content) => {
    const text = JSON.stringify(content);
    const other = shown[part] !== text;
    shown[part] = text;
    return other;
  };

  const act = (work) => careful(async () => {
    await work();
    again();
  });
  const start = (planOnly) => act(async () => {
    await allSent(); // references that were dropped just now are to be followed too
    await post(`/api/jobs/${id}/settings`, settings.read());
    await post(`/api/jobs/${id}/start`, { plan_only: planOnly });
  });
  const halt = act(() => post(`/api/jobs/${id}/stop`));
  const discard = careful(async () => {
    if (!confirm("Delete this job with all that it made?")) return;
    await remove(`/api/jobs/${id}`);
    location.hash = "colour/new";
  });

  async function look() {
    const job = await get(`/api/jobs/${id}`);
    const active = ["waiting", "running"].includes(job.state);
    showProgress(job.ticket);
    if (job.view && film) film.update(job.view);
    else if (job.view) showFilm(job);
    else if (changed("preview", job.input, job.source)) fill(picture, preview(job));
    if (changed("facts", job.footage, job.view?.frames)) facts.textContent = factsOf(job);
    if (changed("head", job.title, job.state)) {
      fill(head, h("h2", {}, job.title, " ", badge(job.state)), h("button", { type: "button", class: "quiet", onclick: discard }, "Delete"));
    }
    const begun = Boolean(job.view?.parts.some((part) => part.done));
    if (changed("actions", job.state, begun, Boolean(job.view))) fill(actions, buttons(job, active, begun, { start, halt }));
    const lines = [...new Set(job.ticket?.lines ?? [])];
    if (changed("told", job.message, lines)) {
      fill(told, job.message ? h("p", { role: "alert" }, h("span", { class: "badge bad" }, "stopped"), " ", job.message) : null, lines.length ? h("pre", { class: "log" }, lines.join("\n")) : null);
      told.hidden = !told.childNodes.length;
    }
    if (changed("asked", job.asked)) await showSettings(job);
    if (changed("references", job.state, job.references, job.served, job.view && shotStarts(job.view))) {
      await referencesCard(references, job, settings.takesReferences);
    }
    return active ? 400 : IDLE;
  }
  function showFilm(job) {
    film = player(id, job.view, correct.show);
    fill(picture, film.element, correct.element);
    picture.addEventListener("dragover", (event) => event.preventDefault());
    picture.addEventListener("drop", (event) => correct.take([...event.dataTransfer.files]));
  }
  async function showSettings(job) {
    const again = careful(async () => referencesCard(references, await get(`/api/jobs/${id}`), settings.takesReferences));
    settings = await settingsForm(job.asked, again);
    fill(form, h("summary", {}, "How it looks"), settings.element);
  }
  function again() {
    stop();
    stop = watch(look);
  }
  again();
  return () => {
    stop();
    film?.stop();
  };
}

/** Return length, rate, size and sound of what is coloured, in words. */
function factsOf(job) {
  const { footage } = job;
  if (!footage) return "";
  const frames = job.view?.frames ?? footage.frames;
  const seconds = frames && footage.rate ? frames / footage.rate : footage.seconds;
  return [
    frames ? plural(frames, "frame") : null,
    seconds === null ? null : clock(seconds, { tenths: true }),
    footage.rate ? `${Number(footage.rate.toFixed(3))} frames a second` : null,
    `${footage.width}×${footage.height}`,
    footage.rate ? `sound: ${footage.sound.join("; ") || "none"}` : null,
  ].filter(Boolean).join(" · ");
}

function buttons(job, active, begun, { start, halt }) {
  if (active) return [h("button", { type: "button", onclick: halt }, "Stop"), h("span", { class: "faint" }, "What is finished stays; this tab may be closed.")];
  const done = job.state === "done";
  const words = done ? "Colour again what changed" : job.state === "changed" ? "Colour what changed" : begun ? "Resume" : "Colour";
  return [
    done ? h("a", { class: "button first", href: `/api/jobs/${job.id}/download`, download: "" }, downloadWords(job.view)) : null,
    h("button", { type: "button", class: done ? "" : "first", onclick: start(false) }, words),
    h("a", { class: "button", href: `#paint/${job.id}` }, "Paint frames"),
    job.view ? h("a", { class: "button", href: `#shots/${job.id}` }, "Choose colours by shot") : h("button", { type: "button", onclick: start(true) }, "Find the shots first"),
  ];
}

function downloadWords(view) {
  if (view?.kind === "video") return "Download the film, with its sound";
  return view?.frames === 1 ? "Download the picture" : "Download the frames (ZIP)";
}

/** What is seen before the shots are found: the first frame. */
function preview(job) {
  const count = job.input.length ? plural(job.input.length, "file") : job.source;
  const image = h("img", { src: `/api/jobs/${job.id}/original/0.jpg`, alt: "the first frame", style: { "max-width": "100%", "max-height": "55vh", display: "block", margin: "0 auto", "border-radius": "8px" } });
  return [image, h("p", { class: "faint", style: { "margin": "0.6rem 0 0" } }, `${count}: ${job.input.slice(0, 3).join(", ")}${job.input.length > 3 ? " …" : ""}`)];
}
