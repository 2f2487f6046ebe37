// Coloured frames that a job is to follow: dropped here, and which shot each serves.

import { about, get, remove, upload } from "./api.js";
import { careful, fill, h, notice } from "./dom.js";
import { dropZone } from "./drop.js";

/** Show the references of a job in `card`. */
export async function referencesCard(card, job, takes) {
  const { pictures } = await about();
  const taken = takes();
  const path = `/api/jobs/${job.id}/references`;
  const again = careful(async () => referencesCard(card, await get(`/api/jobs/${job.id}`), takes));
  const served = taken && job.view ? await shotsByReference(job.id) : {};
  const take = careful(async (files) => {
    await upload(path, files, () => {}, (line) => notice(line, { bad: true }));
    await again();
  });
  const drop = careful(async (name) => {
    await remove(`${path}/${encodeURIComponent(name)}`);
    await again();
  });
  fill(card,
    h("h2", {}, "References"),
    taken ? null : h("p", { class: "faint", "data-test": "no-references" }, "These weights take no references: what you drop is kept with the job and does not change its colours."),
    dropZone({ title: "Drop coloured frames", hint: "see which shot each serves", accept: pictures, take }),
    h("ul", { class: "thumbs", style: { "margin-top": "0.9rem" } }, job.references.map((name) => h("li", {},
      h("img", { src: `${path}/${encodeURIComponent(name)}`, alt: name, loading: "lazy" }),
      h("button", { type: "button", class: "away", "aria-label": `remove ${name}`, onclick: () => drop(name) }, "✕"),
      h("span", { class: "name", title: name }, name),
      h("small", {}, serves(taken, Boolean(job.view), served[name])),
    ))));
}

function serves(taken, planned, shots) {
  if (!taken) return "kept, not used";
  if (!planned) return "waits for the shots to be found";
  if (!shots) return "serves no shot: nothing in the film looks like it";
  return `serves shot${shots.length > 1 ? "s" : ""} ${shots.join(", ")}`;
}

async function shotsByReference(id) {
  const { shots } = await get(`/api/jobs/${id}/shots`);
  const found = {};
  shots.forEach((shot, index) => shot.references.forEach((name) => (found[name] ??= []).push(index + 1)));
  return found;
}
