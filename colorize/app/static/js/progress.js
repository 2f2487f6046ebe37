// How far something is: a bar, its speed, the time left, what it says.

import { clock, fill, h, plural } from "./dom.js";

/** Return an element, and a function that shows a ticket in it. */
export function progressView() {
  const view = h("div", { class: "stack", "aria-live": "off" });
  return [view, (ticket) => fill(view, ticket ? lines(ticket) : [])];
}

function lines(ticket) {
  if (ticket.state === "waiting") {
    const text = ticket.ahead ? `Waiting for ${plural(ticket.ahead, "other task")} on ${ticket.device}` : "Starting";
    return [bar(null), h("div", { class: "figures" }, text)];
  }
  if (ticket.state !== "running") return [];
  const { progress } = ticket;
  if (!progress) return [bar(null), h("div", { class: "figures" }, "Loading the model")];
  const unit = `${progress.unit}s`;
  const own = progress.total ? progress.done / progress.total : null;
  const share = progress.share ?? own; // of the whole job, where its tasks are parts of one
  return [
    bar(share),
    h("div", { class: "figures", "data-test": "figures" },
      progress.share === undefined ? null : h("b", {}, `${Math.floor(100 * share)} %`),
      h("b", {}, progress.task),
      h("span", {}, `${progress.done}${progress.total ? ` of ${progress.total}` : ""} ${unit}`),
      progress.rate ? h("span", {}, `${progress.rate.toFixed(1)} ${unit} per second`) : null,
      progress.left !== null ? h("span", {}, `${clock(progress.left)} left`) : null,
      progress.detail ? h("span", {}, progress.detail) : null,
    ),
  ];
}

function bar(share) {
  const known = share !== null;
  return h("div", {
    class: `bar${known ? "" : " unknown"}`, role: "progressbar", "aria-label": "progress",
    "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": known ? Math.round(100 * share) : undefined,
  }, h("div", { style: known ? { width: `${100 * share}%` } : {} }));
}
