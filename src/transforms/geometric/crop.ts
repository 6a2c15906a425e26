/** Transforms that decide a picture's size: resizing, and crops at the centre, at random, and of random size. */
import type { Rng } from "../../random.ts";
import type { Region } from "../image.ts";
import type { Size } from "../picture.ts";
import { whole } from "../pixels/chance.ts";
import { INTERPOLATIONS, type Interpolation } from "../resampling/resize-taps.ts";
import type { FillMode, FillValue } from "../resampling/warp.ts";
import type { GeometricStep } from "../steps.ts";
import { type Apply, applying, bounds, check, type Draw, type Frame, warping } from "./geometric-draw.ts";

/** The size that a sizing transform makes. */
export interface SizeOptions {
  /** Width of the result in pixels, 1 to 8192. @default the network's input */
  readonly width?: number | undefined;
  /** Height of the result in pixels, 1 to 8192. @default the network's input */
  readonly height?: number | undefined;
}

/** Options of `resize`. */
export interface ResizePictureOptions extends SizeOptions {
  /** Length of the shorter side in pixels, instead of width and height; the aspect ratio is kept. */
  readonly shorterSide?: number | undefined;
  /** The filter. @default that of the network's preprocessing */
  readonly interpolation?: Interpolation | undefined;
}

/** Options of `center-crop`. */
export interface CenterCropOptions extends SizeOptions {
  /** What is seen where the picture is smaller than the crop. @default "constant" */
  readonly fill?: FillMode | undefined;
  /** Grey level or R, G, B of "constant", 0 to 255. @default 0 */
  readonly value?: FillValue | undefined;
}

/** Options of `random-crop`. */
export interface RandomCropOptions extends CenterCropOptions {
  /** Pixels added on the left and right, and at the top and bottom, before cropping. @default 0 */
  readonly padding?: number | readonly [x: number, y: number] | undefined;
  /** Whether a picture smaller than the crop is padded further; otherwise it is an error, as in torchvision. @default true */
  readonly padIfNeeded?: boolean | undefined;
}

/** Options of `random-resized-crop`. */
export interface RandomResizedCropOptions extends SizeOptions {
  /** Lowest and highest share of the picture's area that the crop covers, above 0 to 1. @default [0.08, 1] */
  readonly scale?: readonly [lowest: number, highest: number] | undefined;
  /** Lowest and highest width / height of the crop. @default [0.75, 1.3333333333333333] */
  readonly ratio?: readonly [lowest: number, highest: number] | undefined;
  /** The filter. @default that of the network's preprocessing */
  readonly interpolation?: Interpolation | undefined;
}

/** Draws nothing: resizes to a size, with antialiasing. */
export const drawResize: Draw<ResizePictureOptions> = (
  { shorterSide, interpolation, ...size }: ResizePictureOptions,
  frame,
) => {
  const source = { left: 0, top: 0, width: frame.width, height: frame.height };
  const filter = checkFilter("resize's interpolation", interpolation ?? frame.interpolation);
  if (shorterSide === undefined) return resized(source, { ...sizeOf("resize", size, frame), frame, filter });
  checkSide("resize's shorterSide", shorterSide);
  check(size.width === undefined && size.height === undefined, "resize", "a shorterSide or a width and height", "both");
  // As torchvision: the longer side is truncated.
  const long = Math.trunc((shorterSide * Math.max(frame.width, frame.height)) / Math.min(frame.width, frame.height));
  const upright = frame.width <= frame.height;
  const [width, height] = upright ? [shorterSide, long] : [long, shorterSide];
  return resized(source, { width, height, frame, filter });
};

/** Draws nothing: takes the middle of the picture, as torchvision's CenterCrop. */
export const drawCenterCrop: Draw<CenterCropOptions> = ({ fill, value, ...size }: CenterCropOptions, frame) => {
  const { width, height } = sizeOf("center-crop", size, frame);
  const how = warping("center-crop", { fill, value });
  return cropped({ left: middle(frame.width, width), top: middle(frame.height, height), width, height }, how, frame);
};

/** Draws the place of a crop of fixed size, as torchvision's RandomCrop. */
export const drawRandomCrop: Draw<RandomCropOptions> = (
  { padding = 0, padIfNeeded = true, fill, value, ...size }: RandomCropOptions,
  frame,
  rng,
) => {
  const { width, height } = sizeOf("random-crop", size, frame);
  const how = warping("random-crop", { fill, value });
  const [across, down] = typeof padding === "number" ? [padding, padding] : padding;
  for (const pixels of [across, down]) {
    check(
      Number.isInteger(pixels) && pixels >= 0 && pixels <= 8192,
      "random-crop's padding",
      "0 to 8192 whole pixels",
      pixels,
    );
  }
  const place = (side: number, padded: number, wanted: number) => {
    const room = side + 2 * padded - wanted;
    if (room >= 0) return whole(room + 1, rng) - padded;
    check(padIfNeeded, "random-crop", `${wanted} pixels or padIfNeeded`, `${side + 2 * padded}`);
    // torchvision pads both sides by what is missing, and crops at random from that.
    return whole(1 - room, rng) - padded + room;
  };
  const left = place(frame.width, across, width);
  return cropped({ left, top: place(frame.height, down, height), width, height }, how, frame);
};

/** Draws a crop of random area and shape, and resizes it with antialiasing, as torchvision's RandomResizedCrop. */
export const drawRandomResizedCrop: Draw<RandomResizedCropOptions> = (
  { scale = [0.08, 1], ratio = [0.75, 1.3333333333333333], interpolation, ...size }: RandomResizedCropOptions,
  frame,
  rng,
) => {
  const shares = bounds("random-resized-crop's scale", scale, { least: 1e-6, most: 1 });
  const ratios = bounds("random-resized-crop's ratio", ratio, { least: 0.001, most: 1000 });
  const filter = checkFilter("random-resized-crop's interpolation", interpolation ?? frame.interpolation);
  const { width, height } = sizeOf("random-resized-crop", size, frame);
  return resized(randomRegion(frame, shares, ratios, rng), { width, height, frame, filter });
};

/** Resizes the picture and its marks. */
export const resizePicture: Apply<ResizePictureOptions> = applying(drawResize);

/** Takes the middle of the picture with its marks. */
export const centerCrop: Apply<CenterCropOptions> = applying(drawCenterCrop);

/** Takes a rectangle of fixed size at a random place. */
export const randomCrop: Apply<RandomCropOptions> = applying(drawRandomCrop);

/** Takes a rectangle of random size and shape at a random place, and resizes it. */
export const randomResizedCrop: Apply<RandomResizedCropOptions> = applying(drawRandomResizedCrop);

/** torchvision's `RandomResizedCrop.get_params`: ten tries, then the largest centered rectangle of an allowed shape. */
function randomRegion(
  { width, height }: Size,
  [least, most]: readonly [number, number],
  [narrow, wide]: readonly [number, number],
  rng: Rng,
): Region {
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * (least + (most - least) * rng.next());
    const shape = narrow * (wide / narrow) ** rng.next();
    const w = Math.round(Math.sqrt(area * shape));
    const h = Math.round(Math.sqrt(area / shape));
    if (w > 0 && w <= width && h > 0 && h <= height) {
      return { top: whole(height - h + 1, rng), left: whole(width - w + 1, rng), width: w, height: h };
    }
  }
  const w = width / height > wide ? Math.min(width, Math.max(1, Math.round(height * wide))) : width;
  const h = width / height < narrow ? Math.min(height, Math.max(1, Math.round(width / narrow))) : height;
  return { left: Math.floor((width - w) / 2), top: Math.floor((height - h) / 2), width: w, height: h };
}

function resized(
  source: Region,
  { width, height, frame, filter }: Size & { readonly frame: Frame; readonly filter: Interpolation },
): GeometricStep | undefined {
  const same = (size: Size) => size.width === width && size.height === height;
  if (same(source) && same(frame)) return;
  return { kind: "resize", source, width, height, window: { left: 0, top: 0, width, height }, interpolation: filter };
}

function cropped(
  region: Region,
  { fill, value }: { readonly fill: FillMode; readonly value: FillValue },
  frame: Frame,
): GeometricStep | undefined {
  const whole = region.left === 0 && region.top === 0 && region.width === frame.width && region.height === frame.height;
  return whole ? undefined : { kind: "crop", ...region, fill, value };
}

/** Where a centered crop begins; a tie goes to the even neighbour, as Python rounds. Padding is halved downwards on the left. */
function middle(size: number, crop: number): number {
  if (crop > size) return -Math.floor((crop - size) / 2);
  const half = (size - crop) / 2;
  const from = Math.floor(half);
  return half > from && from % 2 === 1 ? from + 1 : from;
}

function sizeOf(name: string, { width, height }: SizeOptions, { target }: Frame): Size {
  const size = { width: width ?? target.width, height: height ?? target.height };
  checkSide(`${name}'s width`, size.width);
  checkSide(`${name}'s height`, size.height);
  return size;
}

function checkSide(option: string, side: number): void {
  check(Number.isInteger(side) && side >= 1 && side <= 8192, option, "1 to 8192 whole pixels", side);
}

function checkFilter(option: string, filter: Interpolation): Interpolation {
  check(INTERPOLATIONS.includes(filter), option, `one of ${INTERPOLATIONS.join(", ")}`, filter);
  return filter;
}
