/** Makes a network's input from a picture, as its `Preprocessing` says. Decoding threads load this: no schema library here. */
import { RootstockError } from "../errors.ts";
import type { Image, Region } from "./image.ts";
import { valuesOf } from "./pixels/pixel-passes.ts";
import type { Preprocessing } from "./preprocessing.ts";
import { resize } from "./resampling/resize.ts";

/**
 * Makes one network input from one picture: `bringToSize`, then `normalize`.
 * @param out Where to write, 3 * height * width values; a fresh array by default.
 * @returns `out`, laid out [3, height, width] (NCHW) or [height, width, 3] (NHWC).
 * @throws RootstockError SHAPE_MISMATCH if `out` has another length.
 */
export function preprocess(image: Image, preprocessing: Preprocessing, out?: Float32Array): Float32Array {
  return normalize(bringToSize(image, preprocessing), preprocessing, out);
}

/**
 * Brings a picture to exactly the network's `inputSize`, resized and cropped as its preprocessing says.
 * Where the crop is larger than the resized picture, the rest is black.
 */
export function bringToSize(image: Image, { inputSize, resize: how, interpolation }: Preprocessing): Image {
  const [height, width] = inputSize;
  if (how.kind === "stretch") return resize(image, { width, height, interpolation });
  if (how.kind === "center-square") {
    const edge = Math.min(image.width, image.height);
    const left = Math.floor((image.width - edge) / 2);
    const top = Math.floor((image.height - edge) / 2);
    const source: Region = { left, top, width: edge, height: edge };
    return resize(image, { width, height, interpolation, source });
  }
  // torchvision's Resize(size) and CenterCrop(inputSize): the longer side is truncated, the crop's offset rounded half to even.
  const short = Math.min(image.width, image.height);
  const long = Math.trunc((how.size * Math.max(image.width, image.height)) / short);
  const [fullWidth, fullHeight] = image.width <= image.height ? [how.size, long] : [long, how.size];
  const across = centerCrop(fullWidth, width);
  const down = centerCrop(fullHeight, height);
  const window: Region = { left: across.from, top: down.from, width: across.length, height: down.length };
  const pixels = resize(image, { width: fullWidth, height: fullHeight, interpolation, window });
  return pixels.width === width && pixels.height === height
    ? pixels
    : padded(pixels, width, height, across.to, down.to);
}

/**
 * Turns the pixels of a picture of the network's `inputSize` into its input values: scale, offset, mean, deviation.
 * @param out Where to write, 3 * height * width values; a fresh array by default.
 * @returns `out`, laid out [3, height, width] (NCHW) or [height, width, 3] (NHWC).
 * @throws RootstockError SHAPE_MISMATCH if the picture has another size or `out` another length.
 */
export function normalize(
  { width, height, data }: Image,
  preprocessing: Preprocessing,
  out: Float32Array = new Float32Array(3 * width * height),
): Float32Array {
  const [rows, columns] = preprocessing.inputSize;
  const plane = rows * columns;
  if (width !== columns || height !== rows || data.length !== 3 * plane) {
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `normalize requires a picture of ${columns}x${rows} pixels in ${3 * plane} bytes, got ${width}x${height} in ${data.length}. Call bringToSize first.`,
    );
  }
  if (out.length !== 3 * plane) {
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `preprocess requires an output of 3 x ${rows} x ${columns} = ${3 * plane} values, got ${out.length}.`,
    );
  }
  const bgr = preprocessing.channels === "BGR";
  const tables = [0, 1, 2].map((channel) => lookupTable(preprocessing, bgr ? 2 - channel : channel)) as Tables;
  valuesOf(data, tables, out, { planes: preprocessing.layout === "NCHW", bgr });
  return out;
}

/** The values of the levels of red, green and blue. */
type Tables = [Float32Array, Float32Array, Float32Array];

/** The values of the 256 grey levels of one channel, in the order of `channels`. */
function lookupTable({ scale, offset, mean, std }: Preprocessing, channel: number): Float32Array {
  const values = new Float32Array(256);
  for (let level = 0; level < 256; level++) values[level] = (level * scale + offset - mean[channel]!) / std[channel]!;
  return values;
}

/** The picture on a black ground of this size, its corner at (`left`, `top`). */
function padded(image: Image, width: number, height: number, left: number, top: number): Image {
  const data = new Uint8Array(3 * width * height);
  const row = image.width * 3;
  for (let y = 0; y < image.height; y++) {
    data.set(image.data.subarray(y * row, (y + 1) * row), ((top + y) * width + left) * 3);
  }
  return { width, height, data };
}

/** Which `length` pixels of an axis a center crop keeps (`from`) and where they stand in the crop (`to`). */
function centerCrop(
  size: number,
  crop: number,
): { readonly from: number; readonly to: number; readonly length: number } {
  if (crop > size) return { from: 0, to: Math.floor((crop - size) / 2), length: size };
  const half = (size - crop) / 2;
  const from = Math.floor(half);
  // Python's round: a tie goes to the even neighbour.
  return { from: half > from && from % 2 === 1 ? from + 1 : from, to: 0, length: crop };
}
