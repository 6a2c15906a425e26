/** Applies a list of transforms: all randomness is drawn first, and geometric neighbours are joined into one resampling. */
import { RootstockError } from "../errors.ts";
import { nearest } from "../graph/nearest.ts";
import type { Rng } from "../random.ts";
import type { Frame } from "./geometric/geometric-draw.ts";
import { drawGeometric, GEOMETRIC, isGeometric } from "./geometric/geometric-table.ts";
import type { Image } from "./image.ts";
import type { Picture, Size } from "./picture.ts";
import { movesPixels, PIXEL_TRANSFORMS, type PixelSpec } from "./pixels/pixel-table.ts";
import type { Interpolation } from "./resampling/resize-taps.ts";
import { type CarryOutOptions, carryOut, join, type Step, sizeAfter } from "./steps.ts";
import type { TransformSpec } from "./transform.ts";

/** Options of `applyTransforms`. */
export interface ApplyTransformsOptions extends CarryOutOptions {
  /** Width in pixels of what sizing transforms make, unless they say otherwise. @default the picture's */
  readonly width?: number | undefined;
  /** Height in pixels of what sizing transforms make, unless they say otherwise. @default the picture's */
  readonly height?: number | undefined;
  /** The filter of sizing transforms that name none. @default "bilinear" */
  readonly interpolation?: Interpolation | undefined;
}

/**
 * Returns what the transforms make of a picture, in order; without any effect, the same picture with the same image.
 *
 * Transform i draws from `rng.fork(String(i))` only, so that changing one leaves the others' draws as they are.
 * Neighbouring rotations, shifts, shears, zooms, affine maps, perspectives and flips are resampled once; flips and crops
 * alone copy pixels; resizing is antialiased.
 * @throws RootstockError BAD_CONFIG for a transform that does not exist, an option that cannot be used, or a policy that
 *   moves pixels but not the picture's marks; BAD_DATA for a picture whose data do not fit its size.
 */
export function applyTransforms(
  picture: Picture,
  specs: readonly TransformSpec[],
  rng: Rng,
  { width, height, interpolation = "bilinear", ...options }: ApplyTransformsOptions = {},
): Picture {
  const { image } = picture;
  checkImage(image);
  checkNames(specs);
  const moving = specs.find((spec) => !isGeometric(spec) && movesPixels(spec));
  if (moving && (picture.boxes || picture.keypoints)) {
    throw new RootstockError(
      "BAD_CONFIG",
      `a picture with boxes or keypoints requires transforms that move them too, got "${moving.name}". Set its geometric to false.`,
    );
  }
  const target = { width: width ?? image.width, height: height ?? image.height };
  return carryOut(
    picture,
    plan(specs, { width: image.width, height: image.height, target, interpolation }, rng),
    options,
  );
}

/** Throws unless every transform is one. Their options are checked where they are used. @throws RootstockError BAD_CONFIG */
export function checkNames(specs: readonly TransformSpec[]): void {
  if (!Array.isArray(specs))
    throw new RootstockError("BAD_CONFIG", `transforms requires a list of { name, … }, got ${JSON.stringify(specs)}.`);
  for (const spec of specs) {
    const name: unknown = spec?.name;
    if (typeof name !== "string")
      throw new RootstockError("BAD_CONFIG", `a transform requires a name, got ${JSON.stringify(spec)}.`);
    if (Object.hasOwn(GEOMETRIC, name) || Object.hasOwn(PIXEL_TRANSFORMS, name)) continue;
    const near = nearest(name, [...Object.keys(GEOMETRIC), ...Object.keys(PIXEL_TRANSFORMS)]);
    const hint = near.length > 0 ? ` Did you mean ${near.map((other) => `"${other}"`).join(" or ")}?` : "";
    throw new RootstockError("BAD_CONFIG", `there is no transform ${JSON.stringify(name)}.${hint}`);
  }
}

/** Throws unless the data of a decoded picture fit its size. @throws RootstockError BAD_DATA */
export function checkImage(image: Image): void {
  const { width, height, data } = image ?? {};
  const isSized = [width, height].every((side) => Number.isInteger(side) && side >= 1);
  if (isSized && data instanceof Uint8Array && data.length === 3 * width * height) return;
  const got = data instanceof Uint8Array ? `${data.length} bytes` : "data that are no Uint8Array";
  throw new RootstockError(
    "BAD_DATA",
    `a picture requires a width and height from 1 and 3 * width * height bytes of R, G, B, got ${got} for ${width}x${height}. ` +
      "Leave out an alpha channel, and read files with dataLoader.",
  );
}

/**
 * Returns the steps that `applyTransforms` carries out: each "warp" and each "resize" is one resampling.
 * @param first A step before those of the list, which joins with them.
 */
export function plan(specs: readonly TransformSpec[], frame: Frame, rng: Rng, first?: Step): readonly Step[] {
  const steps: Step[] = first ? [first] : [];
  const before: Size[] = first ? [frame] : []; // the size that each step works on
  let size: Size = first ? sizeAfter(first, frame) : frame;
  for (const [i, spec] of specs.entries()) {
    const { width, height } = size;
    const source = rng.fork(String(i));
    let step: Step | undefined = isGeometric(spec)
      ? drawGeometric(spec, { ...frame, width, height }, source)
      : { kind: "pixels", name: spec.name, apply: (image) => applyPixels(spec, image, source) };
    while (step && steps.length > 0) {
      const joined = join(steps.at(-1)!, step, before.at(-1)!);
      if (!joined) break;
      steps.pop();
      size = before.pop()!;
      step = isNothing(joined) ? undefined : joined;
    }
    if (!step) continue;
    steps.push(step);
    before.push(size);
    size = sizeAfter(step, size);
  }
  return steps;
}

function isNothing(step: Step): boolean {
  return step.kind === "flip" && !step.horizontal && !step.vertical;
}

function applyPixels(spec: PixelSpec, image: Image, rng: Rng): Image {
  // The table's function takes this spec's options: TypeScript does not follow the name from one to the other.
  const apply = PIXEL_TRANSFORMS[spec.name] as (image: Image, options: PixelSpec, rng: Rng) => Image;
  return apply(image, spec, rng);
}
