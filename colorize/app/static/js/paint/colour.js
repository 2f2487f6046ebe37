// Colours on a given luma, as the server joins them: BT.601, full range.

/** Return [r, g, b] of "#rrggbb". */
export const rgbOf = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** Return "#rrggbb" of numbers from 0 to 255. */
export const hexOf = (rgb) => `#${rgb.map((each) => Math.max(0, Math.min(255, Math.round(each))).toString(16).padStart(2, "0")).join("")}`;

/** Return what a colour adds to a luma: red, green and blue, from -255 to 255. */
export function offsetsOf(hex) {
  const [red, green, blue] = rgbOf(hex);
  const luma = 0.299 * red + 0.587 * green + 0.114 * blue;
  return [red - luma, green - luma, blue - luma];
}

/** Return by how much offsets must shrink on a luma of 0 to 255: 1 where it holds them whole. */
export function scaleOn(luma, offsets) {
  let scale = 1;
  for (const each of offsets) {
    const room = each > 0 ? 255 - luma : luma;
    if (Math.abs(each) > 1e-6) scale = Math.min(scale, room / Math.abs(each));
  }
  return scale;
}

/** Return a colour as it looks on a luma. */
export function joined(luma, offsets) {
  const scale = scaleOn(luma, offsets);
  return offsets.map((each) => luma + scale * each);
}

/** Return a table of 256 × 3 bytes: how a colour looks on every luma. */
export function tableOf(hex) {
  const offsets = offsetsOf(hex);
  const table = new Uint8ClampedArray(768);
  for (let luma = 0; luma < 256; luma += 1) table.set(joined(luma, offsets), 3 * luma);
  return table;
}
