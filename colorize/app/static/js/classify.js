// The Classify tab, in two pages: drop and submit, then what each picture shows.

import { about, get, post, remove, upload, watch } from "./api.js";
import { careful, fill, h, notice } from "./dom.js";
import { dropZone } from "./drop.js";
import { progressView } from "./progress.js";
import { field } from "./settings.js";

/** Show the tab in `panel`; returns what ends it. */
export function classifyTab(panel, id) {
  const steps = h("ol", { class: "steps" });
  const main = h("div", { class: "stack" });
  panel.append(steps, main);
  let stop = () => {};
  const page = (number) => fill(steps, ["1 · Pictures", "2 · What they show"].map((text, n) => h("li", { "aria-current": n + 1 === number ? "step" : undefined }, text)));
  const first = careful(async (set) => {
    page(1);
    await picturesPage(main, set, { submit: second });
  });
  const second = careful(async (set, ticket, checkpoint) => {
    page(2);
    stop = resultsPage(main, set, ticket, checkpoint, { back: first });
  });
  first(id || null);
  return () => stop();
}

async function picturesPage(main, id, { submit }) {
  const [{ pictures: kinds, devices }, weights] = await Promise.all([about(), get("/api/weights")]);
  const usable = weights.filter((each) => each.purpose !== "colour");
  const old = id ? await get(`/api/pictures/${id}`).catch((error) => notice(error.message, { bad: true })) : null;
  const set = old ?? (await post("/api/pictures"));
  // The answer can come when another tab is already asked for.
  if (!old && location.hash.startsWith("#classify")) history.replaceState(null, "", `#classify/${set.id}`);
  const path = `/api/pictures/${set.id}`;
  const checkpoint = h("select", { name: "classifier" }, usable.map((each) => h("option", { value: each.path }, `${each.title} — ${each.classes.slice(0, 6).join(", ") || each.path}`)));
  checkpoint.value = localStorage.getItem("classifier") ?? usable[0]?.path ?? "";
  if (!checkpoint.value && usable.length) checkpoint.value = usable[0].path;
  const list = h("ul", { class: "thumbs" });
  const button = h("button", { type: "button", class: "first" }, "Submit");
  const show = (names) => {
    fill(list, names.map((name) => h("li", {},
      h("img", { src: `${path}/${encodeURIComponent(name)}`, alt: name, loading: "lazy" }),
      h("button", { type: "button", class: "away", "aria-label": `delete ${name}`, onclick: () => drop(name) }, "✕"),
      h("span", { class: "name", title: name }, name))));
    button.disabled = !names.length || !usable.length;
    button.textContent = names.length ? `Submit ${names.length}` : "Submit";
  };
  const again = async () => show((await get(path)).pictures);
  const drop = careful(async (name) => {
    await remove(`${path}/${encodeURIComponent(name)}`);
    await again();
  });
  const take = careful(async (files) => {
    await upload(path, files);
    await again();
  });
  button.addEventListener("click", careful(async () => {
    localStorage.setItem("classifier", checkpoint.value);
    submit(set.id, await post(`${path}/classify`, { checkpoint: checkpoint.value, device: devices[0] }), checkpoint.value);
  }));
  show(set.pictures);
  fill(main,
    h("div", { class: "card" }, usable.length ? field("Classifier", checkpoint) : h("p", {}, h("span", { class: "badge bad" }, "no classifier"), " None lies in the page's folders; ", h("code", {}, "classify-train"), " makes one.")),
    dropZone({ title: "Drop pictures", hint: "to be told what they show", accept: kinds, take, large: !set.pictures.length }),
    list,
    h("div", { class: "row", style: { "justify-content": "end" } }, button));
}

function resultsPage(main, set, ticket, checkpoint, { back }) {
  const [progress, showProgress] = progressView();
  const list = h("ul", { class: "verdicts" });
  fill(main,
    h("div", { class: "row between" },
      h("button", { type: "button", onclick: () => back(set) }, "← Back to the pictures"),
      h("small", {}, checkpoint)),
    progress, list);
  let said = 0;
  return watch(async () => {
    const now = await get(`/api/tickets/${ticket.id}?since=${said}`);
    showProgress(now);
    if (now.state === "failed") {
      notice(now.message, { bad: true });
      back(set);
    }
    if (now.state === "done") fill(list, now.result.pictures.map((each) => verdict(set, each, now.result.classes)));
    return ["waiting", "running"].includes(now.state);
  }, { every: 250, lost: (line) => { notice(line, { bad: true }); back(set); } });
}

function verdict(set, picture, classes) {
  const path = `/api/pictures/${set}/${encodeURIComponent(picture.name)}`;
  const card = h("li", { class: "card verdict" });
  const drop = careful(async () => {
    await remove(path);
    card.remove();
  });
  const order = picture.probabilities ? classes.map((_, n) => n).sort((a, b) => picture.probabilities[b] - picture.probabilities[a]) : [];
  return fill(card,
    h("img", { src: path, alt: picture.name }),
    h("div", {},
      h("h3", {}, picture.probabilities ? classes[order[0]] : "unreadable"),
      h("small", {}, picture.probabilities ? picture.name : picture.problem),
      h("div", { class: "chances" }, order.slice(0, 4).map((n, place) => chance(classes[n], picture.probabilities[n], place === 0)))),
    h("button", { type: "button", class: "away", "aria-label": `delete ${picture.name}`, onclick: drop }, "✕"));
}

function chance(name, share, top) {
  return [
    h("span", {}, name),
    h("div", { class: top ? "likeliest" : "" }, h("i", { style: { width: `${100 * share}%` } })),
    h("span", {}, share.toFixed(3)),
  ];
}
