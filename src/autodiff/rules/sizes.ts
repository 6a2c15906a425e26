/** Lists of sizes that rules hand to operators: constants where the numbers are known, computed where they are not. */

import { int } from "../../graph/attributes.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Value } from "../../graph/graph.ts";
import { type Tensor, toNumbers } from "../../tensor/tensor.ts";
import type { VjpContext } from "../rule.ts";

/** A size that is known, or an int64 value of one element that holds it. */
export type Size = number | Value;

/** An int64 list of sizes; one-dimensional values of several elements may stand among them. */
export function sizeList(b: GraphBuilder, sizes: readonly Size[]): Value {
  if (sizes.every((size) => typeof size === "number")) return b.ints(sizes);
  const parts = sizes.map((size) => (typeof size === "number" ? b.ints([size]) : size));
  return parts.length === 1 ? parts[0]! : b.op("Concat", parts, { axis: int(0) });
}

/** The size of a value along an axis. */
export function sizeAt({ b, shapeOf }: Pick<VjpContext<never>, "b" | "shapeOf">, x: Value, axis: number): Size {
  const dim = shapeOf(x)[axis]!;
  return typeof dim === "number" ? dim : sizesOf(b, x, axis, axis + 1);
}

/** The sizes of a value from axis `start` up to `end`, computed. */
export function sizesOf(b: GraphBuilder, x: Value, start: number, end: number): Value {
  return b.op("Shape", [x], { start: int(start), end: int(end) });
}

/** A value in the shape of another one, sizes of 0 included. */
export function reshapeLike(b: GraphBuilder, value: Value, like: Value): Value {
  return b.op("Reshape", [value, b.op("Shape", [like])], { allowzero: int(1) });
}

/** The number of elements of a value's axes from `start` up to `end`. */
export function productAt(c: Pick<VjpContext<never>, "b" | "shapeOf">, x: Value, start: number, end: number): Size {
  const dims = c.shapeOf(x).slice(start, end);
  if (dims.every((dim) => typeof dim === "number")) return dims.reduce((product, dim) => product * dim, 1);
  return c.b.op("ReduceProd", [sizesOf(c.b, x, start, end)]);
}

/** The sum of two sizes. */
export function plus(b: GraphBuilder, x: Size, y: Size): Size {
  if (typeof x === "number" && typeof y === "number") return x + y;
  if (x === 0 || y === 0) return x === 0 ? y : x;
  return b.add(sizeList(b, [x]), sizeList(b, [y]));
}

/** An axis counted from the front. */
export function frontAxis(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** The numbers of a constant, if it is one. */
export function numbersOf(tensor: Tensor | undefined): number[] | undefined {
  return tensor && toNumbers(tensor);
}

/** Zeros put before and behind a value along axes; negative counts crop. */
export function padAxes(
  b: GraphBuilder,
  x: Value,
  pads: readonly { readonly axis: number; readonly begin: number; readonly end: number }[],
): Value {
  const used = pads.filter(({ begin, end }) => begin !== 0 || end !== 0);
  if (used.length === 0) return x;
  const counts = [...used.map(({ begin }) => begin), ...used.map(({ end }) => end)];
  return b.op("Pad", [x, b.ints(counts), "", b.ints(used.map(({ axis }) => axis))]);
}

/** A range of positions of a value along an axis. */
export function sliceAxis(b: GraphBuilder, x: Value, axis: number, start: Size, end: Size): Value {
  return b.op("Slice", [x, sizeList(b, [start]), sizeList(b, [end]), b.ints([axis])]);
}

/** Slices of a value put at distinct places along an axis that has `size` places then, zeros at the others. */
export function placeAlong(b: GraphBuilder, x: Value, axis: number, places: readonly number[], size: number): Value {
  const [first = 0] = places;
  if (places.every((place, i) => place === first + i))
    return padAxes(b, x, [{ axis, begin: first, end: size - first - places.length }]);
  const sources = new Array<number>(size).fill(-1); // index -1 finds the zeros at the end
  for (const [source, place] of places.entries()) sources[place] = source;
  const padded = sources.includes(-1) ? padAxes(b, x, [{ axis, begin: 0, end: 1 }]) : x;
  return b.op("Gather", [padded, b.ints(sources)], { axis: int(axis) });
}
