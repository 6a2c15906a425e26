/** Blocked maps and numbers per channel or per position. */
import type { Node, Value } from "../../../graph/graph.ts";
import { blockedConv } from "./blocked-conv.ts";
import type { Forms } from "./forms.ts";
import type { Sizes } from "./known.ts";
import { constantVector, packVector } from "./weights.ts";

/** Mul, Add and Sub where one operand is broadcast; false for what is computed plain. */
export function perChannel(f: Forms, node: Node): boolean {
  const [left, right] = node.inputs as readonly [Value, Value];
  const sizes = f.known.sizes(node.outputs[0]!)!; // the caller has asked
  if (node.inputs.length !== 2) return false;
  if (node.op === "Mul" && outerProduct(f, node, sizes)) return true;
  const isMap = f.known.hasSizes(left, sizes);
  const [map, other] = isMap || node.op === "Sub" ? [left, right] : [right, left];
  if (!f.known.hasSizes(map, sizes) || !f.isBlocked(map)) return false;
  const shape = f.known.type(other)?.dtype === "float32" ? f.known.shape(other) : undefined;
  if (!shape || shape.length > 4) return false;
  const [n, channels] = sizes;
  const [rows, columns, ...positions] = [...[1, 1, 1, 1].slice(shape.length), ...shape];
  if (columns !== channels || positions.some((size) => size !== 1)) return false;
  const operands = { y: node.outputs[0]!, map, other, sizes };
  if (rows === 1) return withVector(f, node.op, operands);
  return rows === n && node.op === "Mul" && gated(f, operands);
}

interface Operands {
  readonly y: Value;
  readonly map: Value;
  readonly other: Value;
  readonly sizes: Sizes;
}

/**
 * A depthwise 1x1 convolution multiplies by its weights and adds its bias, one number per channel each: scale and shift
 * of a normalization take one pass, and may become part of what is around them.
 */
function withVector(f: Forms, op: string, { y, map, other, sizes: [, channels] }: Operands): boolean {
  const group = f.padded(channels);
  const vector = (): Value => packVector(f, other, channels);
  const depthwise = { group, kernel: [1, 1] };
  if (op === "Mul") {
    f.promise(y, { ...depthwise, x: f.as(map, "blocked"), w: f.reshape(vector(), [group, 1, 1, 1]) });
    return true;
  }
  if (op !== "Add" && op !== "Sub") return false;
  const bias = op === "Add" ? vector() : f.b.neg(vector());
  const conv = f.take(map, (own) => (own.bias ?? "") === "");
  f.promise(
    y,
    conv ? { ...conv, bias } : { ...depthwise, x: f.as(map, "blocked"), w: constantVector(f, 1, group), bias },
  );
  return true;
}

/** [n, c, h, w] times [n, c, 1, 1]: a depthwise convolution in which every channel of every image is a group. */
function gated(f: Forms, { y, map, other, sizes: [n, channels, h, w] }: Operands): boolean {
  const group = n * f.padded(channels);
  const x = f.reshape(f.as(map, "blocked"), [1, group, h, w]);
  const gates = f.reshape(f.as(other, "blocked"), [group, 1, 1, 1]);
  const product = blockedConv(f.b, { x, w: gates, group, kernel: [1, 1] });
  f.set(y, "blocked", f.reshape(product, [n, f.padded(channels), h, w]));
  return true;
}

/** [n, c, 1, 1] times [1, 1, h, w]: how the gradient of a mean over positions spreads. */
function outerProduct(f: Forms, { inputs, outputs }: Node, [n, channels, h, w]: Sizes): boolean {
  const [left, right] = inputs as readonly [Value, Value];
  if (!f.known.hasSizes(left, [n, channels, 1, 1]) || !f.known.hasSizes(right, [1, 1, h, w])) return false;
  if (channels < f.block) return false;
  const wide = f.padded(channels);
  const means = f.reshape(f.as(left, "blocked"), [n, wide / f.block, 1, f.block]);
  const map = f.reshape(f.as(right, "plain"), [1, 1, h * w, 1]);
  f.set(outputs[0]!, "blocked", f.reshape(f.b.mul(means, map), [n, wide, h, w]));
  return true;
}
