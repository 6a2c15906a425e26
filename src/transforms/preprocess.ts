/** Makes a network's input from a picture, as its `Preprocessing` says. Decoding threads load this: no schema library here. */
import { RootstockError } from "../errors.ts";
import type { Image, Region } from "./image.ts";
import type { Preprocessing } from "./preprocessing.ts";
import { resize } from "./resize.ts";

/**
 * Makes one network input from one picture.
 * @param out Where to write, 3 * height * width values; a fresh array by default.
 * @returns `out`, laid out [3, height, width] (NCHW) or [height, width, 3] (NHWC).
 * @throws RootstockError SHAPE_MISMATCH if `out` has another length.
 */
export function preprocess(image: Image, preprocessing: Preprocessing, out?: Float32Array): Float32Array {
  const [height, width] = preprocessing.inputSize;
  const plane = height * width;
  const result = out ?? new Float32Array(3 * plane);
  if (result.length !== 3 * plane) {
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `preprocess requires an output of 3 x ${height} x ${width} = ${3 * plane} values, got ${result.length}.`,
    );
  }
  const { pixels, left, top } = bringToSize(image, preprocessing);
  const padded = pixels.width !== width || pixels.height !== height;
  for (let channel = 0; channel < 3; channel++) {
    const values = lookupTable(preprocessing, channel);
    const from = preprocessing.channels === "RGB" ? channel : 2 - channel;
    const [start, step] = preprocessing.layout === "NCHW" ? [channel * plane, 1] : [channel, 3];
    if (padded) for (let i = 0; i < plane; i++) result[start + i * step] = values[0]!; // padding is black, then normalised
    for (let y = 0; y < pixels.height; y++) {
      let at = start + ((top + y) * width + left) * step;
      let pixel = y * pixels.width * 3 + from;
      for (let x = 0; x < pixels.width; x++) {
        result[at] = values[pixels.data[pixel]!]!;
        at += step;
        pixel += 3;
      }
    }
  }
  return result;
}

/** The values of the 256 grey levels of one channel, in the order of `channels`. */
function lookupTable({ scale, offset, mean, std }: Preprocessing, channel: number): Float32Array {
  const values = new Float32Array(256);
  for (let level = 0; level < 256; level++) values[level] = (level * scale + offset - mean[channel]!) / std[channel]!;
  return values;
}

/** The pixels that the picture contributes to the input, and where they stand in it. */
interface Placed {
  readonly pixels: Image;
  readonly left: number;
  readonly top: number;
}

function bringToSize(image: Image, { inputSize, resize: how, interpolation }: Preprocessing): Placed {
  const [height, width] = inputSize;
  if (how.kind === "stretch") return { pixels: resize(image, { width, height, interpolation }), left: 0, top: 0 };
  if (how.kind === "center-square") {
    const edge = Math.min(image.width, image.height);
    const left = Math.floor((image.width - edge) / 2);
    const top = Math.floor((image.height - edge) / 2);
    const source: Region = { left, top, width: edge, height: edge };
    return { pixels: resize(image, { width, height, interpolation, source }), left: 0, top: 0 };
  }
  // torchvision's Resize(size) and CenterCrop(inputSize): the longer side is truncated, the crop's offset rounded half to even.
  const short = Math.min(image.width, image.height);
  const long = Math.trunc((how.size * Math.max(image.width, image.height)) / short);
  const [fullWidth, fullHeight] = image.width <= image.height ? [how.size, long] : [long, how.size];
  const across = centerCrop(fullWidth, width);
  const down = centerCrop(fullHeight, height);
  const window: Region = { left: across.from, top: down.from, width: across.length, height: down.length };
  const pixels = resize(image, { width: fullWidth, height: fullHeight, interpolation, window });
  return { pixels, left: across.to, top: down.to };
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
