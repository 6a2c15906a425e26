/** Rules that read sizes and positions: what is computed as the graph runs gives the same gradients as constants. */
import { expect, test } from "vitest";
import { gradient } from "../../src/autodiff/gradient.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Value } from "../../src/graph/graph.ts";
import { rng } from "../../src/random.ts";
import { Session } from "../../src/runtime/session.ts";
import { float32, sizeOf, type Tensor, tensor, toNumbers } from "../../src/tensor/tensor.ts";
import type { Case } from "./cases/case.ts";
import { EINSUM } from "./cases/einsum.ts";
import { INDEXING } from "./cases/indexing.ts";
import { LINEAR } from "./cases/linear.ts";
import { MOVEMENT } from "./cases/movement.ts";
import { PADDING } from "./cases/padding.ts";
import { REDUCTION } from "./cases/reduction.ts";
import { RESIZE } from "./cases/resize.ts";
import { SAMPLING } from "./cases/sampling.ts";

/** For each operator, the constants that may be computed; its other constants stay. */
const COMPUTED: Partial<Record<Case["op"], readonly number[]>> = {
  Concat: [1],
  CumSum: [],
  DepthToSpace: [],
  Gather: [1],
  GatherElements: [1],
  GatherND: [1],
  MatMul: [],
  Pad: [1],
  ReduceL2: [],
  ReduceMax: [],
  ReduceMean: [],
  ScatterElements: [1],
  ScatterND: [1],
  Slice: [1, 2, 4],
  SpaceToDepth: [],
  Split: [],
  Tile: [1],
  TopK: [],
  Trilu: [1],
};

/** Operators whose spatial sizes must be numbers: only the first axis has a name. */
const SPATIAL: readonly Case["op"][] = ["Resize", "GridSample", "RoiAlign"];

const ROWS = [...MOVEMENT, ...INDEXING, ...PADDING, ...REDUCTION, ...LINEAR, ...RESIZE, ...SAMPLING]
  .filter(({ op, attributes }) => {
    const mode = attributes?.["mode"];
    const isCopy = op === "Pad" && mode?.kind === "string" && mode.value !== "constant"; // its pads are constants
    return !isCopy && (Object.hasOwn(COMPUTED, op) || SPATIAL.includes(op));
  })
  // Sizes for all axes would not have the name of the first one; a few of the others are enough.
  .filter(
    ({ op, inputs }, i) => op !== "Resize" || (i % 9 === 0 && inputs[3] === undefined && inputs[0]!.shape.length > 2),
  );

test.each(
  [...ROWS, ...EINSUM].map(
    (row, i) => [`${row.op} ${JSON.stringify(row.inputs.map(({ shape }) => shape))} #${i}`, row] as const,
  ),
)("%s", async (name, row) => {
  const wanted = await gradients(row, name, false);
  const got = await gradients(row, name, true);
  expect(wanted.length).toBeGreaterThan(0);
  for (const [i, slope] of got.entries()) {
    expect(slope.shape).toEqual(wanted[i]!.shape);
    const values = toNumbers(wanted[i]!);
    for (const [j, value] of toNumbers(slope).entries()) expect(value).toBeCloseTo(values[j]!, 4);
  }
});

/** Gradients of the sum of squares of the outputs, with names for sizes and positions as inputs, or with constants. */
async function gradients(row: Case, seed: string, isComputed: boolean): Promise<Tensor[]> {
  const { op, inputs, attributes, outputs = 1, counted = outputs } = row;
  const b = new GraphBuilder(op);
  const dtype = row.float32 ? "float32" : "float64";
  const random = rng(seed);
  const feeds: Record<Value, Tensor> = {};
  const names = inputs.map((input, i): Value => {
    if (input.absent) return "";
    const value = input.constant ?? drawn(dtype, input.shape, random);
    const isFed = !input.constant || (isComputed && COMPUTED[op]?.includes(i));
    if (!isFed) return b.initializer(`x${i}`, value);
    feeds[`x${i}`] = value;
    const isNamed = (dim: number, axis: number): boolean =>
      isComputed && !input.constant && dim > 1 && (axis === 0 || !SPATIAL.includes(op));
    const shape = input.shape.map((dim, axis) => (isNamed(dim, axis) ? `n${dim}` : dim)); // one name for one size
    return b.input({ name: `x${i}`, dtype: value.dtype, shape });
  });
  const ys = b.ops(op, names, outputs, attributes ?? {}).slice(0, counted);
  const sums = ys.map((y) => b.reduceSum(b.mul(y, y), { keepdims: false }));
  b.named("Identity", [sums.reduce(b.add)], "loss");
  const parameters = names.filter((value, i) => value !== "" && !inputs[i]!.constant);
  const graph = gradient(b.build([{ name: "loss", dtype, shape: [] }]), { of: "loss", with: parameters });
  await using session = await Session.create(graph, { threads: 1, optimization: "none" });
  const out = await session.run(feeds);
  return parameters.map((parameter) => out[`${parameter}.gradient`]!);
}

function drawn(dtype: "float32" | "float64", shape: readonly number[], random: ReturnType<typeof rng>): Tensor {
  const values = Array.from({ length: sizeOf(shape) }, () => random.normal());
  return dtype === "float32" ? float32(shape, values) : tensor(dtype, shape, Float64Array.from(values));
}
