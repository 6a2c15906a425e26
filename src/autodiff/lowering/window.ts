/** Cropping and padding of the spatial axes, where a window operator cannot do it itself. */
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Value } from "../../graph/graph.ts";

/** Removes as many elements as `pads` (all begins, then all ends) is negative, and adds none where it is positive. */
export function crop(b: GraphBuilder, x: Value, size: readonly number[], pads: readonly number[]): Value {
  const axes = size.flatMap((_, i) => (pads[i]! < 0 || pads[i + size.length]! < 0 ? [i] : []));
  if (axes.length === 0) return x;
  const starts = axes.map((i) => Math.max(0, -pads[i]!));
  const ends = axes.map((i) => size[i]! + Math.min(0, pads[i + size.length]!));
  return b.op("Slice", [x, b.ints(starts), b.ints(ends), b.ints(axes.map((i) => i + 2))]);
}

/** Adds a value, or zeros, around the spatial axes where `pads` is positive, and removes nothing where it is negative. */
export function pad(b: GraphBuilder, x: Value, pads: readonly number[], value: Value = ""): Value {
  if (pads.every((p) => p <= 0)) return x;
  const rank = pads.length / 2;
  const [begins, ends] = [pads.slice(0, rank), pads.slice(rank)].map((side) => side.map((p) => Math.max(0, p)));
  return b.op("Pad", [x, b.ints([0, 0, ...begins!, 0, 0, ...ends!]), ...(value === "" ? [] : [value])]);
}
