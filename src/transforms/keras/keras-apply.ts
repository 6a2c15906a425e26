/** What Keras's `ImageDataGenerator.apply_transform` does to float pixels, number for number. */

import { check } from "../geometric/geometric-draw.ts";
import { type FloatPixels, type FloatWarpOptions, floatWarp } from "./float-warp.ts";
import { type KerasAffine, kerasMatrix } from "./keras-affine.ts";

/** The parameters of one transformation, as Keras's `get_random_transform` names them. */
export interface KerasTransform extends KerasAffine {
  readonly flipHorizontal: boolean;
  readonly flipVertical: boolean;
  /** Added to every channel, then clipped to the extremes that the pixels had. */
  readonly channelShiftIntensity?: number | undefined;
  /** Factor on pixels of 8 bits, at least 0. */
  readonly brightness?: number | undefined;
}

/**
 * Returns the transformed pixels in the layout of the source: affine map, channel shift, flips, brightness.
 *
 * As in Keras 3.15, the map's centre is at (height / 2, width / 2) in (x, y): for pictures that are not square this is not
 * the middle (training's "keras-affine" turns about the middle).
 */
export function applyKeras(
  source: FloatPixels,
  parameters: Partial<KerasTransform>,
  options: FloatWarpOptions,
): Float32Array {
  const { theta = 0, tx = 0, ty = 0, shear = 0, zx = 1, zy = 1 } = parameters;
  const map = { theta, tx, ty, shear, zx, zy };
  check(Object.values(map).every(Number.isFinite), "a transformation", "finite parameters", JSON.stringify(map));
  const still = theta === 0 && tx === 0 && ty === 0 && shear === 0 && zx === 1 && zy === 1;
  const matrix = kerasMatrix(map, { x: source.rows / 2 - 0.5, y: source.columns / 2 - 0.5 });
  const data = still ? source.data.slice() : floatWarp(source, matrix, options);
  const { channelShiftIntensity: shift, flipHorizontal = false, flipVertical = false, brightness } = parameters;
  if (shift !== undefined) {
    const [low, high] = extremes(data);
    for (let i = 0; i < data.length; i++) data[i] = Math.min(Math.max(Math.fround(data[i]! + shift), low), high);
  }
  if (flipHorizontal) mirror(data, source, "column");
  if (flipVertical) mirror(data, source, "row");
  if (brightness !== undefined) brighten(data, source, brightness);
  return data;
}

function mirror(data: Float32Array, { rows, columns, channels, strides }: FloatPixels, axis: "row" | "column"): void {
  const [length, lines] = axis === "column" ? [columns, rows] : [rows, columns];
  const [step, across] = axis === "column" ? [strides.column, strides.row] : [strides.row, strides.column];
  for (let line = 0; line < lines; line++) {
    for (let channel = 0; channel < channels; channel++) {
      const start = line * across + channel * strides.channel;
      for (let i = 0, j = length - 1; i < j; i++, j--) {
        const [a, b] = [start + i * step, start + j * step];
        [data[a], data[b]] = [data[b]!, data[a]!];
      }
    }
  }
}

/**
 * Pillow's `ImageEnhance.Brightness` on truncated 8-bit values. Pixels outside 0 to 255 are stretched to that range and
 * back. An alpha channel, the fourth, is truncated but not brightened.
 */
function brighten(data: Float32Array, { channels, strides }: FloatPixels, factor: number): void {
  check(factor >= 0 && factor < 1e6, "brightness", "a factor from 0", factor);
  const [low, high] = extremes(data);
  const stretched = low < 0 || high > 255;
  const span = Math.fround(high - low);
  const scale = Math.fround(factor);
  for (let i = 0; i < data.length; i++) {
    let value = data[i]!;
    if (stretched) value = Math.fround(Math.fround(Math.fround(value - low) / (span === 0 ? 1 : span)) * 255);
    const level = Math.trunc(value);
    const isAlpha = channels === 4 && Math.floor(i / strides.channel) % 4 === 3;
    const bright = isAlpha ? level : Math.min(255, Math.trunc(Math.fround(level * scale)));
    data[i] = stretched ? Math.fround(Math.fround(bright / 255) * span) + low : bright;
  }
}

function extremes(data: Float32Array): [low: number, high: number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of data) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}
