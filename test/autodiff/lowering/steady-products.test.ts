import { expect, test } from "vitest";
import { steadyProducts } from "../../../src/autodiff/lowering/steady-products.ts";
import { float, int } from "../../../src/graph/attributes.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { rng } from "../../../src/random.ts";
import { Session } from "../../../src/runtime/session.ts";
import { float32, sizeOf } from "../../../src/tensor/tensor.ts";

const random = rng("products");
const noise = (...shape: number[]) =>
  float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => random.normal()),
  );

interface Product {
  readonly rows: number;
  readonly inner: number;
  readonly columns: number;
  readonly transA?: boolean;
  readonly transB?: boolean;
  readonly alpha?: number;
  readonly bias?: readonly number[];
  readonly op?: "Gemm" | "MatMul";
}

function graphOf({
  rows,
  inner,
  columns,
  transA = false,
  transB = false,
  alpha = 1,
  bias,
  op = "Gemm",
}: Product): Graph {
  const b = new GraphBuilder("product");
  const x = b.constant(transA ? noise(inner, rows) : noise(rows, inner));
  const y = b.constant(transB ? noise(columns, inner) : noise(inner, columns));
  const attributes = { transA: int(Number(transA)), transB: int(Number(transB)), alpha: float(alpha) };
  b.named(op, [x, y, ...(bias ? [b.constant(noise(...bias))] : [])], "product", op === "Gemm" ? attributes : {});
  return b.build([{ name: "product", dtype: "float32", shape: [rows, columns] }]);
}

async function run(graph: Graph, threads: number): Promise<Float32Array> {
  await using session = await Session.create(graph, { threads, optimization: "none" });
  return (await session.run({}))["product"]!.data as Float32Array;
}

const WIDE: readonly Product[] = [
  { rows: 24, inner: 1568, columns: 144 },
  { rows: 24, inner: 1568, columns: 96, transA: true, transB: true, alpha: 0.5 },
  { rows: 10, inner: 1280, columns: 37, transB: true, bias: [37] },
  { rows: 3, inner: 700, columns: 100, bias: [3, 1] },
  { rows: 8, inner: 900, columns: 65, op: "MatMul" },
];

test.each(WIDE)("a wide product has the same bits for any number of threads: %o", async (product) => {
  const graph = graphOf(product);
  const steady = steadyProducts(graph);
  expect(steady.nodes.length).toBeGreaterThan(1);
  const one = await run(steady, 1);
  expect(await run(steady, 2)).toEqual(one);
  const plain = await run(graph, 1);
  for (const [i, value] of one.entries()) expect(Math.abs(value - plain[i]!)).toBeLessThan(2e-4);
});

test("high products, scaled biases, stacks and open sizes stay as they are", () => {
  const high = graphOf({ rows: 144, inner: 50, columns: 24 });
  expect(steadyProducts(high).nodes).toEqual(high.nodes);
  const b = new GraphBuilder("others");
  const open = b.input({ name: "open", dtype: "float32", shape: ["n", 8] });
  const stack = b.input({ name: "stack", dtype: "float32", shape: [2, 3, 8] });
  b.op("Gemm", [b.constant(noise(2, 8)), b.constant(noise(8, 9)), b.constant(noise(9))], { beta: float(2) });
  b.matmul(stack, b.constant(noise(8, 9)));
  b.matmul(open, b.constant(noise(8, 9)));
  const others = b.build([]);
  expect(steadyProducts(others).nodes).toEqual(others.nodes);
});
