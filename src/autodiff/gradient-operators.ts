/**
 * Operators that gradient rules emit and no runtime knows: what has to be computed, not how. Lowering replaces each of
 * them by operators of ONNX, chosen for the runtime and the shape.
 */
import type { Attributes } from "../graph/attributes.ts";
import { intOf, ints, intsOf } from "../graph/attributes.ts";
import type { Node } from "../graph/graph.ts";
import type { ShapeRules } from "../graph/infer-types.ts";
import { like, shapeOf } from "../graph/shape-rules/rule.ts";

/** Domain of the gradient operators. */
export const GRADIENT_DOMAIN = "rootstock";

/**
 * - `ConvGradX(dY [n, m, ...out], W [m, c/group, ...kernel])` → dX [n, c, ...size] of a convolution.
 * - `ConvGradW(X [n, c, ...size], dY [n, m, ...out])` → dW [m, c/group, ...kernel].
 * - `MaxPoolGrad(X, Y, dY)` → dX. Where several elements of a window are largest, the first in row-major order gets all.
 */
export type GradientOp = "ConvGradX" | "ConvGradW" | "MaxPoolGrad";

/** Attributes of the gradient operators: the forward node's window with every default written out. */
export interface WindowAttributes {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** All begins, then all ends; automatic padding resolved. Negative where the input is cropped. */
  readonly pads: readonly number[];
  readonly group: number;
  /** Spatial sizes of X, which those of Y do not determine. */
  readonly size: readonly number[];
}

export function windowAttributes({ kernel, strides, dilations, pads, group, size }: WindowAttributes): Attributes {
  return {
    kernel_shape: ints(kernel),
    strides: ints(strides),
    dilations: ints(dilations),
    pads: ints(pads),
    group: { kind: "int", value: group },
    size: ints(size),
  };
}

/** The window of a gradient operator. */
export function readWindow(node: Node): WindowAttributes {
  const list = (name: string): readonly number[] => intsOf(node, name, []);
  return {
    kernel: list("kernel_shape"),
    strides: list("strides"),
    dilations: list("dilations"),
    pads: list("pads"),
    group: intOf(node, "group", 1),
    size: list("size"),
  };
}

/** Elements from the first to the last that one window spans: dilation (kernel - 1) + 1. */
export function reachOf({ kernel, dilations }: Pick<WindowAttributes, "kernel" | "dilations">): number[] {
  return kernel.map((k, i) => dilations[i]! * (k - 1) + 1);
}

/** Shapes of what the gradient operators give. */
export const GRADIENT_SHAPES: ShapeRules = {
  [`${GRADIENT_DOMAIN}.ConvGradX`]: (c) => {
    const { group, size } = readWindow(c.node);
    const [dy, w] = [shapeOf(c, 0), shapeOf(c, 1)];
    return like(c, dy && w && [dy[0]!, c.dims.mul(w[1]!, group), ...size]);
  },
  [`${GRADIENT_DOMAIN}.ConvGradW`]: (c) => {
    const { group, kernel } = readWindow(c.node);
    const [x, dy] = [shapeOf(c, 0), shapeOf(c, 1)];
    const channels = x?.[1];
    return like(c, dy && typeof channels === "number" ? [dy[1]!, channels / group, ...kernel] : undefined);
  },
  [`${GRADIENT_DOMAIN}.MaxPoolGrad`]: (c) => like(c, shapeOf(c, 0)),
};
