/** The mask of Clip, in fewer passes over the elements. */
import { floatOf } from "../../../graph/attributes.ts";
import type { Node, Value } from "../../../graph/graph.ts";
import { type Activation, type BlockedConv, blockedConv } from "./blocked-conv.ts";
import type { Forms } from "./forms.ts";
import { constantVector } from "./weights.ts";

/** The steps of a mask: rules/mask.ts writes them as HardSigmoid of this slope. */
const STEEP = 2 ** 100;

interface ClipMask {
  readonly dy: Value;
  readonly y: Value;
  readonly high: number;
}

/**
 * The gradient of Clip(X, 0, high), dY [Y > 0] [high - Y > 0], as its rule writes it: dY times one mask. A depthwise
 * convolution gives P = high [Y > 0], another P - Y, whose step is 1 strictly between the bounds and 0 elsewhere.
 */
export function clipMask(f: Forms, node: Node): boolean {
  const mask = matchClipMask(f, node);
  if (!mask || !f.isBlocked(mask.y)) return false;
  const { dy, y, high } = mask;
  const group = f.padded(f.known.sizes(y)![1]);
  const between = f.once(`mask ${high}`, y, () => {
    const x = f.as(y, "blocked");
    const positive = scaled(f, { x, scale: STEEP, group, activation: { name: "Clip", parameters: [0, high] } });
    const step: Activation = { name: "HardSigmoid", parameters: [STEEP, 0] };
    return scaled(f, { x, scale: -1, group, sum: positive, activation: step });
  });
  f.set(node.outputs[0]!, "blocked", f.b.mul(f.as(dy, "blocked"), between));
  return true;
}

function matchClipMask(f: Forms, { op, inputs }: Node): ClipMask | undefined {
  if (op !== "Mul") return undefined;
  const [product, below] = inputs.map((value) => f.known.producer(value));
  if (product?.op !== "Mul" || !f.known.usedOnce(product.outputs[0]!)) return undefined;
  const [dy, aboveName] = product.inputs as readonly [Value, Value];
  const above = f.known.producer(aboveName);
  const high = stepAt(below, -1);
  const low = stepAt(above, 1);
  const y = above?.inputs[0];
  const sizes = y === undefined ? undefined : f.known.sizes(y);
  if (low !== 0 || high === undefined || high <= 0 || !sizes || below!.inputs[0] !== y) return undefined;
  return f.known.hasSizes(dy, sizes) ? { dy, y: y!, high } : undefined;
}

/** The bound at which a step rises (sign 1) or falls (sign -1). */
function stepAt(node: Node | undefined, sign: number): number | undefined {
  if (node?.op !== "HardSigmoid" || floatOf(node, "alpha", 0.2) !== sign * STEEP) return undefined;
  return (-sign * floatOf(node, "beta", 0.5)) / STEEP + 0; // + 0 turns -0 into 0
}

/** scale X + sum, activated: a depthwise 1x1 convolution, whose weights are one constant. */
function scaled(
  f: Forms,
  {
    scale,
    group,
    ...conv
  }: Pick<BlockedConv, "x" | "sum" | "activation"> & { readonly scale: number; readonly group: number },
): Value {
  const w = constantVector(f, scale, group);
  return blockedConv(f.b, { ...conv, w, group, kernel: [1, 1] });
}
