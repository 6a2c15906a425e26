/** Which of several ways to compute a gradient is taken: measured by the caller, or by the thresholds here. */
import { sizeOf } from "../../../tensor/tensor.ts";
import type { WindowAttributes } from "../../gradient-operators.ts";
import type { Sizes } from "./known.ts";

/**
 * The gradients that can be computed in several ways, and the ways.
 * - `dW1x1`, dW of a 1x1 convolution as products of matrices. `blocked`: per image, the side with more channels blocked
 *   as it is. `batched`: per image, [m, hw] by [hw, c]. `single`: one product over the batch.
 * - `dWkxk`, dW of larger kernels. `volume`: a convolution of X by dY in which channels are a third spatial axis.
 *   `taps`: one product of matrices for each element of the kernel.
 * - `dXstrided`, dX of a convolution with strides. `phases`: for each remainder of a position by the stride, a
 *   convolution with the weights that reach it. `transposed`: ONNX's ConvTranspose.
 */
export const VARIANTS = {
  dW1x1: ["blocked", "batched", "single"],
  dWkxk: ["volume", "taps"],
  dXstrided: ["phases", "transposed"],
} as const satisfies Record<string, readonly string[]>;

export type GradientKind = keyof typeof VARIANTS;
export type Variant = (typeof VARIANTS)[GradientKind][number];

/** One gradient at one shape. */
export interface GradientKey {
  readonly kind: GradientKind;
  /** [n, c, h, w] of X and [n, m, h, w] of dY. */
  readonly x: Sizes;
  readonly dy: Sizes;
  readonly window: WindowAttributes;
}

/** Chooses a variant; undefined leaves it to the built-in thresholds. */
export type Choose = (key: GradientKey, variants: readonly Variant[]) => Variant | undefined;

/** Chosen variants by `keyText`. */
export type VariantTable = Readonly<Record<string, Variant>>;

/** A key as one line of text, for tables: "dWkxk 16x64x56x56 by 16x64x56x56, kernel 3x3, strides 1x1, …". */
export function keyText({ kind, x, dy, window }: GradientKey): string {
  const { kernel, strides, dilations, pads, group } = window;
  const sizes = { kernel, strides, dilations, pads, group: [group] };
  const rest = Object.entries(sizes).map(([name, values]) => `${name} ${values.join("x")}`);
  return [`${kind} ${x.join("x")} by ${dy.join("x")}`, ...rest].join(", ");
}

/** Chooses what a table says, and leaves the rest to the thresholds. */
export function choosing(table: VariantTable): Choose {
  return (key) => table[keyText(key)];
}

/** Positions of dY from which the images of a batch are worth a matrix product each. */
const BATCHED_FROM = 400;
/** Positions from which moving the larger side out of the blocked layout costs more than reading it there. */
const BLOCKED_FROM = 700;

/** Columns from which the product inside `volume` has the same bits for one thread and two; see steady-products.ts. */
const STEADY_FROM = 160;

/** The variants that can compute a gradient, the default first. */
export function variantsOf({ kind, x, dy, window }: GradientKey): readonly Variant[] {
  const positions = sizeOf(dy.slice(2));
  if (kind === "dWkxk") return (x[1] ?? 0) * sizeOf(window.kernel) < STEADY_FROM ? ["taps"] : VARIANTS[kind];
  if (kind !== "dW1x1") return VARIANTS[kind];
  if (window.strides.some((stride) => stride > 1)) {
    return positions >= BATCHED_FROM ? ["batched", "single"] : ["single", "batched"];
  }
  if (positions >= BLOCKED_FROM) return ["blocked", "batched", "single"];
  return positions >= BATCHED_FROM ? ["batched", "blocked", "single"] : ["single", "batched", "blocked"];
}
