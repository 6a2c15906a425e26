/** Work that the rules of several inputs of one node share. */
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Node } from "../../graph/graph.ts";

/** The function, remembering its result: for one node in one backward pass it computes, and emits nodes, only once. */
export function oncePerNode<C extends { readonly b: GraphBuilder; readonly node: Node }, T>(
  compute: (c: C) => T,
): (c: C) => T {
  const known = new WeakMap<GraphBuilder, WeakMap<Node, { readonly result: T }>>();
  return (c) => {
    const ofBuilder = known.get(c.b) ?? new WeakMap<Node, { readonly result: T }>();
    known.set(c.b, ofBuilder);
    const { result } = ofBuilder.get(c.node) ?? { result: compute(c) };
    ofBuilder.set(c.node, { result });
    return result;
  };
}
