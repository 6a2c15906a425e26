/**
 * Sizes that a graph computes from its input's shape, such as the target of a Reshape. They are no data: what knows the
 * number of images can compute them again, so they do not tie the end of a network to its beginning.
 */
import type { GraphBuilder } from "../graph/builder.ts";
import type { Dim, Graph, Node, Value } from "../graph/graph.ts";
import { inferValues } from "../graph/infer-types.ts";
import type { Inferred } from "../graph/shape-rules/rule.ts";
import { int64, tensor } from "../tensor/tensor.ts";

/** Computed values that follow from the number of images, by name. */
export type BatchSizes = ReadonlyMap<Value, Inferred>;

/** The whole numbers that a graph computes from the sizes of its input, as far as only the batch is unknown. */
export function batchSizes(graph: Graph, batch: Dim): BatchSizes {
  const computed = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const known = [...inferValues(graph)].filter(
    ([name, { dtype, shape, contents }]) =>
      computed.has(name) &&
      (dtype === "int64" || dtype === "int32") &&
      shape !== undefined &&
      contents?.every((element) => factorOf(element, batch) !== undefined),
  );
  return new Map(known);
}

/** Adds nodes that compute such a value, under its own name (reserved before), from the shape of another value. */
export function emitBatchSize(b: GraphBuilder, name: Value, size: Inferred, like: Value, batch: Dim): void {
  const elements = size.contents!.map((element) => factorOf(element, batch)!); // only these are listed by batchSizes
  const whole = (values: readonly number[]): Value =>
    b.constant(size.dtype === "int64" ? int64(values) : tensor("int32", [values.length], Int32Array.from(values)));
  const count = b.op("Slice", [b.op("Shape", [like]), b.ints([0]), b.ints([1]), b.ints([0])]);
  const typed = size.dtype === "int64" ? count : b.cast(count, size.dtype);
  const parts = elements.map(({ factor, times }) => (times ? b.mul(typed, whole([factor])) : whole([factor])));
  const list = parts.length === 1 ? parts[0]! : b.op("Concat", parts, { axis: { kind: "int", value: 0 } });
  const [op, inputs] = size.shape!.length === 0 ? ["Squeeze", [list, b.ints([0])]] : ["Identity", [list]];
  b.node({ op, domain: "", name, inputs, outputs: [name], attributes: {} });
}

/** Keeps the names of nodes that will be added, of their outputs, and of more values free: fresh names avoid them. */
export function reserveNames(b: GraphBuilder, nodes: readonly Node[], values: readonly Value[] = []): void {
  const outputs = new Set([...values, ...nodes.flatMap((node) => node.outputs)]);
  b.reserve([...outputs]);
  const { initializers, inputs } = b.build([]);
  const defined = new Set([...initializers.keys(), ...inputs.map(({ name }) => name)]);
  b.reserve([...new Set(nodes.map(({ name }) => name))].filter((name) => !outputs.has(name) && !defined.has(name)));
}

/** An element as factor, or factor times the batch; undefined for everything else. */
function factorOf(
  element: Dim | undefined,
  batch: Dim,
): { readonly factor: number; readonly times: boolean } | undefined {
  if (typeof element === "number") return { factor: element, times: false };
  if (element === undefined || typeof batch === "number") return undefined;
  if (element === batch) return { factor: 1, times: true };
  const [factor, name, ...rest] = element.split("*"); // how the algebra of dimensions writes a multiple
  return name === batch && rest.length === 0 && /^\d+$/.test(factor!)
    ? { factor: Number(factor), times: true }
    : undefined;
}
