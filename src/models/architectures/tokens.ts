/** Moving the elements of maps and token lists, with shapes as `Layers` notes them: without the batch. */
import { int } from "../../graph/attributes.ts";
import type { Value } from "../../graph/graph.ts";
import type { Layers } from "./layers.ts";

/** The same elements in another shape. */
export function reshape(l: Layers, x: Value, shape: readonly number[], name = "reshape"): Value {
  return l.shaped(l.b.op("Reshape", [x, l.b.ints([0, ...shape])], {}, name), shape);
}

/** Axis i of the result is axis order[i] of `x`. */
export function transpose(l: Layers, x: Value, order: readonly number[]): Value {
  const shape = l.shapeOf(x);
  return l.shaped(
    l.b.transpose(x, [0, ...order.map((axis) => axis + 1)]),
    order.map((axis) => shape[axis]!),
  );
}

/** A map [c, h, w] as [h, w, c]. */
export function channelsLast(l: Layers, x: Value): Value {
  return transpose(l, x, [1, 2, 0]);
}

/** A map [h, w, c] as [c, h, w]. */
export function channelsFirst(l: Layers, x: Value): Value {
  return transpose(l, x, [2, 0, 1]);
}

/** A map [c, h, w] as a list [h w, c], row by row. */
export function tokensOf(l: Layers, x: Value): Value {
  const [channels, height, width] = l.shapeOf(x) as readonly [number, number, number];
  return transpose(l, reshape(l, x, [channels, height * width]), [1, 0]);
}

/** The list with a learned token [1, 1, c] in front. */
export function withToken(l: Layers, token: Value, x: Value): Value {
  const { b } = l;
  const [, width] = l.shapeOf(x) as readonly [number, number];
  const images = b.op("Slice", [b.op("Shape", [x]), b.ints([0]), b.ints([1]), b.ints([0])]);
  const sizes = b.op("Concat", [images, b.ints([1, width])], { axis: int(0) });
  const repeated = l.shaped(b.op("Expand", [token, sizes]), [1, width]);
  return l.concat([repeated, x]);
}

/** The first token of a list [tokens, c], as [c]. */
export function firstToken(l: Layers, x: Value): Value {
  const [, width] = l.shapeOf(x) as readonly [number, number];
  const first = l.b.constant({ dtype: "int64", shape: [], data: BigInt64Array.of(0n) }, "first");
  return l.shaped(l.b.op("Gather", [x, first], { axis: int(1) }, "token"), [width]);
}
