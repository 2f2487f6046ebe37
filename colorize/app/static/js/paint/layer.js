// What is painted in a frame: a swatch for each pixel, 0 for none; with undo and redo without end.

/** The regions that a click fills: `finest` has a label for each pixel, `levels` where each goes. */
export class Regions {
  constructor({ head, arrays: [finest, ...levels] }) {
    this.finest = finest;
    this.levels = levels;
    this.usual = head.usual;
  }

  /** Return the label of the region of a pixel, at a level. */
  label(index, level) {
    return this.levels[level][this.finest[index]];
  }

  /** Return the pixels of the region of a pixel, at a level. */
  pixels(index, level) {
    const table = this.levels[level];
    return this.of((finest) => table[finest] === table[this.finest[index]]);
  }

  /** Return the pixels whose finest label is wanted. */
  of(wanted) {
    const inside = new Uint8Array(this.levels[0].length);
    for (let label = 0; label < inside.length; label += 1) inside[label] = wanted(label) ? 1 : 0;
    const found = [];
    for (let at = 0; at < this.finest.length; at += 1) if (inside[this.finest[at]]) found.push(at);
    return found;
  }
}

export class Layer {
  constructor(width, height, data) {
    this.width = width;
    this.height = height;
    this.data = data;
    this.done = []; // strokes: which pixels, and what was there before and after
    this.undone = [];
    this.stroke = null;
  }

  /** Begin a stroke: all until `end` is undone at once. */
  begin() {
    this.stroke = new Map();
  }

  /** Paint pixels with a swatch. */
  paint(pixels, swatch) {
    for (const at of pixels) {
      if (this.data[at] === swatch) continue;
      if (!this.stroke.has(at)) this.stroke.set(at, this.data[at]);
      this.data[at] = swatch;
    }
  }

  /** Paint a round dab, or a line of them. Radius in pixels; 0 is one pixel. */
  line([x, y], [fromX, fromY], radius, swatch) {
    const steps = Math.max(1, Math.ceil(Math.hypot(x - fromX, y - fromY) / Math.max(1, radius / 2)));
    const pixels = new Set();
    for (let step = 0; step <= steps; step += 1) {
      const [middleX, middleY] = [fromX + ((x - fromX) * step) / steps, fromY + ((y - fromY) * step) / steps];
      for (let row = Math.max(0, Math.ceil(middleY - radius)); row <= Math.min(this.height - 1, middleY + radius); row += 1) {
        const half = Math.sqrt(Math.max(0, radius ** 2 - (row - middleY) ** 2));
        for (let column = Math.max(0, Math.ceil(middleX - half)); column <= Math.min(this.width - 1, middleX + half); column += 1) pixels.add(row * this.width + column);
      }
    }
    this.paint(pixels, swatch);
  }

  /** End a stroke; return whether it changed anything. */
  end() {
    const { stroke } = this;
    this.stroke = null;
    if (!stroke?.size) return false;
    const pixels = Uint32Array.from(stroke.keys());
    this.done.push({ pixels, before: Uint16Array.from(stroke.values()), after: pixels.reduce((all, at, n) => ((all[n] = this.data[at]), all), new Uint16Array(pixels.length)) });
    this.undone = [];
    return true;
  }

  undo() {
    return this.move(this.done, this.undone, "before");
  }

  redo() {
    return this.move(this.undone, this.done, "after");
  }

  /** Take the last stroke of a list to another, and put what was there on one side of it. */
  move(from, to, side) {
    const stroke = from.pop();
    if (!stroke) return false;
    this.put(stroke.pixels, stroke[side]);
    to.push(stroke);
    return true;
  }

  put(pixels, values) {
    for (let n = 0; n < pixels.length; n += 1) this.data[pixels[n]] = values[n];
  }

  /** Whether nothing is painted. */
  get empty() {
    return this.data.every((each) => each === 0);
  }
}
