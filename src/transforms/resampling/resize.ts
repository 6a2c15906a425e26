/** Antialiased resizing, bit for bit as Pillow's `Image.resize`, so that pretrained weights see the pixels they know. */
import { RootstockError } from "../../errors.ts";
import type { Image, Region } from "../image.ts";
import { passesFast } from "./resize-fast.ts";
import { horizontal, type Rows, vertical } from "./resize-portable.ts";
import { filterTaps, type Interpolation, nearestSources } from "./resize-taps.ts";

/** What to resize to, and how. */
export interface ResizeOptions {
  /** Width of the whole result in pixels, at least 1. */
  readonly width: number;
  /** Height of the whole result in pixels, at least 1. */
  readonly height: number;
  /** The filter. @default "bilinear" */
  readonly interpolation?: Interpolation | undefined;
  /**
   * The part of the picture to resize, as if it had been cropped first: nothing outside it is read.
   * (Pillow's own `box` argument differs: its filters read beyond the box.) @default the whole picture
   */
  readonly source?: Region | undefined;
  /** The part of the result to compute, as if it were cropped afterwards. @default the whole result */
  readonly window?: Region | undefined;
}

/**
 * Returns the picture at another size; the argument is left as it is.
 *
 * Two passes, horizontal then vertical, with coefficients of 22 fractional bits and rounding to 8 bits after each:
 * the method of Pillow's `Resample.c`, which torchvision uses for PIL images. "nearest" follows `Geometry.c`.
 * @throws RootstockError BAD_CONFIG if a size or region is not made of whole pixels inside its picture.
 */
export function resize(
  image: Image,
  { width, height, interpolation = "bilinear", source: part, window: wanted }: ResizeOptions,
): Image {
  const source = part ?? { left: 0, top: 0, width: image.width, height: image.height };
  const window = wanted ?? { left: 0, top: 0, width, height };
  checkRegion("source", source, image.width, image.height);
  checkRegion("window", window, width, height);
  if (image.data.length !== image.width * image.height * 3) {
    throw new RootstockError(
      "BAD_DATA",
      `an image of ${image.width}x${image.height} pixels requires ${image.width * image.height * 3} bytes, got ${image.data.length}.`,
    );
  }
  if (interpolation === "nearest") return pickNearest(image, source, window, width, height);
  const across =
    source.width === width ? undefined : filterTaps(interpolation, source.width, width, window.left, window.width);
  const down =
    source.height === height ? undefined : filterTaps(interpolation, source.height, height, window.top, window.height);
  // Rows of the source that the vertical pass reads.
  const first = down ? down.first : window.top;
  const count = down ? down.end - down.first : window.height;
  const left = source.left + (across ? 0 : window.left);
  const rows: Rows = { data: image.data, stride: image.width * 3, left, top: source.top + first };
  const size = { width: window.width, height: window.height };
  if (!across && !down) return { ...size, data: copy(rows, size.width, size.height) };
  const fast = passesFast(rows, count, size, { across, down });
  if (fast) return { ...size, data: fast };
  const middle = across ? { data: horizontal(rows, count, across), stride: window.width * 3, left: 0, top: 0 } : rows;
  return { ...size, data: down ? vertical(middle, window.width * 3, down) : middle.data };
}

function copy({ data, stride, left, top }: Rows, width: number, height: number): Uint8Array {
  const out = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const from = (top + row) * stride + left * 3;
    out.set(data.subarray(from, from + width * 3), row * width * 3);
  }
  return out;
}

function pickNearest(
  { data, width: stride }: Image,
  source: Region,
  window: Region,
  width: number,
  height: number,
): Image {
  const columns = nearestSources(source.width, width, window.left, window.width);
  const rows = nearestSources(source.height, height, window.top, window.height);
  const out = new Uint8Array(columns.length * rows.length * 3);
  let at = 0;
  for (const row of rows) {
    const begin = (source.top + row) * stride + source.left;
    for (const column of columns) {
      const from = (begin + column) * 3;
      out[at] = data[from]!;
      out[at + 1] = data[from + 1]!;
      out[at + 2] = data[from + 2]!;
      at += 3;
    }
  }
  return { width: window.width, height: window.height, data: out };
}

function checkRegion(name: string, { left, top, width, height }: Region, maxWidth: number, maxHeight: number): void {
  const whole = [left, top, width, height, maxWidth, maxHeight].every(Number.isSafeInteger);
  if (
    whole &&
    left >= 0 &&
    top >= 0 &&
    width >= 1 &&
    height >= 1 &&
    left + width <= maxWidth &&
    top + height <= maxHeight
  )
    return;
  throw new RootstockError(
    "BAD_CONFIG",
    `resize requires a ${name} of whole pixels inside ${maxWidth}x${maxHeight}, got ${width}x${height} at (${left}, ${top}).`,
  );
}
