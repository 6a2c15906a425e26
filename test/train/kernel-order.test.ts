import { expect, test } from "vitest";
import { float32 } from "../../src/tensor/tensor.ts";
import { inFileOrder, inTrainingOrder } from "../../src/train/kernel-order.ts";

const kernel = float32(
  [2, 3, 1, 2],
  Float32Array.from({ length: 12 }, (_, i) => i),
);
const bias = float32([2], Float32Array.of(1, 2));

test("weights change between [m, c, kh, kw] and [m, kh, kw, c]; others are copied", () => {
  const parameters = new Map([
    ["w", kernel],
    ["b", bias],
  ]);
  const trained = inTrainingOrder(parameters, new Set(["w"]));
  expect(trained.get("w")).toEqual(float32([2, 1, 2, 3], Float32Array.of(0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11)));
  expect(trained.get("b")).toEqual(bias);
  expect(trained.get("b")!.data).not.toBe(bias.data);
  expect(inFileOrder(trained, new Set(["w"]))).toEqual(parameters);
});
