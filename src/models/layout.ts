/** Where the channels of each value are: maps may be [n, c, h, w] or [n, h, w, c], and both occur in one network. */

import { intsOf } from "../graph/attributes.ts";
import type { Graph, Node, Shape, Value, ValueType } from "../graph/graph.ts";

/** The axis of the channels: 1, or the last. */
export type Layout = "first" | "last";

/** Operators whose output has its channels on axis 1, by definition. */
const CHANNELS_FIRST = new Set([
  "AveragePool",
  "BatchNormalization",
  "Conv",
  "ConvTranspose",
  "DepthToSpace",
  "GlobalAveragePool",
  "GlobalMaxPool",
  "GroupNormalization",
  "InstanceNormalization",
  "LRN",
  "MaxPool",
  "SpaceToDepth",
]);

/** Operators that mix the last axis, which is then that of the channels. */
const CHANNELS_LAST = new Set(["LayerNormalization", "MatMul"]);

/** The layout of every value, as far as operators tell; others follow what they are computed from. */
export function layouts(graph: Graph, types: ReadonlyMap<Value, ValueType>): ReadonlyMap<Value, Layout> {
  const known = new Map<Value, Layout>();
  for (const { name, shape } of graph.inputs)
    known.set(name, shape?.length === 4 && shape[3] === 3 && shape[1] !== 3 ? "last" : "first");
  for (const node of graph.nodes) {
    const layout = layoutOf(node, known, (value) => types.get(value)?.shape);
    if (layout) for (const value of node.outputs) known.set(value, layout);
  }
  return known;
}

function layoutOf(
  node: Node,
  known: ReadonlyMap<Value, Layout>,
  shapeOf: (value: Value) => Shape | undefined,
): Layout | undefined {
  if (CHANNELS_FIRST.has(node.op)) return "first";
  if (CHANNELS_LAST.has(node.op)) return "last";
  const input = node.inputs.find((value) => known.has(value));
  const before = input === undefined ? undefined : known.get(input);
  if (input === undefined || before === undefined) return undefined;
  const [from, to] = [shapeOf(input), shapeOf(node.outputs[0]!)];
  if (!from || !to) return before;
  const axis = before === "last" ? from.length - 1 : 1;
  if (node.op === "Transpose") {
    const perm = intsOf(node, "perm", undefined) ?? from.map((_, i) => from.length - 1 - i);
    return perm.indexOf(axis) === 1 ? "first" : "last";
  }
  if (to.length <= 2) return "last";
  // A reshape keeps the channels where their number is found again.
  if (from.length !== to.length) return before === "first" && to[1] === from[axis] ? "first" : "last";
  return before;
}

/** The size of a value per image, channels last: "14x14x96"; unknown sizes are "?". */
export function sizeText({ shape, layout }: { readonly shape: Shape; readonly layout: Layout }): string {
  const [, ...sizes] = shape.map((dim) => (typeof dim === "number" ? String(dim) : "?"));
  const [channels, ...spatial] = sizes;
  return (layout === "last" || channels === undefined ? sizes : [...spatial, channels]).join("x");
}
