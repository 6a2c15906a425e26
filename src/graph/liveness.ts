/** How much memory the values of a graph take when it runs. */
import { bytesPerElement } from "../tensor/dtype.ts";
import type { Graph, Shape, Value, ValueType } from "./graph.ts";
import { inferTypes, type ShapeRules } from "./infer-types.ts";
import { usedBy } from "./traverse.ts";

/** Operators whose output shares the memory of their first input in ONNX Runtime: they only rename or reshape. */
const VIEWS = new Set(["Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"]);

/** Memory of one run, in bytes. */
export interface MemoryUse {
  /** The most that computed values take at any one time, outputs included. */
  readonly peak: number;
  /** The node at which that is. */
  readonly at: string;
  /** Computed values whose size is not known, which are left out. */
  readonly unknown: number;
}

/**
 * Follows a run in node order: a value takes memory from the node that computes it to the last that reads it; outputs
 * keep theirs. Inputs and initializers are not counted: they belong to others.
 * @param sizes numbers for symbolic dimensions, such as the batch. @param custom shape rules of other domains.
 */
export function memoryUse(
  graph: Graph,
  sizes: ReadonlyMap<string, number> = new Map(),
  custom: ShapeRules = {},
): MemoryUse {
  const bound = (shape: Shape | undefined): Shape | undefined =>
    shape?.map((dim) => (typeof dim === "string" ? (sizes.get(dim) ?? dim) : dim));
  const inputs = graph.inputs.map((info) => ({ ...info, shape: bound(info.shape) }));
  const types = inferTypes({ ...graph, inputs, outputs: [] }, custom);
  const { root, freedAfter, read } = lifetimes(graph);
  const held = new Map<Value, number>();
  let [live, peak, unknown] = [0, 0, 0];
  let at = "";
  for (const [i, node] of graph.nodes.entries()) {
    for (const value of node.outputs.filter((name) => name !== "" && !root.has(name))) {
      const bytes = sizeInBytes(types.get(value));
      if (bytes === undefined) unknown++;
      else held.set(value, bytes);
      live += bytes ?? 0;
    }
    if (live > peak) [peak, at] = [live, node.name];
    const unread = node.outputs.filter((name) => !read.has(name));
    for (const value of [...(freedAfter.get(i) ?? []), ...unread]) {
      live -= held.get(value) ?? 0;
      held.delete(value);
    }
  }
  return { peak, at, unknown };
}

interface Lifetimes {
  /** For a view, the value whose memory it shares. */
  readonly root: ReadonlyMap<Value, Value>;
  /** By position of a node, the values that nobody reads after it. */
  readonly freedAfter: ReadonlyMap<number, readonly Value[]>;
  /** Everything that is read at all, or is an output. */
  readonly read: ReadonlySet<Value>;
}

function lifetimes({ nodes, outputs }: Graph): Lifetimes {
  const root = new Map<Value, Value>();
  const lastUse = new Map<Value, number>();
  for (const [i, node] of nodes.entries()) {
    const [first] = node.inputs;
    if (node.domain === "" && VIEWS.has(node.op) && first) root.set(node.outputs[0]!, root.get(first) ?? first);
    for (const value of usedBy(node)) lastUse.set(root.get(value) ?? value, i);
  }
  for (const { name } of outputs) lastUse.set(root.get(name) ?? name, Number.POSITIVE_INFINITY);
  const freedAfter = new Map<number, Value[]>();
  for (const [value, i] of lastUse) freedAfter.set(i, [...(freedAfter.get(i) ?? []), value]);
  return { root, freedAfter, read: new Set(lastUse.keys()) };
}

/** Bytes of a value, if its shape is all numbers. */
function sizeInBytes(type: ValueType | undefined): number | undefined {
  if (!type?.shape) return undefined;
  return type.shape.reduce<number | undefined>(
    (product, dim) => (product === undefined || typeof dim === "string" ? undefined : product * dim),
    bytesPerElement(type.dtype),
  );
}
