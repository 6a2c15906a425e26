import { expect, test } from "vitest";
import { checkTargetMode, defaultTargetMode, type TargetMode, targetsOf } from "../../src/data/batch-targets.ts";
import type { Sample, Task } from "../../src/data/sample.ts";

const samples = (...targets: readonly (readonly number[])[]): Sample[] =>
  targets.map((target, i) => ({ file: `${i}`, path: `${i}`, target, split: "train", sha256: "", bytes: 1 }));

test("writes labels as numbers, as one-hot rows and as 0 or 1", () => {
  const two = samples([1], [0], [1]);
  expect(targetsOf(two, "sparse", 2)).toEqual({ data: Int32Array.of(1, 0, 1), shape: [3] });
  expect(targetsOf(two, "categorical", 3)).toEqual({ data: Float32Array.of(0, 1, 0, 1, 0, 0, 0, 1, 0), shape: [3, 3] });
  expect(targetsOf(two, "binary", 2)).toEqual({ data: Float32Array.of(1, 0, 1), shape: [3] });
  expect(targetsOf(two, "none", 2)).toBeUndefined();
});

test("writes several labels as a row of ones, and values as they are", () => {
  expect(targetsOf(samples([0, 2], []), "multi-hot", 3)).toEqual({
    data: Float32Array.of(1, 0, 1, 0, 0, 0),
    shape: [2, 3],
  });
  expect(targetsOf(samples([0.5, -2]), "raw", 2)).toEqual({ data: Float32Array.of(0.5, -2), shape: [1, 2] });
});

test("each task has modes that fit, one of them by itself", () => {
  const fitting: Record<Task, readonly TargetMode[]> = {
    "single-label": ["sparse", "categorical", "binary", "none"],
    "multi-label": ["multi-hot", "none"],
    regression: ["raw", "none"],
  };
  const modes: readonly TargetMode[] = ["sparse", "categorical", "binary", "multi-hot", "raw", "none"];
  for (const task of ["single-label", "multi-label", "regression"] as const) {
    const dataset = { task, classes: ["a", "b"] };
    expect(fitting[task]).toContain(defaultTargetMode(task));
    for (const mode of modes) {
      if (fitting[task].includes(mode)) checkTargetMode(mode, dataset);
      else expect(() => checkTargetMode(mode, dataset)).toThrow(`targets "${mode}" require a`);
    }
  }
  expect(() => checkTargetMode("binary", { task: "single-label", classes: ["a", "b", "c"] })).toThrow(
    'targets "binary" require two classes, got 3. Use "sparse" or "categorical".',
  );
  expect(() => checkTargetMode("int" as TargetMode, { task: "regression", classes: ["a"] })).toThrow(/got "int"/);
});
