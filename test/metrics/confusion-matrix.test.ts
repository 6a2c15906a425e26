import { expect, test } from "vitest";
import { confusionMatrix } from "../../src/metrics/confusion-matrix.ts";

test("counts true classes in rows and predicted ones in columns", () => {
  expect(confusionMatrix([0, 0, 1, 2, 2, 2], Int32Array.of(0, 1, 1, 0, 2, 2), 3)).toEqual([
    [1, 1, 0],
    [0, 1, 0],
    [1, 0, 2],
  ]);
});

test("is all zeros without samples", () => {
  expect(confusionMatrix([], [], 2)).toEqual([
    [0, 0],
    [0, 0],
  ]);
});

test("refuses labels and predictions of different lengths", () => {
  expect(() => confusionMatrix([0, 1], [0], 2)).toThrow(
    expect.objectContaining({
      code: "SHAPE_MISMATCH",
      message: "confusionMatrix requires one prediction per label, got 1 for 2 labels.",
    }),
  );
});

test.each([3, -1, 0.5, Number.NaN])("refuses the class index %d and names its sample", (index) => {
  const message = (what: string) => `${what} of sample 1 must be a class index in [0, 3), got ${index}.`;
  expect(() => confusionMatrix([0, index], [0, 0], 3)).toThrow(new RangeError(message("label")));
  expect(() => confusionMatrix([0, 0], [0, index], 3)).toThrow(new RangeError(message("prediction")));
});
