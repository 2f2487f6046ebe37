// A frame that is painted: its layer, kept after every stroke, and its colours at once.

import { get, getArrays, putNumbers } from "../api.js";
import { Layer, Regions } from "./layer.js";

/** The frame of a job. `tell(what)` is called with "saved", "draft", "regions", or an error. */
export class PaintedFrame {
  constructor(id, number, tell) {
    this.path = `/api/jobs/${id}/paint/frames/${number}`;
    this.number = number;
    this.tell = tell;
    this.regions = null;
    this.result = null; // a bitmap
    this.unsure = null; // a bitmap, gray
    this.seconds = null; // that the last draft took
    this.dirty = false;
    this.saving = null;
    this.closed = false;
  }

  async load() {
    const { head, arrays: [luma, data] } = await getArrays(this.path);
    [this.width, this.height, this.version, this.luma] = [head.width, head.height, head.version, luma];
    this.layer = new Layer(this.width, this.height, data.slice());
    this.draft();
    getArrays(`${this.path}/regions`).then((found) => {
      this.regions = new Regions(found);
      if (!this.closed) this.tell("regions");
    }, (error) => this.tell(error));
    return this;
  }

  /** Keep the layer, which has changed; strokes that come meanwhile are kept together. */
  changed() {
    this.dirty = true;
    this.saving ??= this.save().finally(() => (this.saving = null));
    return this.saving;
  }

  async save() {
    while (this.dirty) {
      this.dirty = false;
      try {
        this.version = (await putNumbers(this.path, this.layer.data, this.version)).version;
      } catch (error) {
        this.dirty = error.status !== 412; // changed elsewhere: that is looked at anew
        this.tell(error);
        return;
      }
    }
    this.tell("saved");
    this.draft();
  }

  /** Ask for the colours of the frame; of several that are asked for, the newest is shown. */
  async draft() {
    const began = performance.now();
    const number = (this.asked = (this.asked ?? 0) + 1);
    try {
      const { head, arrays: [picture, unsure] } = await getArrays(`${this.path}/draft`, { size: 1080 });
      const bitmaps = await Promise.all([picture, unsure].map((each) => createImageBitmap(new Blob([each]))));
      if (number !== this.asked || this.closed) return;
      [this.result, this.unsure] = bitmaps;
      this.mean = head.mean;
      this.seconds = (performance.now() - began) / 1000;
      this.tell("draft");
    } catch (error) {
      if (error.status !== 409 && !this.closed) this.tell(error);
    }
  }

  /** Wait until all is kept. */
  async close() {
    this.closed = true;
    await this.saving;
  }
}

export const overview = (id) => get(`/api/jobs/${id}/paint`);
