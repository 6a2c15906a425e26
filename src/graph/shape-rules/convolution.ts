/** Convolution, transposed convolution, and the window arithmetic that pooling shares. */
import { intOf, intsOf, stringOf } from "../attributes.ts";
import { type Dim, formatShape, type Shape } from "../graph.ts";
import { differ, like, mismatch, type RuleContext, type ShapeRule, shapeOf, shapeOfRank, unknownDim } from "./rule.ts";

/** A sliding window over the spatial dimensions. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** All begins, then all ends. */
  readonly pads: readonly number[];
  /** "NOTSET" uses `pads`. */
  readonly autoPad: string;
  readonly ceilMode: boolean;
}

/**
 * Reads the window attributes of a node over `rank` spatial dimensions.
 * @throws RootstockError SHAPE_MISMATCH if an attribute has another number of entries.
 */
export function windowOf(c: RuleContext, kernel: readonly number[], rank: number): Window {
  const attribute = (name: string, length: number, fallback: number): readonly number[] => {
    const values = intsOf(c.node, name, undefined);
    if (!values || values.length === 0) return Array.from({ length }, () => fallback);
    if (values.length !== length) throw mismatch(c.node, `${name} with ${length} entries`, `[${values}]`);
    return values;
  };
  if (kernel.length !== rank) throw mismatch(c.node, `a kernel of ${rank} dimensions`, `[${kernel}]`);
  return {
    kernel,
    strides: attribute("strides", rank, 1),
    dilations: attribute("dilations", rank, 1),
    pads: attribute("pads", 2 * rank, 0),
    autoPad: stringOf(c.node, "auto_pad", "NOTSET"),
    ceilMode: intOf(c.node, "ceil_mode", 0) === 1,
  };
}

/**
 * Spatial output sizes: floor((in + pads - reach) / stride) + 1, as in the ONNX operator pages of Conv and MaxPool. With
 * ceil_mode a single window may be larger than the padded input, by less than a stride: so in ONNX Runtime and PyTorch.
 */
export function windowOutput(
  c: RuleContext,
  spatial: Shape,
  { kernel, strides, dilations, pads, autoPad, ceilMode }: Window,
): Dim[] {
  const { dims } = c;
  return spatial.map((size, i) => {
    const stride = strides[i]!;
    const reach = dilations[i]! * (kernel[i]! - 1) + 1;
    const fallback = (): Dim => unknownDim(c, i + 2);
    if (autoPad.startsWith("SAME")) return dims.ceilDivide(size, stride) ?? fallback();
    const [begin, end] = autoPad === "VALID" ? [0, 0] : [pads[i]!, pads[i + spatial.length]!];
    const room = dims.add(size, begin + end - reach);
    checkSize(c, spatial, i, begin + end, ceilMode ? reach - stride + 1 : reach);
    if (!ceilMode) return dims.add(dims.floorDivide(room, stride) ?? fallback(), 1);
    const steps = dims.ceilDivide(room, stride) ?? fallback();
    // A window that would start in the padding at the end is dropped.
    if (typeof steps === "string" || typeof size === "string") return stride === 1 ? dims.add(steps, 1) : fallback();
    return steps * stride >= size + begin ? steps : steps + 1;
  });
}

function checkSize(c: RuleContext, spatial: Shape, axis: number, padding: number, least: number): void {
  const size = spatial[axis];
  if (typeof size === "number" && size + padding < least)
    throw mismatch(c.node, `a padded input of at least ${least} along spatial axis ${axis}`, formatShape(spatial));
}

/** Conv: X [n, c, ...], W [m, c / group, ...kernel], B [m]. Y [n, m, ...]. */
export const conv: ShapeRule = (c) => {
  const x = shapeOfRank(c, 0, 3);
  const w = shapeOfRank(c, 1, 3);
  if (!x) return like(c, undefined);
  const group = intOf(c.node, "group", 1);
  if (w) {
    const channels = c.dims.mul(w[1]!, group);
    if (x.length !== w.length || differ(x[1], channels)) {
      throw mismatch(
        c.node,
        `an input with ${channels} channels for weights ${formatShape(w)} in ${group} group(s)`,
        formatShape(x),
      );
    }
    if (typeof w[0] === "number" && w[0] % group !== 0)
      throw mismatch(c.node, `output channels divisible by ${group} groups`, formatShape(w));
  }
  checkBias(c, w?.[0]);
  const spatial = x.slice(2);
  const kernel = kernelOf(c, w);
  const out = kernel
    ? windowOutput(c, spatial, windowOf(c, kernel, spatial.length))
    : spatial.map((_, i) => unknownDim(c, i + 2));
  return like(c, [x[0]!, w?.[0] ?? unknownDim(c, 1), ...out]);
};

/** ConvTranspose: W [c, m / group, ...kernel]; out = stride (in - 1) + output_padding + reach - pads. */
export const convTranspose: ShapeRule = (c) => {
  const x = shapeOfRank(c, 0, 3);
  const w = shapeOfRank(c, 1, 3);
  if (!x) return like(c, undefined);
  if (w && (x.length !== w.length || differ(x[1], w[0]))) {
    throw mismatch(c.node, `an input with ${w[0]} channels for weights ${formatShape(w)}`, formatShape(x));
  }
  const channels = w ? c.dims.mul(w[1]!, intOf(c.node, "group", 1)) : unknownDim(c, 1);
  checkBias(c, channels);
  const spatial = x.slice(2);
  const kernel = kernelOf(c, w);
  const given = intsOf(c.node, "output_shape", undefined);
  if (given && given.length > 0) return like(c, [x[0]!, channels, ...given.slice(-spatial.length)]);
  if (!kernel) return like(c, [x[0]!, channels, ...spatial.map((_, i) => unknownDim(c, i + 2))]);
  const { strides, dilations, pads, autoPad } = windowOf(c, kernel, spatial.length);
  const extra = intsOf(c.node, "output_padding", []);
  const out = spatial.map((size, i) => {
    const stride = strides[i]!;
    if (autoPad.startsWith("SAME")) return c.dims.mul(size, stride);
    const padding = autoPad === "VALID" ? 0 : pads[i]! + pads[i + spatial.length]!;
    const rest = (extra[i] ?? 0) + dilations[i]! * (kernel[i]! - 1) + 1 - padding - stride;
    return c.dims.add(c.dims.mul(size, stride), rest);
  });
  return like(c, [x[0]!, channels, ...out]);
};

/** The kernel size: an attribute, or the weights' own. */
function kernelOf(c: RuleContext, w: Shape | undefined): readonly number[] | undefined {
  const sizes = intsOf(c.node, "kernel_shape", undefined);
  const own = w?.slice(2);
  if (sizes && own && sizes.some((size, i) => differ(size, own[i]))) {
    throw mismatch(c.node, `weights with kernel [${sizes}]`, formatShape(w));
  }
  if (sizes && sizes.length > 0) return sizes;
  return own?.every((dim) => typeof dim === "number") ? own : undefined;
}

function checkBias(c: RuleContext, channels: Dim | undefined): void {
  const bias = shapeOf(c, 2);
  if (bias && (bias.length !== 1 || differ(bias[0], channels))) {
    throw mismatch(c.node, `a bias of shape [${channels}]`, formatShape(bias));
  }
}
