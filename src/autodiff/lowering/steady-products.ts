/**
 * Matrix products whose bits do not depend on the number of threads.
 *
 * ONNX Runtime's kernel (MLAS sgemm) gives threads parts of the longer side of the result. Parts of the columns change
 * how far it sums at a time, and with it the rounding; parts of the rows do not. So a product with more columns than
 * rows is computed as the transpose of the product of the transposes.
 */
import { floatOf, intOf } from "../../graph/attributes.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import type { Graph, Node, Shape, Value } from "../../graph/graph.ts";
import { inferTypes, type ShapeRules } from "../../graph/infer-types.ts";
import { BLOCKED_DOMAIN } from "./fast/blocked-conv.ts";

/** Beyond so many columns, the part of every thread is so wide that the kernel sums in the same way. */
const WIDE = 4096;

/** What is known of blocked values: their element type. What follows a Reshape of them has a known shape again. */
const BLOCKED: ShapeRules = Object.fromEntries(
  ["Conv", "GlobalAveragePool", "MaxPool", "ReorderInput", "ReorderOutput"].map((op) => [
    `${BLOCKED_DOMAIN}.${op}`,
    () => [{ dtype: "float32" }],
  ]),
);

/** The same graph with such products turned round. Sizes that are not numbers are left as they are. */
export function steadyProducts(graph: Graph): Graph {
  const types = inferTypes(graph, BLOCKED);
  const shapeOf = (value: Value | undefined): Shape | undefined => types.get(value ?? "")?.shape;
  const b = new GraphBuilder(graph.name, { ...graph, nodes: [] });
  b.reserveNodes(graph.nodes);
  for (const node of graph.nodes) {
    const sizes = productOf(node, shapeOf);
    if (sizes === undefined || sizes.columns <= sizes.rows || sizes.columns >= WIDE) b.node(node);
    else turnedRound(b, node);
  }
  return b.build(graph.outputs);
}

/** Rows and columns of the result of a plain product of two matrices, if that is what a node is. */
function productOf(
  node: Node,
  shapeOf: (value: Value | undefined) => Shape | undefined,
): { readonly rows: number; readonly columns: number } | undefined {
  if (node.domain !== "" || (node.op !== "Gemm" && node.op !== "MatMul")) return undefined;
  const [x, y] = [shapeOf(node.inputs[0]), shapeOf(node.inputs[1])];
  if (x?.length !== 2 || y?.length !== 2 || floatOf(node, "beta", 1) !== 1) return undefined;
  const rows = x[intOf(node, "transA", 0)];
  const columns = y[1 - intOf(node, "transB", 0)];
  return typeof rows === "number" && typeof columns === "number" ? { rows, columns } : undefined;
}

/** alpha A B + C = (alpha Bᵀ Aᵀ)ᵀ + C, under the name of the node's output. */
function turnedRound(b: GraphBuilder, node: Node): void {
  const [x, y, c = ""] = node.inputs as readonly [Value, Value, Value?]; // a product has two operands
  const flag = (name: string): boolean => intOf(node, name, 0) === 1;
  const turned = b.gemm(y, x, { transA: !flag("transB"), transB: !flag("transA"), alpha: floatOf(node, "alpha", 1) });
  const output = node.outputs[0]!;
  const attributes = { perm: { kind: "ints", value: [1, 0] } } as const;
  if (c === "")
    b.node({ op: "Transpose", domain: "", name: node.name, inputs: [turned], outputs: [output], attributes });
  else {
    const product = b.transpose(turned, [1, 0]);
    b.node({ op: "Add", domain: "", name: node.name, inputs: [product, c], outputs: [output], attributes: {} });
  }
}
