// The frame large: zoom, pan, a cursor for the keyboard, and what a tool would touch.

import { h } from "../dom.js";

const LARGEST = 24; // screen pixels for one of the frame

/** Return the view of a frame. `act` gets "down", "move", "up" or "hover" with a place in pixels of
 * the frame, `paint` draws the frame anew into what is shown. */
export function canvasView({ act }) {
  const canvas = h("canvas", { tabindex: 0, class: "easel", role: "application", "aria-label": "the frame: arrow keys move the brush, Enter paints", "data-test": "easel" });
  const cursor = h("output", { class: "visually-hidden", "aria-live": "polite" });
  const element = h("div", { class: "easel-box" }, canvas, cursor);
  const context = canvas.getContext("2d");
  const picture = document.createElement("canvas"); // of the frame's own size
  const pixels = picture.getContext("2d", { willReadFrequently: true });
  const marks = document.createElement("canvas"); // what a tool would touch, and offers
  let [width, height] = [1, 1];
  let view = { scale: 1, x: 0, y: 0 }; // screen = scale * frame + (x, y)
  let fitted = true;
  let keys = [0, 0]; // the place of the keyboard's cursor
  let byKeys = false;
  let drag = null;
  let waiting = false;

  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left - view.x) / view.scale, (event.clientY - box.top - view.y) / view.scale];
  };
  function fit() {
    const box = element.getBoundingClientRect();
    view.scale = Math.min(box.width / width, box.height / height) || 1;
    view.x = (box.width - width * view.scale) / 2;
    view.y = (box.height - height * view.scale) / 2;
    fitted = true;
  }
  function resize() {
    const ratio = devicePixelRatio || 1;
    const box = element.getBoundingClientRect();
    canvas.width = Math.max(1, Math.round(box.width * ratio));
    canvas.height = Math.max(1, Math.round(box.height * ratio));
    if (fitted) fit();
    redraw();
  }
  function redraw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      const ratio = devicePixelRatio || 1;
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, canvas.width, canvas.height);
      context.setTransform(ratio * view.scale, 0, 0, ratio * view.scale, ratio * view.x, ratio * view.y);
      context.imageSmoothingEnabled = view.scale < 3;
      context.drawImage(picture, 0, 0);
      context.imageSmoothingEnabled = false;
      context.drawImage(marks, 0, 0);
      if (byKeys && document.activeElement === canvas) cross();
    });
  }
  function cross() {
    context.lineWidth = 1.5 / view.scale;
    for (const [colour, wide] of [["#000", 3], ["#fff", 1.2]]) {
      context.strokeStyle = colour;
      context.lineWidth = wide / view.scale;
      context.beginPath();
      for (const [x, y] of [[1, 0], [0, 1]]) {
        const [far, near] = [14 / view.scale, 4 / view.scale];
        for (const side of [-1, 1]) {
          context.moveTo(keys[0] + 0.5 + side * x * near, keys[1] + 0.5 + side * y * near);
          context.lineTo(keys[0] + 0.5 + side * x * far, keys[1] + 0.5 + side * y * far);
        }
      }
      context.stroke();
    }
  }
  function zoom(factor, [x, y] = [width / 2, height / 2]) {
    const scale = Math.min(LARGEST, Math.max(0.1, view.scale * factor));
    view = { scale, x: view.x + x * (view.scale - scale), y: view.y + y * (view.scale - scale) };
    fitted = false;
    redraw();
  }

  canvas.addEventListener("pointerdown", (event) => {
    byKeys = false;
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    const pan = event.button === 1 || event.button === 2 || event.shiftKey;
    drag = pan ? { pan: [event.clientX - view.x, event.clientY - view.y] } : { pan: null };
    if (!pan) act("down", place(event));
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (drag?.pan) {
      view.x = event.clientX - drag.pan[0];
      view.y = event.clientY - drag.pan[1];
      fitted = false;
      redraw();
    } else act(drag ? "move" : "hover", place(event));
  });
  const end = (event) => {
    if (drag && !drag.pan) act("up", place(event));
    drag = null;
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("pointerleave", () => { if (!drag) act("leave", [-1, -1]); });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("wheel", (event) => {
    zoom(Math.exp(-event.deltaY / 300), place(event));
    event.preventDefault();
  }, { passive: false });
  canvas.addEventListener("focus", redraw);
  canvas.addEventListener("blur", redraw);
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (step) {
      const far = event.shiftKey ? 10 : 1;
      byKeys = true;
      keys = [Math.min(width - 1, Math.max(0, keys[0] + far * step[0])), Math.min(height - 1, Math.max(0, keys[1] + far * step[1]))];
      cursor.textContent = `${keys[0]}, ${keys[1]}`;
      act("hover", keys);
      redraw();
    } else if (event.key === "Enter" || event.key === " ") {
      byKeys = true;
      act("down", keys);
      act("up", keys);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  new ResizeObserver(resize).observe(element);

  return {
    element,
    canvas,
    /** Show a frame of this size from now on. */
    size(newWidth, newHeight) {
      if (newWidth === width && newHeight === height) return;
      [width, height] = [newWidth, newHeight];
      keys = [Math.floor(width / 2), Math.floor(height / 2)];
      for (const each of [picture, marks]) [each.width, each.height] = [width, height];
      element.style.setProperty("--aspect", `${width} / ${height}`);
      fit();
      resize();
    },
    /** Draw the frame: `draw` gets the context of its pixels. */
    draw(draw) {
      draw(pixels);
      redraw();
    },
    /** Draw what lies over the frame. */
    mark(draw) {
      const over = marks.getContext("2d");
      over.clearRect(0, 0, width, height);
      draw(over);
      redraw();
    },
    zoom,
    fit() {
      fit();
      redraw();
    },
    /** Return the colour that is shown at a pixel. */
    colourAt(x, y) {
      return [...pixels.getImageData(x, y, 1, 1).data.slice(0, 3)];
    },
  };
}
