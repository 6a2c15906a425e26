/**
 * Keeps ONNX Runtime from changing what a maximum over zero-padded maps is. Its optimizer moves the zeros of a Pad into
 * the pads of the MaxPool behind it, which are lower than any number instead (PadFusion, microsoft/onnxruntime#18136):
 * windows at the border that hold only negative numbers then give these instead of 0.
 */
import { int64, type Tensor, toNumbers } from "../tensor/tensor.ts";
import type { Graph, Node, Value } from "./graph.ts";
import { producersOf } from "./traverse.ts";

/** Operators whose outputs are never negative: zeros do not win over them, wherever they are. */
const NEVER_NEGATIVE = new Set(["Exp", "HardSigmoid", "Relu", "Sigmoid", "Softmax", "Softplus"]);

/**
 * The graph with one more row padded and cut off again before a MaxPool where the difference matters, which keeps the
 * Pad apart. A graph without such places is returned as it is.
 */
export function keepPaddingOfMaxPools(graph: Graph): Graph {
  const producers = producersOf(graph.nodes);
  const pads = new Map<Node, Tensor>();
  for (const { op, inputs } of graph.nodes) {
    const pad = op === "MaxPool" ? producers.get(inputs[0]!) : undefined;
    const sizes = pad && isOfZeros(pad, graph) ? graph.initializers.get(pad.inputs[1]!) : undefined;
    if (pad && sizes?.data.length === 8 && !isNeverNegative(pad.inputs[0]!, graph, producers)) pads.set(pad, sizes);
  }
  if (pads.size === 0) return graph;
  const initializers = new Map(graph.initializers);
  const taken = new Set([...producers.keys(), ...initializers.keys(), ...graph.inputs.map(({ name }) => name)]);
  for (const { name } of graph.nodes) taken.add(name);
  const fresh = (hint: string): Value => {
    const name = taken.has(hint) ? fresh(`${hint}'`) : hint;
    taken.add(name);
    return name;
  };
  const nodes = graph.nodes.flatMap((node) => {
    const sizes = pads.get(node);
    return sizes ? apart(node, toNumbers(sizes), { initializers, fresh }) : [node];
  });
  return { ...graph, nodes, initializers };
}

/** Whether a node pads all axes with zeros. */
function isOfZeros({ op, domain, inputs, attributes }: Node, { initializers }: Graph): boolean {
  const { mode } = attributes;
  const value = inputs[2] ? initializers.get(inputs[2]) : undefined;
  return (
    op === "Pad" &&
    domain === "" &&
    (mode === undefined || (mode.kind === "string" && mode.value === "constant")) &&
    (!inputs[2] || (value?.data.length === 1 && toNumbers(value)[0] === 0)) &&
    !inputs[3]
  );
}

interface Names {
  readonly initializers: Map<Value, Tensor>;
  readonly fresh: (hint: string) => Value;
}

/** A Pad [n, c, h, w] that adds a row more, and a Slice that takes it away. */
function apart(node: Node, sizes: readonly number[], { initializers, fresh }: Names): Node[] {
  const constant = (part: string, tensor: Tensor): Value => {
    const name = fresh(`${node.name}/${part}`);
    initializers.set(name, tensor);
    return name;
  };
  const taller = fresh(`${node.name}/taller`);
  const more = int64(sizes.map((size, i) => (i === 6 ? size + 1 : size)));
  const [, , ...rest] = node.inputs;
  const pad: Node = {
    ...node,
    name: taller,
    inputs: [node.inputs[0]!, constant("pads", more), ...rest],
    outputs: [taller],
  };
  const inputs = [taller, constant("start", int64([0])), constant("end", int64([-1])), constant("axis", int64([2]))];
  return [pad, { op: "Slice", domain: "", name: node.name, inputs, outputs: node.outputs, attributes: {} }];
}

function isNeverNegative(value: Value, { initializers }: Graph, producers: ReadonlyMap<Value, Node>): boolean {
  const node = producers.get(value);
  if (node?.op !== "Clip") return node !== undefined && NEVER_NEGATIVE.has(node.op);
  const low = initializers.get(node.inputs[1] ?? "");
  return low !== undefined && toNumbers(low)[0]! >= 0;
}
