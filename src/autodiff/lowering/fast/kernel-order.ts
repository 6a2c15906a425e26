/**
 * Weights of convolutions kept in the order in which their gradients come: taps outside, input channels inside,
 * [m, ...kernel, c] instead of [m, c, ...kernel]. Updates do not care about order, and neither side is transposed.
 */
import { intsOf } from "../../../graph/attributes.ts";
import { GraphBuilder } from "../../../graph/builder.ts";
import type { Graph, Node, Value } from "../../../graph/graph.ts";
import { consumersOf, producersOf, prune } from "../../../graph/traverse.ts";
import { gradientName } from "../../gradient.ts";
import { dropOutputCopies } from "./outputs.ts";

/** From [m, ...kernel, c] to [m, c, ...kernel]. */
const CHANNELS_FIRST = [0, 3, 1, 2];
/** From [m, c, taps] to [m, taps, c]. */
const TAPS_OUTSIDE = [0, 2, 1];

/**
 * The parameters, inputs of a training graph, whose gradients are transposed for nothing but being given. A gradient
 * without a declared shape has lost a Reshape: what is transposed there is of another shape, as of depthwise kernels.
 */
export function transposedGradients(graph: Graph): ReadonlySet<Value> {
  const [producers, consumers] = [producersOf(graph.nodes), consumersOf(graph.nodes)];
  const shaped = new Set(graph.outputs.filter(({ shape }) => shape !== undefined).map(({ name }) => name));
  const isTransposed = ({ name }: { readonly name: Value }): boolean => {
    if (!shaped.has(gradientName(name))) return false;
    const node = producers.get(gradientName(name));
    return permutes(node, CHANNELS_FIRST) && consumers.get(node.inputs[0]!)!.length === 1;
  };
  return new Set(graph.inputs.filter(isTransposed).map(({ name }) => name));
}

/**
 * The graph that takes these parameters, declared [m, c, kh, kw], as [m, kh, kw, c], and that gives their gradients,
 * where it gives any, in that order too: as many elements, without a declared shape.
 */
export function withTapsOutside(graph: Graph, parameters: ReadonlySet<Value>): Graph {
  if (parameters.size === 0) return graph;
  const [producers, consumers] = [producersOf(graph.nodes), consumersOf(graph.nodes)];
  const sizes = new Map(graph.inputs.map(({ name, shape }) => [name, shape?.map(Number)]));
  const inputs = graph.inputs.map((info) => {
    if (!parameters.has(info.name)) return info;
    const [m, c, kh, kw] = sizes.get(info.name)!;
    return { ...info, shape: [m!, kh!, kw!, c!] };
  });
  const b = new GraphBuilder(graph.name, { ...graph, inputs, nodes: [] });
  b.reserveNodes(graph.nodes);
  /** Under which names values are read and given. */
  const renamed = new Map<Value, Value>();
  const given = new Map<Value, Value>();
  for (const name of parameters) {
    const [m, c, kh, kw] = sizes.get(name)!;
    const gradient = producers.get(gradientName(name));
    if (gradient) given.set(gradient.inputs[0]!, gradientName(name));
    const readers = consumers.get(name) ?? [];
    const swaps = readers.flatMap((reader) => swapsOf(reader, consumers) ?? []);
    for (const { outputs } of swaps) renamed.set(outputs[0]!, b.op("Reshape", [name, b.ints([m!, kh! * kw!, c!])]));
    if (readers.some((reader) => swapsOf(reader, consumers) === undefined))
      renamed.set(name, b.transpose(name, CHANNELS_FIRST));
  }
  const names = new Set(given.values());
  for (const node of graph.nodes) {
    const [output] = node.outputs;
    if (names.has(output!) || renamed.has(output!)) continue;
    if (parameters.has(node.inputs[0]!) && swapsOf(node, consumers) !== undefined) continue;
    b.node({
      ...node,
      inputs: node.inputs.map((value) => renamed.get(value) ?? value),
      outputs: node.outputs.map((value) => given.get(value) ?? value),
    });
  }
  const outputs = graph.outputs.map((info) => (names.has(info.name) ? { name: info.name, dtype: info.dtype } : info));
  return dropOutputCopies(prune(b.build(outputs)), { reshapes: true });
}

/** Of a Reshape of weights to [m, c, taps], the nodes that read it, if they all swap taps and channels. */
function swapsOf(reader: Node, consumers: ReadonlyMap<Value, readonly Node[]>): readonly Node[] | undefined {
  if (reader.op !== "Reshape" || reader.domain !== "") return undefined;
  const swaps = consumers.get(reader.outputs[0]!) ?? [];
  return swaps.every((node) => permutes(node, TAPS_OUTSIDE)) ? swaps : undefined;
}

function permutes(node: Node | undefined, order: readonly number[]): node is Node {
  if (node?.op !== "Transpose" || node.domain !== "") return false;
  return intsOf(node, "perm", []).join() === order.join();
}
