/** Pooling and sums over positions of blocked values. */
import { intOf } from "../../../graph/attributes.ts";
import type { Node, Value } from "../../../graph/graph.ts";
import { sumsOfProducts } from "./batch-norm.ts";
import { BLOCKED_DOMAIN } from "./blocked-conv.ts";
import type { Forms } from "./forms.ts";
import type { Sizes } from "./known.ts";

/** MaxPool without places, and GlobalAveragePool. */
export function pool(f: Forms, node: Node): boolean {
  const x = node.inputs[0]!;
  if (!f.known.sizes(x) || !f.known.sizes(node.outputs[0]!) || !f.isBlocked(x) || node.outputs.length > 1) return false;
  f.set(node.outputs[0]!, "blocked", f.b.custom(BLOCKED_DOMAIN, node.op, [f.as(x, "blocked")], node.attributes));
  return true;
}

/** ReduceSum and ReduceMean over positions, with or without the batch, by GlobalAveragePool. */
export function reduce(f: Forms, node: Node): boolean {
  const [x, axesName = ""] = node.inputs as readonly [Value, Value?];
  const y = node.outputs[0]!;
  const [sizes, shape, numbers] = [f.known.sizes(x), f.known.shape(y), f.known.numbers(axesName)];
  if (!sizes || !shape || !numbers || !f.isBlocked(x)) return false;
  const axes = [...new Set(numbers.map((axis) => (axis < 0 ? axis + 4 : axis)))].sort().join();
  if (axes !== "2,3" && axes !== "0,2,3") return false;
  const { b } = f;
  const overBatch = axes === "0,2,3";
  const [n, channels] = sizes;
  const wide = f.padded(channels);
  const positions = sizes[2] * sizes[3];
  const product = overBatch ? factorsOf(f, x, sizes) : undefined;
  const means = (): Value => b.custom(BLOCKED_DOMAIN, "GlobalAveragePool", [f.as(x, "blocked")]); // [n, c', 1, 1]
  const perChannel = product
    ? sumsOfProducts(f, product, sizes)
    : overBatch
      ? b.reduceSum(means(), { axes: [0] })
      : means();
  const ofSums = product ? 1 : positions; // means have to be multiplied by it
  const factor = node.op === "ReduceSum" ? ofSums : overBatch ? ofSums / (n * positions) : 1;
  const scaled = factor === 1 ? perChannel : b.mul(perChannel, b.scalar(factor));
  const own = wide === channels ? scaled : f.cut(scaled, [1], [channels]);
  const keepdims = intOf(node, "keepdims", 1) === 1;
  f.set(y, "plain", keepdims ? own : f.reshape(own, shape));
  return true;
}

/** The factors of a product of two blocked maps that nothing else reads: its sums do not need it. */
function factorsOf(f: Forms, x: Value, sizes: Sizes): readonly [Value, Value] | undefined {
  const producer = f.known.producer(x);
  if (producer?.op !== "Mul" || producer.domain !== "" || !f.known.usedOnce(x)) return undefined;
  const [left, right] = producer.inputs as readonly [Value, Value];
  const isMap = (value: Value): boolean => f.known.hasSizes(value, sizes) && f.isBlocked(value);
  return isMap(left) && isMap(right) ? [f.as(left, "blocked"), f.as(right, "blocked")] : undefined;
}
