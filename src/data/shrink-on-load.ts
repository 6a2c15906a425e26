/**
 * Which large JPEG files are decoded at a half, a quarter or an eighth of their size. The decoder then skips most of
 * the inverse cosine transform and color conversion, and our resize has far less to read.
 *
 * A picture is decoded at three or more times the size that the preprocessing brings it to, and that is resized as ever.
 * The tolerance: on photographs the result differs from that of full decoding by at most 0.4 grey levels on average and
 * 8 for any pixel (bilinear: 0.25 and 3). What would not keep it is decoded in full:
 * - less than 9 times as large as the result: too little would be left over;
 * - sides that the factor does not divide: the decoder rounds up, which would move the pixels;
 * - filters with hard edges, "nearest" and "box"; "center-square", whose square would begin between two pixels;
 * - random crops of parts that are small.
 */
import type { RandomResizedCropOptions } from "../transforms/geometric/crop.ts";
import type { Preprocessing } from "../transforms/preprocessing.ts";
import type { Augmentation } from "../transforms/transform.ts";

/** Files of fewer bytes are not worth looking at. */
export const SHRINK_BYTES = 2 ** 16;

/** A size to decode at, and the filter that leads there from the decoder's half, quarter or eighth. */
export interface ShrunkSize {
  readonly width: number;
  readonly height: number;
  readonly kernel: "mitchell" | "lanczos3";
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** How much larger than the result a picture is decoded, along each side. */
const OVERSAMPLING = 3;
/** The decoder's factors, each from this ratio of the file's size to the decoded size on: sharp's own rule. */
const FACTORS = [
  { factor: 8, from: 9 },
  { factor: 4, from: 5 },
  { factor: 2, from: 3 },
] as const;

/**
 * Returns the size at which to decode a JPEG file, or undefined for its own. Equal arguments give equal sizes: what a
 * view shows never depends on what else is made of the file.
 * @param picture Upright. @param augmentation Of a random view; none for the clean image.
 */
export function shrunkSize(
  picture: Size,
  preprocessing: Preprocessing,
  augmentation?: Augmentation,
): ShrunkSize | undefined {
  const first = augmentation?.transforms[0];
  const own = first?.name === "random-resized-crop" ? first.interpolation : undefined;
  const interpolation = own ?? preprocessing.interpolation;
  if (interpolation === "nearest" || interpolation === "box") return undefined;
  const result = resultSize(picture, preprocessing, augmentation);
  if (!result) return undefined;
  const kernel = interpolation === "bilinear" ? "mitchell" : "lanczos3";
  const ratio = Math.min(picture.width / result.width, picture.height / result.height);
  for (const { factor, from } of FACTORS) {
    const times = Math.floor(ratio / from);
    const divides = picture.width % factor === 0 && picture.height % factor === 0;
    if (times >= OVERSAMPLING && divides) return { width: times * result.width, height: times * result.height, kernel };
  }
  return undefined;
}

/** The size of the whole picture when what is seen of it has the size of the input. */
function resultSize(picture: Size, preprocessing: Preprocessing, augmentation?: Augmentation): Size | undefined {
  const [height, width] = preprocessing.inputSize;
  const first = augmentation?.transforms[0];
  if (first?.name === "random-resized-crop") return cropSize(picture, Math.max(width, height), first);
  if (first?.name === "resize") return undefined; // to a size of its own
  if (preprocessing.resize.kind === "center-square") return undefined;
  if (preprocessing.resize.kind === "stretch") return { width, height };
  // As preprocess.ts, so that the longer side comes out the same.
  const { size } = preprocessing.resize;
  const long = Math.trunc((size * Math.max(picture.width, picture.height)) / Math.min(picture.width, picture.height));
  return picture.width <= picture.height ? { width: size, height: long } : { width: long, height: size };
}

/** The size at which the smallest part that may be cropped still has `side` pixels. */
function cropSize(
  { width, height }: Size,
  side: number,
  { scale = [0.08, 1], ratio = [0.75, 1.3333333333333333], ...own }: RandomResizedCropOptions,
): Size {
  const drawn = Math.sqrt(width * height * scale[0] * Math.min(ratio[0], 1 / ratio[1]));
  const last = Math.min(width, height) * Math.min(1, ratio[1], 1 / ratio[0]); // where no draw fits into the picture
  const times = Math.max(side, own.width ?? 0, own.height ?? 0) / Math.min(drawn, last);
  return { width: Math.max(1, Math.ceil(width * times)), height: Math.max(1, Math.ceil(height * times)) };
}
