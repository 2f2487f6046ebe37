// Requests to the server; every error is a line for the user.

import { complain } from "./dom.js";

const OWN = { "X-Tooncolor": "1" }; // other sites cannot set it

/** An answer that is none: one line for the user, and the HTTP status. */
class Refusal extends Error {
  constructor(line, status) {
    super(line);
    this.status = status;
  }
}

async function answer(response) {
  const content = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refusal(content.error ?? `colorize-app answered ${response.status}`, response.status);
  return content;
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("colorize-app does not answer; is it still running?");
  }
  return answer(response);
}

export const get = (path, options = {}) => ask(path, options);
export const remove = (path) => ask(path, { method: "DELETE", headers: OWN });
export const post = (path, content = {}) =>
  ask(path, {
    method: "POST",
    headers: { ...OWN, "Content-Type": "application/json" },
    body: JSON.stringify(content),
  });

const ARRAYS = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array };

/** Return `{ head, arrays }` of numbers that the server has packed; `content` is sent as JSON. */
export async function getArrays(path, content = null, options = {}) {
  const asked = content === null ? {} : { method: "POST", headers: { ...OWN, "Content-Type": "application/json" }, body: JSON.stringify(content) };
  let response;
  try {
    response = await fetch(path, { ...asked, ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("colorize-app does not answer; is it still running?");
  }
  if (!response.ok) await answer(response);
  const buffer = await response.arrayBuffer();
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  let at = 4 + length;
  const arrays = head.arrays.map(([type, count]) => {
    const array = new ARRAYS[type](buffer, at, count);
    at += 4 * Math.ceil(array.byteLength / 4);
    return array;
  });
  return { head, arrays };
}

/** Send numbers, made smaller, in place of those of a `version`. */
export async function putNumbers(path, array, version) {
  const stream = new Blob([array]).stream().pipeThrough(new CompressionStream("gzip"));
  const body = await new Response(stream).arrayBuffer();
  return ask(path, { method: "PUT", headers: { ...OWN, "If-Match": `"${version}"` }, body });
}

/** Send text. */
export const putText = (path, body) => ask(path, { method: "PUT", headers: OWN, body });

let known; // what the server can do does not change while it runs
export const about = () => (known ??= get("/api/about"));

/** Send a file and return what the server says of it; `tell` gets the bytes that are sent. */
function put(path, file, tell) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", path);
    for (const [name, value] of Object.entries(OWN)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => tell(event.loaded);
    request.onload = () => {
      if (request.status < 300) return resolve(JSON.parse(request.responseText));
      let line = `colorize-app answered ${request.status}`;
      try {
        line = JSON.parse(request.responseText).error;
      } catch { /* no JSON: the status says enough */ }
      return reject(new Error(line));
    };
    request.onerror = () => reject(new Error(`${file.name} could not be sent`));
    request.send(file);
  });
}

let sending = Promise.resolve();
/** Wait for the files that are on their way: nothing is to be started without them. */
export const allSent = () => sending;

/** Send files below `path`, a few at a time; return the answers to those that were taken. `tell`
 * gets the share. */
export function upload(path, files, tell = () => {}) {
  const work = sendAll(path, files, tell);
  sending = Promise.allSettled([sending, work]);
  return work;
}

async function sendAll(path, files, tell) {
  const { limits } = await about();
  const total = files.reduce((sum, file) => sum + file.size, 0) || 1;
  const sent = new Map();
  const taken = [];
  const waiting = [...files];
  const next = async () => {
    for (let file = waiting.shift(); file; file = waiting.shift()) {
      const one = file;
      try {
        if (one.size > limits.file_bytes) {
          throw new Error(`${one.name} is larger than ${(limits.file_bytes / 2 ** 30).toFixed(3)} GiB; choose it from a folder`);
        }
        const said = await put(`${path}/${encodeURIComponent(one.name)}`, one, (bytes) => {
          sent.set(one, bytes);
          tell([...sent.values()].reduce((sum, each) => sum + each, 0) / total);
        });
        taken.push(said);
      } catch (error) {
        complain(error.message);
      }
      sent.set(one, one.size);
    }
  };
  await Promise.all([next(), next(), next()]);
  return taken;
}

/** Tell the page that what its address means is not there any more. */
export const gone = (line) => dispatchEvent(new CustomEvent("gone", { detail: line }));

const SILENT = 3000; // milliseconds until a server that does not answer is asked again

/** Ask again and again until `look` returns false; return a function that ends it.
 *
 * `look` may return the milliseconds to wait, in place of `every`. Where the server says that
 * something is gone, it is asked no more: `lost` gets the line. Any other trouble is told once until
 * an answer comes. */
export function watch(look, { every = 500, lost = gone } = {}) {
  let timer = 0;
  let over = false;
  let told = "";
  const again = async () => {
    let wait = every;
    try {
      const go = await look();
      told = "";
      if (go === false) over = true;
      if (typeof go === "number") wait = go;
    } catch (error) {
      if (over) return;
      if (error.status === 404) {
        over = true;
        lost(error.message);
        return;
      }
      if (error.message !== told) complain(error.message);
      told = error.message;
      wait = SILENT;
    }
    if (!over) timer = setTimeout(again, wait);
  };
  again();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
