/** The operations that RandAugment, TrivialAugment and AugMix choose from: each a function of the picture and a magnitude. */
import { rotation } from "../geometric/affine.ts";
import type { Image } from "../image.ts";
import { type FillMode, type FillValue, warp } from "../resampling/warp.ts";
import { adjustColor } from "./color.ts";
import { adjustSharpness } from "./filter.ts";
import { equalizeHistogram, stretchContrast } from "./histogram.ts";
import { posterizeTo, solarizeFrom } from "./levels.ts";

/** How the operations that move pixels read between them and beyond the border. */
export interface OperationWarp {
  readonly interpolation: "nearest" | "bilinear";
  readonly fill: FillMode;
  readonly value: FillValue;
}

/** The operations that move pixels. */
const GEOMETRIC_OPERATIONS = {
  /** Moves each row by `magnitude` times its distance from the top. */
  "shear-x": (image, magnitude, how) => warp(image, [1, magnitude, 0, 0, 1, 0, 0, 0, 1], how),
  /** Moves each column by `magnitude` times its distance from the left. */
  "shear-y": (image, magnitude, how) => warp(image, [1, 0, 0, magnitude, 1, 0, 0, 0, 1], how),
  /** Moves the picture to the right by whole pixels, truncated. */
  "translate-x": (image, magnitude, how) => warp(image, [1, 0, -Math.trunc(magnitude), 0, 1, 0, 0, 0, 1], how),
  /** Moves the picture down by whole pixels, truncated. */
  "translate-y": (image, magnitude, how) => warp(image, [1, 0, 0, 0, 1, -Math.trunc(magnitude), 0, 0, 1], how),
  /** Turns counterclockwise around the center, in degrees. */
  rotate: (image, magnitude, how) => warp(image, rotation(image, magnitude), how),
} as const satisfies Record<string, Operation>;

/** The operations that change pixels where they stand. */
const PIXEL_OPERATIONS = {
  identity: (image) => image,
  brightness: (image, magnitude) => adjustColor(image, [{ kind: "brightness", factor: 1 + magnitude }]),
  color: (image, magnitude) => adjustColor(image, [{ kind: "saturation", factor: 1 + magnitude }]),
  contrast: (image, magnitude) => adjustColor(image, [{ kind: "contrast", factor: 1 + magnitude }]),
  sharpness: (image, magnitude) => adjustSharpness(image, 1 + magnitude),
  /** Keeps `magnitude` bits, at least one: AugMix's table ends in 0, which is a black picture in torchvision. */
  posterize: (image, magnitude) => posterizeTo(image, Math.max(1, Math.trunc(magnitude))),
  /** Inverts the levels from `magnitude` up. */
  solarize: (image, magnitude) => solarizeFrom(image, magnitude),
  "auto-contrast": (image) => stretchContrast(image),
  equalize: (image) => equalizeHistogram(image),
} as const satisfies Record<string, Operation>;

type Operation = (image: Image, magnitude: number, how: OperationWarp) => Image;

/** Every operation by its name: torchvision's `_apply_op`, for PIL images. */
export const POLICY_OPERATIONS = { ...GEOMETRIC_OPERATIONS, ...PIXEL_OPERATIONS } as const satisfies Record<
  string,
  Operation
>;

export type OperationName = keyof typeof POLICY_OPERATIONS;

/** Says whether an operation moves pixels, so that boxes would have to move with them. */
export function isGeometricOperation(name: OperationName): boolean {
  return name in GEOMETRIC_OPERATIONS;
}

/** What a policy may do with an operation: its magnitudes by strength, and whether half of the draws negate them. */
export interface OperationRange {
  readonly magnitudes: readonly number[];
  readonly signed: boolean;
}

/** The operations that a policy draws from, in torchvision's order. */
export type OperationSpace = readonly (OperationRange & { readonly name: OperationName })[];

/** Names of the policies. */
export type PolicyName = "rand-augment" | "trivial-augment" | "aug-mix";

/** Strengths that RandAugment and TrivialAugment know: 0 to 30. */
export const STRENGTHS = 31;

/** torchvision's tables of magnitudes for pictures of that size; RandAugment and TrivialAugment have 31 strengths, AugMix 10. */
export function operationSpace(policy: PolicyName, { width, height }: Pick<Image, "width" | "height">): OperationSpace {
  const bins = policy === "aug-mix" ? 10 : STRENGTHS;
  const { shear, translate, degrees, enhance, bits, lostBits } = REACHES[policy];
  const signed = (name: OperationName, most: number) => ({ name, magnitudes: evenly(0, most, bins), signed: true });
  const without = (name: OperationName) => ({ name, magnitudes: [0], signed: false });
  const enhancements = (["brightness", "color", "contrast", "sharpness"] as const).map((name) => signed(name, enhance));
  const posterized = Array.from({ length: bins }, (_, i) => bits - Math.round(i / ((bins - 1) / lostBits)));
  return [
    ...(policy === "aug-mix" ? [] : [without("identity")]),
    signed("shear-x", shear),
    signed("shear-y", shear),
    signed("translate-x", translate(width)),
    signed("translate-y", translate(height)),
    signed("rotate", degrees),
    ...(policy === "aug-mix" ? [] : enhancements),
    { name: "posterize", magnitudes: posterized, signed: false },
    { name: "solarize", magnitudes: evenly(255, 0, bins), signed: false },
    without("auto-contrast"),
    without("equalize"),
    ...(policy === "aug-mix" ? enhancements : []),
  ];
}

/** The largest magnitudes; `bits` is what posterize keeps at least strength, `lostBits` what the greatest takes from it. */
const REACHES = {
  "rand-augment": {
    shear: 0.3,
    translate: (side: number) => (150 / 331) * side,
    degrees: 30,
    enhance: 0.9,
    bits: 8,
    lostBits: 4,
  },
  "trivial-augment": { shear: 0.99, translate: () => 32, degrees: 135, enhance: 0.99, bits: 8, lostBits: 6 },
  "aug-mix": { shear: 0.3, translate: (side: number) => side / 3, degrees: 30, enhance: 0.9, bits: 4, lostBits: 4 },
} as const;

/** `count` numbers from `first` to `last`, in float32 and from both ends as torch.linspace computes them. */
function evenly(first: number, last: number, count: number): readonly number[] {
  const [from, to] = [Math.fround(first), Math.fround(last)];
  const step = Math.fround((to - from) / (count - 1));
  return Array.from({ length: count }, (_, i) =>
    i < Math.floor(count / 2) ? Math.fround(from + step * i) : Math.fround(to - step * (count - 1 - i)),
  );
}
