// Requests to the server; every error is a line for the user.

const OWN = { "X-Tooncolor": "1" }; // other sites cannot set it

async function answer(response) {
  const content = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(content.error ?? `the server answered ${response.status}`);
  return content;
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("the server does not answer; is colorize-app still running?");
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

let known; // what the server can do does not change while it runs
export const about = () => (known ??= get("/api/about"));

/** Send a file; `tell` gets the share that is sent. */
function put(path, file, tell) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", path);
    for (const [name, value] of Object.entries(OWN)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => tell(event.loaded);
    request.onload = () => {
      if (request.status < 300) return resolve();
      let line = `the server answered ${request.status}`;
      try {
        line = JSON.parse(request.responseText).error;
      } catch { /* no JSON: the status says enough */ }
      return reject(new Error(line));
    };
    request.onerror = () => reject(new Error(`${file.name} could not be sent`));
    request.send(file);
  });
}

/** Send files below `path`, a few at a time; return those that were taken. `tell` gets the share. */
export async function upload(path, files, tell, complain) {
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
        await put(`${path}/${encodeURIComponent(one.name)}`, one, (bytes) => {
          sent.set(one, bytes);
          tell([...sent.values()].reduce((sum, each) => sum + each, 0) / total);
        });
        taken.push(one);
      } catch (error) {
        complain(error.message);
      }
      sent.set(one, one.size);
    }
  };
  await Promise.all([next(), next(), next()]);
  return taken;
}

/** Ask again and again until `look` says that it is over; return a function that ends it. */
export function watch(look, every = 500) {
  let timer = 0;
  let over = false;
  const again = async () => {
    const go = await look();
    if (!over && go !== false) timer = setTimeout(again, every);
  };
  again();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
