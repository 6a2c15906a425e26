/** Shape inference: the element type and shape of every value, with symbolic dimensions, from the graph's inputs down. */
import { formatShape, type Graph, type Node, operatorKey, type Value, type ValueType } from "./graph.ts";
import { dimAlgebra } from "./shape-rules/dims.ts";
import { contentsOfTensor, type Inferred, mismatch, type ShapeRule } from "./shape-rules/rule.ts";
import { shapeRule } from "./shape-rules/table.ts";

/** Shape rules of operators outside ONNX's own domain, by "domain.Op". */
export type ShapeRules = Readonly<Record<string, ShapeRule | undefined>>;

/**
 * Infers the type of every value: graph inputs, initializers and node outputs.
 * Sizes that follow from others are formulas of their names ("12*batch"); a size that cannot be known has a name of its
 * own. Values of operators without a rule are absent; those of other domains have the rules in `custom`. Declared output
 * shapes are not read.
 * @throws RootstockError SHAPE_MISMATCH if the inputs of a node cannot go together, or make more than 2^31 elements.
 */
export function inferTypes(graph: Graph, custom: ShapeRules = {}): Map<Value, ValueType> {
  return new Map(
    [...inferValues(graph, custom)].map(([name, { dtype, shape }]) => [name, shape ? { dtype, shape } : { dtype }]),
  );
}

/** Infers types as `inferTypes` does, with the known elements of shape computations. */
export function inferValues(graph: Graph, custom: ShapeRules = {}): Map<Value, Inferred> {
  const declared = [...graph.inputs, ...graph.outputs].flatMap(({ shape }) => shape ?? []);
  const dims = dimAlgebra(declared.filter((dim) => typeof dim === "string"));
  const opset = graph.opsets.get("") ?? 1;
  const known = new Map<Value, Inferred>();
  const tensors = new Map(graph.initializers);
  for (const { name, dtype, shape } of graph.inputs) known.set(name, { dtype, shape });
  for (const [name, tensor] of graph.initializers) {
    known.set(name, { dtype: tensor.dtype, shape: tensor.shape, contents: contentsOfTensor(tensor) });
  }
  for (const node of graph.nodes) {
    const rule = (node.domain === "" ? undefined : customRule(node, custom)) ?? shapeRule(operatorKey(node));
    if (!rule) continue;
    const { value } = node.op === "Constant" ? node.attributes : {};
    if (value?.kind === "tensor") tensors.set(node.outputs[0]!, value.value);
    const inputs = node.inputs.map((name) => known.get(name));
    const constant = (index: number) => tensors.get(node.inputs[index] ?? "");
    const outputs = rule({ node, opset, inputs, constant, dims });
    checkSizes(node, outputs);
    for (const [i, name] of node.outputs.entries()) {
      const output = outputs[i];
      if (name !== "" && output) known.set(name, output);
    }
  }
  return known;
}

function customRule(node: Node, custom: ShapeRules): ShapeRule | undefined {
  const key = operatorKey(node);
  return Object.hasOwn(custom, key) ? custom[key] : undefined;
}

/** No size is negative and no value beyond any memory, whatever a shape computation gave. */
function checkSizes(node: Node, outputs: readonly (Inferred | undefined)[]): void {
  const wrong = outputs.find((output) => output?.shape?.some((dim) => typeof dim === "number" && dim < 0));
  if (wrong) throw mismatch(node, "outputs of sizes of at least 0", formatShape(wrong.shape));
  for (const { shape } of outputs.filter((output) => output !== undefined)) {
    const elements = shape?.reduce<number>((product, dim) => (typeof dim === "number" ? product * dim : product), 1);
    if (elements !== undefined && elements > MAX_ELEMENTS)
      throw mismatch(node, "outputs of at most 2^31 elements, symbolic sizes left aside", formatShape(shape));
  }
}

/** Larger values than this, 8 GB of float32, are mistakes: a runtime would fill the memory with them. */
const MAX_ELEMENTS = 2 ** 31;
