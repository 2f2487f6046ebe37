// What becomes of pictures that were dropped as references: told, and asked about.

import { post } from "./api.js";
import { careful, h, notice } from "./dom.js";

/** Tell what the server has found out of pictures; ask about parts left gray. */
export async function tellTaken(job, answers, { named = false } = {}) {
  for (const { name, frame, said } of answers) {
    for (const line of said) notice(line);
    if (named && !said.length) notice(`${name} is taken for frame ${frame}.`);
  }
  for (const answer of answers) if (answer.gray > 0) await ask(job, answer);
}

/** Ask whether the gray parts of a picture are gray; unless somebody says so, they are not. */
function ask(job, { name, frame, gray }) {
  return new Promise((resolve) => {
    const send = careful((keep) => post(`/api/jobs/${job}/references/${encodeURIComponent(name)}/gray`, { keep }));
    const close = (answer) => h("button", { type: "button", class: answer === "no" ? "first" : "", onclick: () => dialog.close(answer) },
      answer === "no" ? "Not painted yet: find their colours" : "They are gray");
    const dialog = h("dialog", {
      "aria-label": "parts left gray",
      onclose: async () => {
        dialog.remove();
        await send(dialog.returnValue === "yes");
        resolve();
      },
    },
    h("h2", {}, `${Math.round(100 * gray)} % of ${name} is gray`),
    h("p", {}, `as gray as frame ${frame} itself. Were these parts not painted yet, or are they gray?`),
    h("div", { class: "row", style: { "justify-content": "end" } }, close("yes"), close("no")));
    document.body.append(dialog);
    dialog.showModal();
  });
}
