// Play original and result together: both pictures of a frame are drawn in the same moment.

import { compareView } from "./compare.js";
import { clock, h } from "./dom.js";

const AHEAD = 16; // frames fetched before they are due
const KEPT = 96;

/** Return `{ element, update(view), stop() }` for the frames of a job, which count from 0.
 *
 * `onframe` is told the number of the frame that is seen, and whether it is coloured. */
export function player(job, first, onframe = () => {}) {
  let view = first;
  let at = 0;
  let playing = false;
  let due = 0;
  let drawn = ""; // the key of the frame that is seen
  const frames = new Map(); // number → promise of its two pictures
  const ready = new Map();
  const compare = compareView(view);
  const play = h("button", { type: "button", class: "icon", "aria-label": "play", title: "play (space)", onclick: () => toggle() }, "▶");
  const place = h("input", { type: "range", min: 0, max: view.frames - 1, value: 0, "aria-label": "frame", oninput: () => { halt(); go(Number(place.value)); } });
  const text = h("output", {});
  const step = (by, mark, label) => h("button", { type: "button", class: "icon", "aria-label": label, title: label, onclick: () => { halt(); go(at + by); } }, mark);
  const controls = h("div", { class: "controls" }, play, step(-1, "◂", "one frame back"), step(1, "▸", "one frame on"), place, text);
  const element = h("div", { onkeydown: keys }, compare.element, controls);
  if (view.frames === 1) controls.hidden = true;

  function keys(event) {
    const action = { " ": toggle, ",": () => go(at - 1), ".": () => go(at + 1) }[event.key];
    if (!action || (event.key === " " && event.target.tagName === "BUTTON")) return;
    event.preventDefault();
    action();
  }
  function partOf(number) {
    return view.parts.find((part) => part.start <= number && number < part.stop);
  }
  function key(number) {
    const part = partOf(number);
    return `${number} ${part?.done ? part.key : ""}`;
  }
  function load(number) {
    const name = key(number);
    if (!frames.has(name)) {
      frames.set(name, pictures(number).then((both) => (ready.set(name, both), both)));
      frames.get(name).catch(() => frames.delete(name));
      for (const old of [...frames.keys()].slice(0, Math.max(0, frames.size - KEPT))) {
        frames.delete(old);
        ready.delete(old);
      }
    }
    return frames.get(name);
  }
  function pictures(number) {
    const part = partOf(number);
    const original = picture(`/api/jobs/${job}/original/${number}.jpg?v=${view.digest}`);
    const result = part?.done ? picture(`/api/jobs/${job}/result/${number}.jpg?v=${part.key}`) : null;
    return Promise.all([original, result]);
  }
  async function go(number) {
    at = Math.min(view.frames - 1, Math.max(0, number));
    place.value = at;
    tell();
    const wanted = at;
    try {
      const both = await load(at);
      if (at !== wanted) return;
      compare.draw(...both);
      drawn = key(at);
    } catch { /* the frame is gone: the next look at the job tells why */ }
  }
  function tell() {
    text.textContent = `${clock(at / view.rate)} · frame ${at} of 0–${view.frames - 1}`;
    place.setAttribute("aria-valuetext", `frame ${at} of 0 to ${view.frames - 1}`);
    onframe(at, Boolean(partOf(at)?.done));
  }
  function toggle() {
    if (playing) return halt();
    playing = true;
    play.textContent = "❚❚";
    play.setAttribute("aria-label", "pause");
    if (at === view.frames - 1) at = -1;
    due = performance.now();
    return requestAnimationFrame(tick);
  }
  function halt() {
    playing = false;
    play.textContent = "▶";
    play.setAttribute("aria-label", "play");
  }
  function tick(now) {
    if (!playing || !element.isConnected) return;
    for (let next = at + 1; next <= Math.min(at + AHEAD, view.frames - 1); next += 1) load(next).catch(halt);
    const both = ready.get(key(at + 1));
    if (now >= due && both) {
      at += 1;
      compare.draw(...both);
      drawn = key(at);
      place.value = at;
      tell();
      due = Math.max(due + 1000 / view.rate, now - 100); // late frames are shown, not dropped
      if (at === view.frames - 1) halt();
    }
    requestAnimationFrame(tick);
  }
  go(0);
  return {
    element,
    /** Take a newer view of the same job; the frame that is shown may have got its colours. */
    update(newer) {
      view = newer;
      place.max = view.frames - 1;
      if (!playing && key(at) !== drawn) go(at);
      else onframe(at, Boolean(partOf(at)?.done));
    },
    go: (number) => { halt(); go(number); },
    stop: halt,
  };
}

async function picture(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`no picture: ${response.status}`);
  return createImageBitmap(await response.blob());
}
