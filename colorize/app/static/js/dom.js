// Elements, made in one call; text is always text, never markup.

/** Return an element: `on…` properties listen, `class`, `data` and attributes as usual. */
export function h(tag, properties = {}, ...children) {
  const element = tag === "svg" || SVG.has(tag)
    ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, each] of Object.entries(value)) element.style.setProperty(key, each);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const SVG = new Set(["g", "path", "line", "circle", "text", "polyline"]);

/** Put children into an element, in place of what it held. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Tell the user something for a while; what went wrong stays longer.
 *
 * Notices have a row of the page to themselves: they cover nothing. */
export function notice(text, { bad = false } = {}) {
  const notices = document.getElementById("notices");
  for (const other of notices.children) if (other.dataset.text === text) other.remove();
  const close = h("button", { type: "button", "aria-label": "close", onclick: () => box.remove() }, "✕");
  const box = h("div", { class: `notice fade${bad ? " bad" : ""}`, "data-text": text, role: bad ? "alert" : undefined }, h("span", { class: "grow" }, text), close);
  notices.append(box);
  setTimeout(() => box.remove(), bad ? 20000 : 5000);
}

export const complain = (line) => notice(line, { bad: true });

/** Return a function that does `work` and tells what goes wrong. */
export function careful(work) {
  return async (...values) => {
    try {
      return await work(...values);
    } catch (error) {
      if (error.name !== "AbortError") complain(error.message);
      return undefined;
    }
  };
}

/** Return "1 shot", "2 shots". */
export const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

/** Return seconds as 1:05 or 2:03:04, or with `tenths` as 1:05.2. */
export function clock(seconds, { tenths = false } = {}) {
  if (tenths) {
    const all = Math.round(10 * seconds);
    return `${clock(Math.floor(all / 10))}.${all % 10}`;
  }
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value) => String(value).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
