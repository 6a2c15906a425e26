import { describe, expect, test } from "vitest";
import { atTemperature, softTargets, teacherTargets } from "../../src/losses/soft-targets.ts";
import { classTargets, type Targets } from "../../src/losses/targets.ts";

const soft: Targets = { task: "single-label", values: Float32Array.of(0.25, 0.75, 0, 1), width: 2 };

describe("soft targets", () => {
  test("of class indices have a single one in each row, and their weights", () => {
    const weights = Float32Array.of(1, 3);
    expect(softTargets({ ...classTargets([2, 0]), weights }, 3)).toEqual({
      task: "single-label",
      values: Float32Array.of(0, 0, 1, 1, 0, 0),
      width: 3,
      weights,
    });
  });

  test("of soft targets are the same", () => {
    expect(softTargets(soft, 2)).toBe(soft);
  });

  test.each<[number[], string]>([
    [[0, 2], "row 1 requires a class index from 0 to 1, got 2."],
    [[-1], "row 0 requires a class index from 0 to 1, got -1."],
    [[0.5], "row 0 requires a class index from 0 to 1, got 0.5."],
    [[Number.NaN], "row 0 requires a class index from 0 to 1, got NaN."],
  ])("refuse the labels %j", (labels, message) => {
    expect(() => softTargets(classTargets(labels), 2)).toThrow(expect.objectContaining({ code: "BAD_DATA", message }));
  });

  test("refuse rows of another width", () => {
    expect(() => softTargets(soft, 3)).toThrow(/rows of 1 class index or 3 probabilities, got 2 numbers/);
  });
});

describe("a teacher's targets", () => {
  test("are the softmax of its logits, whatever their size", () => {
    const { task, values, width } = teacherTargets(Float32Array.of(0, Math.log(3), 1000, -1000), 2);
    expect([task, width]).toEqual(["single-label", 2]);
    for (const [i, wanted] of [0.25, 0.75, 1, 0].entries()) expect(values[i]).toBeCloseTo(wanted, 6);
  });

  test("need whole rows", () => {
    expect(() => teacherTargets(new Float32Array(5), 2)).toThrow(/got 5 numbers for 2 classes/);
    expect(() => teacherTargets(new Float32Array(5), 0)).toThrow(/at least 2 classes/);
  });
});

test("probabilities at a temperature are the softmax of divided logits", () => {
  const logits = Float32Array.of(1, -2, 0.5, 4, 0, -30);
  for (const temperature of [0.5, 1, 2, 10]) {
    const warm = atTemperature(teacherTargets(logits, 3), temperature);
    const wanted = teacherTargets(
      logits.map((value) => value / temperature),
      3,
    ).values;
    for (const [i, value] of wanted.entries()) expect(warm[i]).toBeCloseTo(value, 6);
  }
  expect(atTemperature(soft, 3).subarray(2)).toEqual(Float32Array.of(0, 1));
});
