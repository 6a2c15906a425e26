/** Makes a training image from a decoded picture: the one place where augmentation meets a network's preprocessing. */
import { RootstockError } from "../errors.ts";
import type { Rng } from "../random.ts";
import { checkImage, checkNames, plan } from "./compose.ts";
import { drawResize } from "./geometric/crop.ts";
import type { Frame } from "./geometric/geometric-draw.ts";
import { GEOMETRIC, isGeometric, type StartsFrom } from "./geometric/geometric-table.ts";
import type { Image } from "./image.ts";
import { bringToSize } from "./preprocess.ts";
import type { Preprocessing } from "./preprocessing.ts";
import { carryOut } from "./steps.ts";
import type { Augmentation } from "./transform.ts";

/** Returns what the first transform of an augmentation works on. */
export function startOf({ transforms }: Augmentation): StartsFrom {
  const first = transforms[0];
  return first && isGeometric(first) ? GEOMETRIC[first.name].startsFrom : "input";
}

/**
 * Returns one random view of a decoded picture, at the size of the network's input, before scaling and normalizing.
 *
 * A list that begins with `resize` or `random-resized-crop` works on the decoded picture. One that begins with
 * `random-crop` or `center-crop` works on the picture as the preprocessing resizes it, without its own crop. Any other
 * list works on the picture as the network sees it without augmentation. The result depends on the arguments only.
 * @throws RootstockError BAD_CONFIG for transforms that do not exist or end at another size than the network's input;
 *   BAD_DATA for a picture whose data do not fit its size.
 */
export function augmentImage(image: Image, preprocessing: Preprocessing, augmentation: Augmentation, rng: Rng): Image {
  const [height, width] = preprocessing.inputSize;
  const { interpolation, resize: how } = preprocessing;
  checkImage(image);
  const { transforms } = augmentation;
  checkNames(transforms);
  const from = startOf(augmentation);
  const shorterSide = from === "resized" && how.kind === "shortest-edge" ? how.size : undefined;
  const isSized = from !== "decoded" && shorterSide === undefined;
  const start = isSized ? bringToSize(image, preprocessing) : image;
  const frame: Frame = { width: start.width, height: start.height, target: { width, height }, interpolation };
  // Joined with the crop that follows, so that only what the crop shows is computed.
  const first = shorterSide === undefined ? undefined : drawResize({ shorterSide }, frame, rng);
  const result = carryOut({ image: start }, plan(transforms, frame, rng, first)).image;
  if (result.width === width && result.height === height) return result;
  throw new RootstockError(
    "BAD_CONFIG",
    `an augmentation requires transforms that end at the network's input of ${width}x${height} pixels, got ${result.width}x${result.height} ` +
      `after ${transforms.map(({ name }) => name).join(", ")}. Leave out width and height, or crop last.`,
  );
}
