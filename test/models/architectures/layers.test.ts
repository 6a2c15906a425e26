import { describe, expect, test } from "vitest";
import type { Value } from "../../../src/graph/graph.ts";
import { inferTypes } from "../../../src/graph/infer-types.ts";
import { adaptiveWindows } from "../../../src/models/architectures/adaptive-pooling.ts";
import { Layers } from "../../../src/models/architectures/layers.ts";
import { Session } from "../../../src/runtime/session.ts";
import { float32, type Tensor } from "../../../src/tensor/tensor.ts";
import { formulaImage } from "./golden.ts";

/** Builds a graph around one layer, and gives what it computes for an image, with the shape that was noted. */
async function layer(
  [height, width]: readonly [number, number],
  build: (l: Layers) => Value,
  weights: Readonly<Record<string, Tensor>> = {},
): Promise<{ output: Tensor; noted: readonly number[]; image: Tensor }> {
  const l = new Layers("layer", [height, width]);
  const name = build(l);
  const noted = l.shapeOf(name);
  const graph = l.b.build([{ name, dtype: "float32", shape: ["batch", ...noted] }]);
  expect(inferTypes(graph).get(name)?.shape).toEqual(["batch", ...noted]);
  await using session = await Session.create(graph);
  const image = formulaImage([height, width]);
  const output = (await session.run({ input: image, ...weights }))[name]!;
  return { output, noted, image };
}

describe("shapes that are noted are those that run", () => {
  test.each([
    ["an odd kernel keeps the size", (l: Layers) => l.conv(l.image, "a", { out: 2, kernel: 5 }), [2, 13, 18], 5],
    ["stride", (l: Layers) => l.conv(l.image, "a", { out: 2, kernel: 3, stride: 2 }), [2, 7, 9], 3],
    ["no padding", (l: Layers) => l.conv(l.image, "a", { out: 2, kernel: 4, padding: 0 }), [2, 10, 15], 4],
    ["same", (l: Layers) => l.conv(l.image, "a", { out: 2, kernel: 4, stride: 3, padding: "same" }), [2, 5, 6], 4],
    ["sides", (l: Layers) => l.conv(l.image, "a", { out: 2, kernel: 3, padding: [1, 0, 2, 3] }), [2, 14, 19], 3],
  ] as const)("in a convolution: %s", async (_what, build, shape, kernel) => {
    const weight = float32([2, 3, kernel, kernel], new Float32Array(6 * kernel * kernel).fill(1));
    const { noted, output } = await layer([13, 18], build, { "a.weight": weight });
    expect(noted).toEqual(shape);
    expect(output.shape).toEqual([1, ...shape]);
  });

  test.each([
    [{ kernel: 3, stride: 2 }, [6, 8]],
    [{ kernel: 3, stride: 2, ceil: true }, [6, 9]],
    [{ kernel: 3, stride: 2, padding: 1 }, [7, 9]],
    [{ kernel: 2, stride: 2, ceil: true }, [7, 9]],
    [{ kernel: 2, stride: 3, padding: 1, ceil: true }, [5, 7]],
  ] as const)("in pooling: %o", async (options, [height, width]) => {
    for (const build of [(l: Layers) => l.maxPool(l.image, options), (l: Layers) => l.averagePool(l.image, options)]) {
      const { output } = await layer([13, 18], build);
      expect(output.shape).toEqual([1, 3, height, width]);
    }
  });
});

test.each([
  [[12, 18], 6],
  [[13, 18], 6],
  [[7, 3], 7],
  [[2, 1], 3],
  [[6, 6], 6],
  [[5, 9], 1],
] as const)("adaptive pooling of %j to %i averages PyTorch's windows", async (size, count) => {
  const { output, image } = await layer(size, (l) => {
    const x = l.adaptiveAveragePool(l.image, count);
    return x === l.image ? l.relu(x) : x;
  });
  const identity = size[0] === count && size[1] === count; // pooled nothing: what ran is ReLU
  const expected = averages(image, size, count).map((mean) => (identity ? Math.max(0, mean) : mean));
  expect(output.shape).toEqual([1, 3, count, count]);
  for (const [i, value] of expected.entries()) expect(Number(output.data[i])).toBeCloseTo(value, 5);
});

/** Of each window of each channel of an image [1, 3, h, w], in order. */
function averages({ data }: Tensor, [height, width]: readonly [number, number], count: number): number[] {
  const [rows, columns] = [adaptiveWindows(height, count), adaptiveWindows(width, count)];
  const windows = rows.flatMap((row) => columns.map((column) => ({ row, column })));
  return [0, 1, 2].flatMap((c) =>
    windows.map(({ row: [top, bottom], column: [left, right] }) => {
      let sum = 0;
      for (let y = top; y < bottom; y++)
        for (let x = left; x < right; x++) sum += Number(data[(c * height + y) * width + x]);
      return sum / ((bottom - top) * (right - left));
    }),
  );
}

test("a linear layer reads vectors and lists of tokens alike", async () => {
  const weights = {
    "a.weight": float32([2, 4], [1, 2, 3, 4, 0, 1, 0, -1]),
    "a.bias": float32([2], [10, 20]),
  };
  const { output, image, noted } = await layer([3, 4], (l) => l.linear(l.image, "a", { out: 2 }), weights);
  expect(noted).toEqual([3, 3, 2]);
  const x = [...image.data.slice(0, 4)].map(Number);
  expect(Number(output.data[0])).toBeCloseTo(x[0]! + 2 * x[1]! + 3 * x[2]! + 4 * x[3]! + 10, 5);
  expect(Number(output.data[1])).toBeCloseTo(x[1]! - x[3]! + 20, 5);
});

test("parameters are in the order of their declaration, and stages divide them", () => {
  const l = new Layers("order", [8, 8]);
  const position = l.parameter("position", [8], "embedding", { kind: "constant", value: 0 });
  const x = l.stage("one", l.batchNorm(l.conv(l.image, "conv", { out: 4, kernel: 3, bias: true }), "norm"));
  l.stage("two", l.unary("Add", [l.conv(x, "last", { out: 4, kernel: 1 }), position]));
  const names = ["position", "conv.weight", "conv.bias", "norm.weight", "norm.bias"];
  const first = [...names, "norm.running_mean", "norm.running_var"];
  expect(l.parameters.map(({ name }) => name)).toEqual([...first, "last.weight"]);
  expect(l.stages.map(({ name, parameters }) => [name, parameters])).toEqual([
    ["one", first],
    ["two", ["last.weight"]],
  ]);
});
