// The shot around a frame: drafts of its other frames stream in, nearest first.

import { getArrays } from "../api.js";
import { fill, h } from "../dom.js";

/** Return `{ element, show, stop, changed, at }`. `look(frame, bitmap)` is called when another frame
 * is looked at, with its draft or null; `open(frame)` when that is to be painted. */
export function shotView(id, { look, open, rate }) {
  let shot = { start: 0, stop: 1 };
  let own = 0; // the frame that is painted
  let at = 0; // the frame that is looked at
  let playing = false;
  let run = 0; // drafts that are asked for belong to the newest run
  let due = 0;
  const drafts = new Map(); // by frame: { key, bitmap }
  const fresh = new Set(); // drafts that nothing has changed since
  const play = h("button", { type: "button", "data-test": "play-shot", onclick: () => toggle() }, "▶ Play this shot");
  const place = h("input", { type: "range", min: 0, max: 0, value: 0, "aria-label": "frame of the shot", "data-test": "shot-place", oninput: () => seek(Number(place.value)) });
  const text = h("output", { "data-test": "shot-text" });
  const paint = h("button", { type: "button", class: "first", "data-test": "paint-here", onclick: () => open(at) }, "");
  const ticks = h("div", { class: "ticks", "aria-hidden": "true" });
  const element = h("div", { class: "shot-row" }, play, h("div", { class: "grow" }, place, ticks), text, paint);

  function tell() {
    place.value = at;
    text.textContent = `frame ${at} · ${fresh.size} of ${shot.stop - shot.start} drafted`;
    place.setAttribute("aria-valuetext", `frame ${at}`);
    paint.hidden = at === own;
    paint.textContent = `Paint frame ${at}`;
    play.textContent = playing ? "❚❚ Stop" : "▶ Play this shot";
    const width = 100 / (shot.stop - shot.start);
    fill(ticks, [...fresh].map((each) => h("i", { style: { left: `${(each - shot.start) * width}%`, width: `${width}%` } })));
  }
  function seek(frame) { // not the slider's value: to halt puts it back
    halt();
    go(frame);
  }
  function go(frame) {
    at = frame;
    look(at, drafts.get(at)?.bitmap ?? null);
    tell();
  }
  /** Ask for the drafts of the shot, those nearest to the painted frame first. */
  async function draft() {
    const mine = ++run;
    const frames = Array.from({ length: shot.stop - shot.start }, (_, n) => shot.start + n)
      .sort((a, b) => Math.abs(a - own) - Math.abs(b - own));
    for (const frame of frames) {
      if (fresh.has(frame)) continue;
      let found;
      try {
        found = await getArrays(`/api/jobs/${id}/paint/frames/${frame}/draft`, { size: 540, playing: true, known: drafts.get(frame)?.key ?? "" });
      } catch (error) {
        if (error.status === 409 && mine === run) continue; // a stroke came first
        throw error;
      }
      if (mine !== run) return;
      if (!found.head.same) drafts.set(frame, { key: found.head.key, bitmap: await createImageBitmap(new Blob([found.arrays[0]])) });
      fresh.add(frame);
      if (frame === at && at !== own) look(at, drafts.get(at).bitmap);
      tell();
    }
  }
  function tick(now) {
    if (!playing || !element.isConnected) return;
    const next = at + 1 < shot.stop ? at + 1 : shot.start;
    // Frames that are not drafted yet are waited for, but not those far from the painted one.
    if (now >= due && (fresh.has(next) || next === own)) {
      go(next);
      due = Math.max(due + 1000 / rate(), now - 100);
    } else if (now >= due && next === shot.stop - 1) go(own);
    requestAnimationFrame(tick);
  }
  function toggle() {
    if (playing) return halt();
    playing = true;
    due = performance.now();
    tell();
    requestAnimationFrame(tick);
    return draft().catch((error) => { halt(); throw error; });
  }
  function halt() {
    playing = false;
    tell();
  }
  return {
    element,
    /** Show the shot of a frame that is painted now. */
    show(frame, of) {
      if (of.start !== shot.start || of.stop !== shot.stop) {
        drafts.clear();
        fresh.clear();
      }
      run += 1;
      shot = of;
      own = at = frame;
      playing = false;
      [place.min, place.max] = [of.start, of.stop - 1];
      tell();
    },
    /** What is painted has changed: drafts are asked for again, and only those come that differ. */
    changed() {
      run += 1;
      fresh.clear();
      halt();
    },
    back() {
      halt();
      at = own;
      tell();
    },
    toggle,
    stop() {
      run += 1;
      playing = false;
    },
  };
}
