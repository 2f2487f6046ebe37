// The Shots tab: every shot in all its colourings; one click chooses.

import { about, get, post, watch } from "./api.js";
import { careful, clock, fill, h, plural } from "./dom.js";
import { progressView } from "./progress.js";
import { HINTS, slider } from "./settings.js";

const IDLE = 2000; // milliseconds between looks at what nobody works on: another tab may change it

/** Show the tab in `panel`; returns what ends it. */
export function shotsTab(panel, id) {
  const main = h("div", { class: "stack" });
  panel.append(main);
  if (!id) {
    careful(choose)(main);
    return undefined;
  }
  return shotsView(main, id);
}

async function choose(main) {
  const jobs = (await get("/api/jobs")).filter((job) => job.state !== "draft");
  fill(main, h("div", { class: "card" }, h("h2", {}, "Shots of which job?"),
    jobs.length
      ? h("ul", { class: "list" }, jobs.map((job) => h("li", {}, h("a", { href: `#shots/${job.id}` }, h("span", { class: "name" }, job.title), h("span", { class: "badge" }, job.state)))))
      : h("p", { class: "empty" }, "None yet: start one in ", h("a", { href: "#colour/new" }, "Colour"), ".")));
}

function shotsView(main, id) {
  const head = h("div", { class: "row between" });
  const strip = h("div", { class: "strip", role: "group", "aria-label": "all shots" });
  const list = h("div", { class: "stack" });
  const dock = h("div", { class: "card dock" });
  const [progress, showProgress] = progressView();
  fill(main, head, strip, progress, list, dock);
  let job = null;
  let settings = []; // as the server describes them
  let shown = "";
  let stop = () => {};

  const edit = careful(async (what, content) => {
    try {
      await post(`/api/jobs/${id}/shots/${what}`, content);
    } finally {
      again(); // also after a refusal: another tab may have changed the shots
    }
  });
  const render = careful(async () => {
    await post(`/api/jobs/${id}/start`, {});
    again();
  });

  async function look() {
    [job, { settings }] = await Promise.all([get(`/api/jobs/${id}`), about()]);
    const active = ["waiting", "running"].includes(job.ticket?.state);
    showProgress(job.ticket);
    if (!job.view) {
      fill(list, h("div", { class: "card empty" }, active ? "Finding the shots …" : "The shots are not found yet: ", active ? null : h("a", { href: `#colour/${id}` }, "start the job")));
      dock.hidden = true;
      return active ? 400 : IDLE;
    }
    const found = await get(`/api/jobs/${id}/shots`);
    const content = JSON.stringify([found, active, job.state, job.references]);
    if (content !== shown) { // so that the place and the focus are not lost without need
      shown = content;
      draw(found, active);
    }
    return active ? 400 : IDLE;
  }
  function draw(found, active) {
    const focus = document.activeElement?.dataset.focus;
    fill(head, h("h2", {}, `${job.title}: ${plural(found.shots.length, "shot")}`), h("a", { class: "button", href: `#colour/${id}` }, "Look at the film"));
    fill(strip, found.shots.map((shot, index) => stripButton(id, shot, index)));
    fill(list, found.shots.map((shot, index) => shotCard(job, found, shot, index, { edit, active })));
    dock.hidden = false;
    fill(dock, dockOf(found, settings, active, { edit, render }));
    document.querySelector(`[data-focus="${focus}"]`)?.focus();
  }
  function again() {
    stop();
    stop = watch(look);
  }
  again();
  return () => stop();
}

function chosenPicture(id, shot) {
  const picture = typeof shot.chosen === "number" ? shot.pictures[shot.chosen] : undefined;
  return picture ? `/api/jobs/${id}/shots/${picture}` : middle(id, shot);
}

const middle = (id, shot) => `/api/jobs/${id}/original/${Math.floor((shot.start + shot.stop) / 2)}.jpg?size=180`;

function stripButton(id, shot, index) {
  return h("button", {
    type: "button", class: shot.changed ? "changed" : "", "aria-label": `shot ${index + 1}`, "data-focus": `strip-${shot.start}`,
    style: { "flex-grow": shot.stop - shot.start },
    onclick: () => document.getElementById(`shot-${shot.start}`).scrollIntoView({ behavior: "smooth" }),
  }, h("img", { src: chosenPicture(id, shot), alt: "", loading: "lazy" }), h("span", { class: "no" }, index + 1));
}

function shotCard(job, found, shot, index, { edit, active }) {
  const last = index === found.shots.length - 1;
  const byHand = shot.variant !== "auto";
  return h("section", { class: "card shot", id: `shot-${shot.start}`, "data-shot": index + 1, style: { "--aspect": `${job.view.width} / ${job.view.height}` } },
    h("div", { class: "row between" },
      h("div", { class: "row" },
        h("h3", { style: { margin: 0 } }, `Shot ${index + 1}`),
        h("span", { class: "faint" }, `frames ${shot.start}–${shot.stop - 1} · ${clock(shot.start / job.view.rate)}`),
        shot.changed ? h("span", { class: "badge hand" }, "to be coloured") : h("span", { class: "badge good" }, "coloured"),
        shot.references.length ? h("span", { class: "badge" }, `follows ${shot.references.join(", ")}`) : null,
        job.references.length ? followMenu(job, shot, index, { edit, active }) : null),
      h("div", { class: "row" },
        h("button", { type: "button", disabled: active || shot.stop - shot.start < 2, "data-focus": `split-${shot.start}`, onclick: () => splitDialog(job, shot, (frame) => edit("split", { start: shot.start, frame })) }, "Split…"),
        last ? null : h("button", { type: "button", disabled: active, "data-focus": `merge-${shot.start}`, onclick: () => edit("merge", { start: shot.start }) }, "Merge with next"))),
    h("div", { class: "choices", role: "radiogroup", "aria-label": `colouring of shot ${index + 1}` },
      choice({ shot, value: "keep", picture: middle(job.id, shot), text: "as it is", checked: shot.chosen === "keep", byHand, active, edit }),
      shot.pictures.map((picture, number) => choice({
        shot, value: number, picture: `/api/jobs/${job.id}/shots/${picture}`,
        text: shot.chosen === number ? `${number} · ${byHand ? "by hand" : "chosen"}` : String(number),
        checked: shot.chosen === number, byHand, active, edit,
      })),
      shot.pictures.length === 0 ? h("button", { type: "button", disabled: active, onclick: () => edit("choose", { start: shot.start, variant: 0 }) }, active ? "drawing …" : "Colour it") : null));
}

/** A menu of the references that a shot can be given, and of those that it has. */
function followMenu(job, shot, index, { edit, active }) {
  const menu = h("select", {
    class: "small", "aria-label": `references of shot ${index + 1}`, disabled: active, "data-focus": `follow-${shot.start}`,
    onchange: () => edit("references", { start: shot.start, name: menu.value, serves: !shot.references.includes(menu.value) }),
  },
  h("option", { value: "" }, "References…"),
  job.references.map((name) => h("option", { value: name }, `${shot.references.includes(name) ? "without" : "with"} ${name}`)));
  return menu;
}

function choice({ shot, value, picture, text, checked, byHand, active, edit }) {
  return h("button", {
    type: "button", class: `choice${byHand ? " hand" : ""}`, role: "radio", "aria-checked": String(checked), disabled: active && !checked,
    "data-focus": `${shot.start}-${value}`, "data-value": value, onclick: () => checked || edit("choose", { start: shot.start, variant: value }),
    onkeydown: arrows,
  }, h("img", { src: picture, alt: value === "keep" ? "original" : `colouring ${value}`, loading: "lazy" }), h("span", {}, text));
}

/** Arrow keys walk along the colourings of a shot. */
function arrows(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const all = [...event.currentTarget.parentElement.querySelectorAll(".choice")];
  all[(all.indexOf(event.currentTarget) + step + all.length) % all.length].focus();
  event.preventDefault();
}

function dockOf(found, settings, active, { edit, render }) {
  const send = () => edit("look", Object.fromEntries(sliders.map((each) => [each.control.name, each.read()])));
  const sliders = settings.filter((each) => each.kind === "slider").map((each) => slider(each.name, each.label, found[each.name], each.low, each.high, each.step, send));
  for (const each of sliders) {
    each.control.disabled = active;
    const hint = HINTS[each.control.name];
    if (hint) each.element.append(h("small", {}, hint));
  }
  const words = found.changed ? `Colour ${plural(found.changed, "shot")} (${plural(found.frames, "frame")})` : "All is coloured";
  return [...sliders.map((each) => each.element), h("button", { type: "button", class: "first", "data-test": "render", disabled: active || !found.changed, onclick: render }, words)];
}

function splitDialog(job, shot, take) {
  const [low, high] = [shot.start + 1, shot.stop - 1];
  const place = h("input", { type: "range", min: low, max: high, value: Math.floor((low + high) / 2), "aria-label": "first frame of the new shot", oninput: () => show() });
  place.value = Math.floor((low + high) / 2);
  const text = h("p", { class: "faint" });
  const pictures = h("div", { class: "cut" });
  const show = () => {
    const frame = Number(place.value);
    text.textContent = `The new shot begins at frame ${frame}.`;
    fill(pictures, [frame - 1, frame].map((n) => h("figure", { style: { margin: 0 } }, h("img", { src: `/api/jobs/${job.id}/original/${n}.jpg?size=180`, alt: `frame ${n}` }), h("figcaption", { class: "faint" }, n < frame ? "last frame" : "first frame of the new shot"))));
  };
  const dialog = h("dialog", { "aria-label": "split the shot", onclose: () => dialog.remove() },
    h("h2", {}, "Where does the new shot begin?"), pictures, place, text,
    h("div", { class: "row", style: { "justify-content": "end" } },
      h("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Cancel"),
      h("button", { type: "button", class: "first", onclick: () => { dialog.close(); take(Number(place.value)); } }, "Split here")));
  document.body.append(dialog);
  show();
  dialog.showModal();
}
