import { expect, test } from "vitest";
import type { Sample, Task } from "../../src/data/sample.ts";
import { targetsOf } from "../../src/train/targets.ts";

const sample = (target: readonly number[], weight?: number): Sample => ({
  file: "/data/a.png",
  path: "a.png",
  target,
  split: "train",
  sha256: "0".repeat(64),
  bytes: 1,
  weight,
});
const data = (task: Task) => ({ task, classes: ["x", "y", "z"] });
const refusal = (message: RegExp): unknown =>
  expect.objectContaining({ code: "BAD_DATA", message: expect.stringMatching(message) });

test("each task has its form", () => {
  expect(targetsOf(data("single-label"), [sample([2]), sample([0])])).toEqual({
    task: "single-label",
    values: Float32Array.of(2, 0),
    width: 1,
  });
  expect(targetsOf(data("multi-label"), [sample([0, 2]), sample([])])).toEqual({
    task: "multi-label",
    values: Float32Array.of(1, 0, 1, 0, 0, 0),
    width: 3,
  });
  expect(targetsOf(data("regression"), [sample([0.5, -1, 7])])).toEqual({
    task: "regression",
    values: Float32Array.of(0.5, -1, 7),
    width: 3,
  });
});

test("weights are there where a sample has one that is not 1", () => {
  expect(targetsOf(data("single-label"), [sample([0]), sample([1], 1)])).not.toHaveProperty("weights");
  const { weights } = targetsOf(data("single-label"), [sample([0]), sample([1], 2.5)]);
  expect(weights).toEqual(Float32Array.of(1, 2.5));
});

test.each([
  ["single-label", [3], /^the target of a\.png requires one class index from 0 to 2, got \[3\]/],
  ["single-label", [], /one class index/],
  ["single-label", [0, 1], /one class index/],
  ["single-label", [0.5], /one class index/],
  ["multi-label", [0, 3], /requires class indices from 0 to 2, got \[0, 3\]/],
  ["multi-label", [Number.NaN], /class indices/],
  ["regression", [1, 2], /requires 3 finite numbers, got \[1, 2\]/],
  ["regression", [1, 2, Number.NaN], /3 finite numbers/],
  ["regression", [1, 2, 1e39], /3 finite numbers/], // not in float32
  ["regression", [1, 2, 3, 4], /3 finite numbers/],
] as const)("a %s target of %j is refused", (task, target, message) => {
  expect(() => targetsOf(data(task), [sample(target)])).toThrow(refusal(message));
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("a weight of %d is refused", (weight) => {
  expect(() => targetsOf(data("single-label"), [sample([0], weight)])).toThrow(
    refusal(/^the weight of a\.png requires a number from 1e-30 to /),
  );
});
