import { describe, expect, test } from "vitest";
import { crossEntropy } from "../../src/losses/cross-entropy.ts";
import { distillation } from "../../src/losses/distillation.ts";
import { teacherTargets } from "../../src/losses/soft-targets.ts";
import { classTargets } from "../../src/losses/targets.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { expectOptionParity, lossAndGradient, optionCases } from "./golden.ts";

describe("has PyTorch's value and gradient for", () => {
  test.each(optionCases("distillation"))("%s", async (_, row) => {
    await expectOptionParity(row);
  });
});

test("a student that agrees with its teacher has nothing to learn, at any temperature", async () => {
  const logits = Float32Array.of(2, -1, 0.5, 3, 3, -4);
  const shifted = float32([2, 3], [3, 0, 1.5, 1, 1, -6]);
  for (const temperature of [0.5, 1, 4]) {
    const got = await lossAndGradient(distillation({ temperature }), shifted, teacherTargets(logits, 3));
    expect(Math.abs(got.value)).toBeLessThan(1e-5);
    for (const slope of got.gradient) expect(Math.abs(slope)).toBeLessThan(1e-5);
  }
});

test("with class indices at temperature 1 it is cross-entropy", async () => {
  const logits = float32([2, 3], [1, -2, 0.5, 0, 3, -1]);
  const got = await lossAndGradient(distillation({ temperature: 1 }), logits, classTargets([2, 0]));
  expect(got.value).toBeCloseTo((await lossAndGradient(crossEntropy(), logits, classTargets([2, 0]))).value, 6);
});

test("stays finite and exact where teacher and student are sure of different classes", async () => {
  const student = float32([1, 3], [1000, -1000, 0]);
  const teacher = teacherTargets(Float32Array.of(-1000, 1000, 0), 3);
  const got = await lossAndGradient(distillation({ temperature: 2 }), student, teacher);
  expect(got.value).toBe(4 * 1000);
  expect(got.gradient).toEqual([2, -2, 0]); // T² (student - teacher) / T
});

test("records its options", () => {
  expect(distillation()).toMatchObject({ name: "distillation", activation: "softmax", options: { temperature: 2 } });
});

test.each([0, 0.01, 101, Number.NaN])("refuses a temperature of %d", (temperature) => {
  expect(() => distillation({ temperature })).toThrow(
    new RangeError(`temperature requires a number in [0.05, 100], got ${temperature}.`),
  );
});
