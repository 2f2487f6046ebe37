// Coloured frames that a job is to follow: dropped here, and which shots each serves.

import { about, get, post, remove, upload } from "./api.js";
import { careful, fill, h } from "./dom.js";
import { dropZone } from "./drop.js";
import { tellTaken } from "./taken.js";

/** Show the references of a job in `card`; `takes()` says whether the model follows any. */
export async function referencesCard(card, job, takes) {
  const { pictures, paintings } = await about();
  const taken = takes();
  const path = `/api/jobs/${job.id}/references`;
  const again = careful(async () => referencesCard(card, await get(`/api/jobs/${job.id}`), takes));
  const take = careful(async (files) => {
    const answers = await upload(path, files);
    await again();
    await tellTaken(job.id, answers);
    await again();
  });
  const drop = careful(async (name) => {
    await remove(`${path}/${encodeURIComponent(name)}`);
    await again();
  });
  const give = careful(async (name, start, serves) => {
    try {
      await post(`/api/jobs/${job.id}/shots/references`, { start, name, serves });
    } finally {
      await again();
    }
  });
  const active = ["waiting", "running"].includes(job.state);
  fill(card,
    h("h2", {}, "References"),
    taken ? null : h("p", { class: "faint", "data-test": "no-references" }, "This model takes no references: what you drop is kept with the job and does not change its colours."),
    dropZone({ title: "Drop coloured frames", hint: "frames of this film, model sheets, pictures of the series: several serve a shot together", accept: [...pictures, ...paintings], take }),
    h("ul", { class: "thumbs", style: { "margin-top": "0.9rem" } }, job.references.map((name) => h("li", {},
      h("img", { src: `${path}/${encodeURIComponent(name)}`, alt: name, loading: "lazy" }),
      h("button", { type: "button", class: "away", "aria-label": `remove ${name}`, onclick: () => drop(name) }, "✕"),
      h("span", { class: "name", title: name }, name),
      h("small", {}, serves(taken, job, job.served[name])),
      taken && job.view?.parts.length ? giveMenu(job, name, { active, give }) : null,
    ))));
}

function serves(taken, job, known) {
  if (!taken) return "kept, not used";
  if (!known?.looked_at) return job.view ? "new: looked at with the next Colour" : "looked at when you colour";
  const own = known.frame === null ? "" : `frame ${known.frame}, `;
  if (!known.shots.length) return `${own}serves no shot by itself`;
  return `${own}serves shot${known.shots.length > 1 ? "s" : ""} ${known.shots.join(", ")}`;
}

/** A menu that gives a reference to a shot, or takes it away. */
function giveMenu(job, name, { active, give }) {
  const starts = shotStarts(job.view);
  const own = new Set(job.served[name]?.shots ?? []);
  const menu = h("select", {
    "aria-label": `give ${name} to a shot`, disabled: active,
    onchange: () => {
      const number = Number(menu.value);
      give(name, starts[Math.abs(number) - 1], number > 0);
    },
  },
  h("option", { value: "" }, "Give to a shot…"),
  starts.map((_, index) => (own.has(index + 1)
    ? h("option", { value: String(-index - 1) }, `take from shot ${index + 1}`)
    : h("option", { value: String(index + 1) }, `shot ${index + 1}`))));
  return menu;
}

/** Return the first frames of all shots. */
export function shotStarts(view) {
  const starts = [];
  for (const part of view.parts) starts[part.shot] ??= part.start;
  return starts;
}
