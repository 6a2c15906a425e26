import { describe, expect, test } from "vitest";
import { gradient } from "../../../src/autodiff/gradient.ts";
import { reachOf, type WindowAttributes } from "../../../src/autodiff/gradient-operators.ts";
import { PORTABLE } from "../../../src/autodiff/lowering/portable.ts";
import { int } from "../../../src/graph/attributes.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import { rng } from "../../../src/random.ts";
import { Session } from "../../../src/runtime/session.ts";
import { float32, sizeOf, type Tensor, toNumbers } from "../../../src/tensor/tensor.ts";
import { runLowered } from "./reference.ts";

type Row = readonly [name: string, size: readonly number[], window: Partial<WindowAttributes>];

const ROWS: readonly Row[] = [
  ["2x2, stride 2", [6, 8], { kernel: [2, 2], strides: [2, 2] }],
  ["3x3, stride 2, overlapping", [7, 8], { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }],
  ["3x2, sides differ", [6, 7], { kernel: [3, 2], strides: [1, 2], pads: [2, 0, 1, 1] }],
  ["dilated", [8, 9], { kernel: [3, 2], dilations: [2, 3], pads: [1, 1, 2, 0] }],
  ["padding beyond the kernel", [5, 8], { kernel: [2, 2], dilations: [4, 3], pads: [2, 0, 3, 2] }],
  ["cropped", [7, 6], { kernel: [2, 2], strides: [2, 1], pads: [-1, 0, 0, -2] }],
  ["1-D", [9], { kernel: [3], strides: [2], pads: [1, 1] }],
  ["3-D", [4, 5, 3], { kernel: [2, 3, 2], strides: [2, 1, 1], pads: [1, 0, 0, 0, 1, 1] }],
];

function windowOf([, size, { kernel = [], ...rest }]: Row): WindowAttributes {
  const ones = kernel.map(() => 1);
  return { kernel, size, strides: ones, dilations: ones, pads: [...ones, ...ones].map(() => 0), group: 1, ...rest };
}

function outOf({ size, pads, strides, ...window }: WindowAttributes): number[] {
  return reachOf(window).map((reach, i) =>
    Math.floor((size[i]! + pads[i]! + pads[i + size.length]! - reach) / strides[i]! + 1),
  );
}

/** X with few different values, so that most windows have several largest elements. */
function tied(shape: readonly number[]): Tensor<"float32"> {
  const draws = rng(`x ${shape}`);
  return float32(
    shape,
    Array.from({ length: sizeOf(shape) }, () => -1 - Math.floor(3 * draws.next())),
  );
}

/** dY = 1, 2, 4, …: every sum shows what it is made of. */
function slopes(shape: readonly number[]): Tensor<"float32"> {
  return float32(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => 2 ** (i % 11)),
  );
}

/** dY added to the first largest element of each window. */
function reference(x: Tensor, dy: Tensor, window: WindowAttributes): { y: number[]; dx: number[] } {
  const { kernel, strides, dilations, pads, size } = window;
  const out = dy.shape.slice(2);
  const values = toNumbers(x);
  const dx = values.map(() => 0);
  const y = toNumbers(dy).map((slope, place) => {
    const o = positionOf(place % sizeOf(out), out);
    const start = Math.floor(place / sizeOf(out)) * sizeOf(size);
    let best = -1;
    for (let tap = 0; tap < sizeOf(kernel); tap++) {
      const at = positionOf(tap, kernel).map((k, i) => o[i]! * strides[i]! + k * dilations[i]! - pads[i]!);
      if (at.some((p, i) => p < 0 || p >= size[i]!)) continue;
      const index = start + at.reduce((sum, p, i) => sum * size[i]! + p, 0);
      if (best < 0 || values[index]! > values[best]!) best = index;
    }
    dx[best]! += slope;
    return values[best]!;
  });
  return { y, dx };
}

function positionOf(index: number, sizes: readonly number[]): number[] {
  const position: number[] = [];
  let rest = index;
  for (const size of sizes.toReversed()) {
    position.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return position;
}

describe("MaxPoolGrad, lowered, gives all to the first largest element in row-major order", () => {
  test.each(ROWS)("%s", async (...row) => {
    const window = windowOf(row);
    const x = tied([2, 3, ...window.size]);
    const dy = slopes([2, 3, ...outOf(window)]);
    const { y, dx } = reference(x, dy, window);
    const got = await runLowered("MaxPoolGrad", [x, float32(dy.shape, y), dy], window, PORTABLE);
    expect(got.shape).toEqual(x.shape);
    expect(toNumbers(got)).toEqual(dx);
  });

  test("in float64", async () => {
    const window = windowOf(ROWS[1]!);
    const wide = (t: Tensor): Tensor => ({ ...t, dtype: "float64", data: Float64Array.from(toNumbers(t)) });
    const [x, dy] = [tied([1, 2, ...window.size]), slopes([1, 2, ...outOf(window)])];
    const { y, dx } = reference(x, dy, window);
    const got = await runLowered("MaxPoolGrad", [wide(x), wide(float32(dy.shape, y)), wide(dy)], window, PORTABLE);
    expect(got.dtype).toBe("float64");
    expect(toNumbers(got)).toEqual(dx);
  });
});

test("MaxPoolGrad stays inside the window where all is minus infinity", async () => {
  const window = windowOf(["", [4], { kernel: [2], strides: [2] }]);
  const x = float32([1, 2, 4], [-Infinity, -Infinity, 0, 1, -Infinity, -Infinity, -Infinity, -Infinity]);
  const y = float32([1, 2, 2], [-Infinity, 1, -Infinity, -Infinity]);
  const got = await runLowered("MaxPoolGrad", [x, y, float32([1, 2, 2], [1, 2, 3, 4])], window, PORTABLE);
  expect(toNumbers(got)).toEqual([1, 0, 0, 2, 3, 0, 4, 0]);
});

test("GlobalMaxPool gives all to the first largest element too, over feature maps of any size", async () => {
  const b = new GraphBuilder("test");
  b.input({ name: "x", dtype: "float32", shape: ["n", 2, "h", "w"] });
  b.named("ReduceSum", [b.op("GlobalMaxPool", ["x"])], "loss", { keepdims: int(0) });
  const graph = gradient(b.build([{ name: "loss", dtype: "float32", shape: [] }]), { of: "loss", with: ["x"] });
  await using session = await Session.create(graph, { threads: 1, optimization: "none" });
  const { "x.gradient": dx } = await session.run({
    x: float32([1, 2, 2, 3], [0, 2, 1, 2, 2, 0, -1, -2, -1, -1, -3, -1]),
  });
  expect(toNumbers(dx!)).toEqual([0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
});
