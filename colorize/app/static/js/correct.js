// Correct a frame: save it rightly named, paint it anywhere, drop it back.

import { about, upload } from "./api.js";
import { careful, fill, h } from "./dom.js";
import { dropZone } from "./drop.js";
import { tellTaken } from "./taken.js";

/** Return `{ element, show(frame, coloured) }`; `taken` is called when a picture was taken. */
export function correction(id, { taken }) {
  let at = 0;
  const title = h("strong", {});
  const save = (side, words) => h("a", { class: "button", download: "", "data-side": side }, words);
  const result = save("result", "Save it in colour");
  const gray = save("original", "Save it in gray");
  const place = h("div", {});
  const element = h("div", { class: "correct", role: "group", "aria-label": "correct this frame" }, title, result, gray, place);
  const take = careful(async (files) => {
    if (!files.length) return;
    const frame = at; // another may be looked at before it has arrived
    const answers = await upload(`/api/jobs/${id}/corrections/${frame}`, files.slice(0, 1));
    await tellTaken(id, answers, { named: true });
    if (answers.length) taken(answers[0]);
  });
  careful(async () => {
    const { pictures, paintings } = await about();
    fill(place, dropZone({ title: "Drop it here, corrected", hint: "", accept: [...pictures, ...paintings], take, multiple: false }));
  })();
  return {
    element,
    take,
    show(frame, coloured) {
      at = frame;
      title.textContent = `Correct frame ${frame}`;
      result.href = `/api/jobs/${id}/result/${frame}.png`;
      gray.href = `/api/jobs/${id}/original/${frame}.png`;
      result.hidden = !coloured;
    },
  };
}
