/** Augmentation policies: RandAugment, TrivialAugment and AugMix with torchvision's operations and magnitudes. */
import { RootstockError } from "../../errors.ts";
import type { Rng } from "../../random.ts";
import type { Image } from "../image.ts";
import type { FillMode, FillValue } from "../resampling/warp.ts";
import { dirichlet, happens, whole } from "./chance.ts";
import {
  isGeometricOperation,
  type OperationName,
  type OperationSpace,
  type OperationWarp,
  operationSpace,
  POLICY_OPERATIONS,
  type PolicyName,
  STRENGTHS,
} from "./policy-operations.ts";

/** What all policies share. */
interface PolicyOptions {
  /**
   * Whether operations that move pixels take part: shear, translate, rotate. Boxes and keypoints do not move with them,
   * so that pictures with boxes require false. @default true
   */
  readonly geometric?: boolean | undefined;
  /** What is seen where pixels moved away. @default "constant" */
  readonly fill?: FillMode | undefined;
  /** The color of "constant", 0 to 255. @default 0 */
  readonly value?: FillValue | undefined;
  /** Chance of any change, in [0, 1]. @default 1 */
  readonly probability?: number | undefined;
}

export interface RandAugmentOptions extends PolicyOptions {
  /** Operations that are applied one after another, at least 1. @default 2 */
  readonly operations?: number | undefined;
  /** Strength of all of them, 0 to 30. @default 9 */
  readonly magnitude?: number | undefined;
  /** How moved pixels are read. @default "nearest" */
  readonly interpolation?: "nearest" | "bilinear" | undefined;
}

/**
 * Applies random operations of one strength (Cubuk et al. 2019, arXiv:1909.13719).
 * @throws RootstockError BAD_CONFIG if `operations` or `magnitude` is out of range.
 */
export function randAugment(
  image: Image,
  {
    operations = 2,
    magnitude = 9,
    interpolation = "nearest",
    geometric = true,
    fill = "constant",
    value = 0,
    probability = 1,
  }: RandAugmentOptions,
  rng: Rng,
): Image {
  requireWhole("rand-augment", "operations", operations, [1, 16]);
  requireWhole("rand-augment", "magnitude", magnitude, [0, STRENGTHS - 1]);
  if (!happens(probability, rng)) return image;
  const space = spaceFor("rand-augment", image, { geometric, enhancements: true });
  let result = image;
  for (let i = 0; i < operations; i++) {
    const step = drawStep(space, rng, (strengths) => Math.min(magnitude, strengths - 1));
    result = POLICY_OPERATIONS[step.name](result, step.magnitude, { interpolation, fill, value });
  }
  return result;
}

export interface TrivialAugmentOptions extends PolicyOptions {
  /** How moved pixels are read. @default "nearest" */
  readonly interpolation?: "nearest" | "bilinear" | undefined;
}

/** Applies one random operation of random strength (Müller and Hutter 2021, arXiv:2103.10158, the wide space). */
export function trivialAugment(
  image: Image,
  { interpolation = "nearest", geometric = true, fill = "constant", value = 0, probability = 1 }: TrivialAugmentOptions,
  rng: Rng,
): Image {
  if (!happens(probability, rng)) return image;
  const space = spaceFor("trivial-augment", image, { geometric, enhancements: true });
  const { name, magnitude } = drawStep(space, rng, (strengths) => whole(strengths, rng));
  return POLICY_OPERATIONS[name](image, magnitude, { interpolation, fill, value });
}

export interface AugMixOptions extends PolicyOptions {
  /** Strengths are drawn below this one, 1 to 10. @default 3 */
  readonly severity?: number | undefined;
  /** Chains that are mixed, 1 to 16. @default 3 */
  readonly width?: number | undefined;
  /** Operations of a chain, 1 to 16. @default 1, 2 or 3, drawn for each chain */
  readonly depth?: number | undefined;
  /** Of the Beta and Dirichlet distributions of the weights, above 0. @default 1 */
  readonly alpha?: number | undefined;
  /** Whether brightness, color, contrast and sharpness take part; the paper leaves them out. @default true */
  readonly enhancements?: boolean | undefined;
  /** How moved pixels are read. @default "bilinear" */
  readonly interpolation?: "nearest" | "bilinear" | undefined;
}

/**
 * Mixes the picture with chains of operations on it (Hendrycks et al. 2019, arXiv:1912.02781; without the paper's loss).
 *
 * Weights and mixing as torchvision's AugMix. Its operations run on tensors there, on 8-bit levels here.
 * @throws RootstockError BAD_CONFIG if an option is out of range.
 */
export function augMix(
  image: Image,
  {
    severity = 3,
    width = 3,
    depth,
    alpha = 1,
    enhancements = true,
    interpolation = "bilinear",
    geometric = true,
    fill = "constant",
    value = 0,
    probability = 1,
  }: AugMixOptions,
  rng: Rng,
): Image {
  requireWhole("aug-mix", "severity", severity, [1, 10]);
  requireWhole("aug-mix", "width", width, [1, 16]);
  if (depth !== undefined) requireWhole("aug-mix", "depth", depth, [1, 16]);
  if (!happens(probability, rng)) return image;
  const space = spaceFor("aug-mix", image, { geometric, enhancements });
  const [original, mixed] = dirichlet(alpha, 2, rng) as readonly [number, number]; // two numbers were asked for
  const chains = dirichlet(alpha, width, rng).map((share): AugMixChain => {
    const length = depth ?? 1 + whole(3, rng);
    const draw = () => drawStep(space, rng, (strengths) => whole(Math.min(severity, strengths), rng));
    return { weight: share * mixed, steps: Array.from({ length }, draw) };
  });
  return mixChains(image, original, chains, { interpolation, fill, value });
}

/** One operation with its magnitude. */
export interface PolicyStep {
  readonly name: OperationName;
  readonly magnitude: number;
}

/** Operations one after another, and the share of their result in the mix. */
export interface AugMixChain {
  readonly weight: number;
  readonly steps: readonly PolicyStep[];
}

/** Returns the weighted sum of the picture and the results of the chains, in float32, truncated. */
export function mixChains(image: Image, original: number, chains: readonly AugMixChain[], how: OperationWarp): Image {
  const sum = new Float32Array(image.data.length);
  addWeighted(image.data, original, sum);
  for (const { weight, steps } of chains) {
    const result = steps.reduce((from, { name, magnitude }) => POLICY_OPERATIONS[name](from, magnitude, how), image);
    addWeighted(result.data, weight, sum);
  }
  const data = new Uint8Array(sum.length);
  for (let i = 0; i < sum.length; i++) data[i] = Math.min(sum[i]!, 255);
  return { width: image.width, height: image.height, data };
}

function addWeighted(data: Uint8Array, weight: number, sum: Float32Array): void {
  const products = Float32Array.from({ length: 256 }, (_, level) => Math.fround(weight) * level);
  for (let i = 0; i < data.length; i++) sum[i] = sum[i]! + products[data[i]!]!;
}

/** Draws an operation, its strength among as many as it has, and its sign. */
function drawStep(space: OperationSpace, rng: Rng, strength: (count: number) => number): PolicyStep {
  const { name, magnitudes, signed } = space[whole(space.length, rng)]!;
  const magnitude = magnitudes[magnitudes.length === 1 ? 0 : strength(magnitudes.length)]!;
  return { name, magnitude: signed && rng.next() < 0.5 ? -magnitude : magnitude };
}

function spaceFor(
  policy: PolicyName,
  image: Image,
  { geometric, enhancements }: { readonly geometric: boolean; readonly enhancements: boolean },
): OperationSpace {
  const enhancing: readonly string[] = ["brightness", "color", "contrast", "sharpness"];
  return operationSpace(policy, image).filter(
    ({ name }) => (geometric || !isGeometricOperation(name)) && (enhancements || !enhancing.includes(name)),
  );
}

function requireWhole(
  policy: PolicyName,
  option: string,
  value: number,
  [least, most]: readonly [number, number],
): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RootstockError(
    "BAD_CONFIG",
    `${policy} requires ${option} to be a whole number from ${least} to ${most}, got ${value}.`,
  );
}
