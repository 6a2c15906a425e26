/** What rules of reductions, indexing and dropout give where several answers are possible. */
import { expect, test } from "vitest";
import { gradient } from "../../src/autodiff/gradient.ts";
import { type Attributes, int } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { Session } from "../../src/runtime/session.ts";
import { float32, int64, scalar, type Tensor, toNumbers } from "../../src/tensor/tensor.ts";

interface Call {
  readonly op: string;
  readonly x: Tensor;
  readonly others?: readonly Tensor[];
  readonly attributes?: Attributes;
  readonly outputs?: number;
}

/** The first output of an operator, and the gradient of its sum by x. */
async function run({ op, x, others = [], attributes, outputs = 1 }: Call): Promise<{ y: number[]; dx: number[] }> {
  const b = new GraphBuilder(op);
  b.input({ name: "x", dtype: "float32", shape: x.shape });
  const [y = ""] = b.ops(op, ["x", ...others.map((t) => b.constant(t))], outputs, attributes);
  b.named("ReduceSum", [y], "loss", { keepdims: int(0) });
  const graph = b.build(["loss", y].map((name) => ({ name, dtype: "float32" as const })));
  await using session = await Session.create(gradient(graph, { of: "loss", with: ["x"] }), { threads: 1 });
  const out = await session.run({ x });
  return { y: toNumbers(out[y]!), dx: toNumbers(out["x.gradient"]!).map((value) => value + 0) }; // -0 is 0
}

const matrix = float32([2, 3], [2, 5, 5, -1, -1, -1]);
const lastAxis = int64([1]);

test("ReduceMax and ReduceMin share the gradient equally among ties", async () => {
  const third = Math.fround(1 / 3);
  const [largest, smallest] = [
    await run({ op: "ReduceMax", x: matrix, others: [lastAxis] }),
    await run({ op: "ReduceMin", x: matrix, others: [lastAxis] }),
  ];
  expect(largest.dx).toEqual([0, 0.5, 0.5, third, third, third]);
  expect(smallest.dx).toEqual([1, 0, 0, third, third, third]);
});

test("ReduceL1 and ReduceL2 have slope 0 at zero", async () => {
  const x = float32([2, 2], [0, 0, 3, -4]);
  expect((await run({ op: "ReduceL1", x, others: [lastAxis] })).dx).toEqual([0, 0, 1, -1]);
  const { dx } = await run({ op: "ReduceL2", x, others: [lastAxis] });
  expect(dx.slice(0, 2)).toEqual([0, 0]);
  expect(dx[2]).toBeCloseTo(0.6);
  expect(dx[3]).toBeCloseTo(-0.8);
});

test("ReduceProd is exact beside zeros", async () => {
  const x = float32([3, 3], [2, 0, 5, 0, 7, 0, 2, 3, 4]);
  expect((await run({ op: "ReduceProd", x, others: [lastAxis] })).dx).toEqual([0, 10, 0, 0, 0, 0, 12, 8, 6]);
});

test("ReduceLogSumExp stays finite for large elements", async () => {
  const { dx } = await run({ op: "ReduceLogSumExp", x: float32([2], [1000, 1000]) });
  for (const slope of dx) expect(slope).toBeCloseTo(0.5, 3); // the logarithm itself is rounded to 6e-5
});

test("TopK gives the gradient to the elements that it chose among ties, which are the first", async () => {
  const x = float32([4], [3, 5, 5, 5]);
  expect((await run({ op: "TopK", x, others: [int64([2])], outputs: 2 })).dx).toEqual([0, 1, 1, 0]);
});

test("ScatterElements gives nothing to elements that it overwrites", async () => {
  const others = [int64([2, 2]), float32([2], [7, 8])];
  expect((await run({ op: "ScatterElements", x: float32([3], [1, 2, 3]), others })).dx).toEqual([1, 1, 0]);
});

test("Dropout in training passes the gradient where it passed the elements, scaled alike", async () => {
  const x = float32([400], new Float32Array(400).fill(1));
  const others = [scalar("float32", 0.25), scalar("bool", 1)];
  const { y, dx } = await run({ op: "Dropout", x, others, outputs: 2 });
  expect(dx).toEqual(y);
  expect(new Set(dx)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
});
