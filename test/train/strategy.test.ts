import { describe, expect, test } from "vitest";
import { phasesOf } from "../../src/train/strategy.ts";

test.each([
  ["probe", []],
  ["head", ["head"]],
  ["last", ["last"]],
  ["last:3", ["last:3"]],
  ["gradual", ["last", "last:2", "all"]],
  ["full", ["all"]],
  ["auto", ["all"]],
])("strategy %s trains %j", (strategy, phases) => {
  expect(phasesOf({ strategy })).toEqual(phases);
});

test.each([
  [undefined, ["head"]],
  ["head", ["head"]],
  ["last:2", ["last:2"]],
  ["all", ["all"]],
  ["layer4.*", ["layer4.*"]],
])("unfreeze %s is one phase: %j", (unfreeze, phases) => {
  expect(phasesOf({ unfreeze })).toEqual(phases);
});

describe("auto", () => {
  const data = (
    train: number,
    classes: number,
    task: "single-label" | "multi-label" | "regression" = "single-label",
  ) => ({
    task,
    classes: Array.from({ length: classes }, (_, i) => `class ${i}`),
    samples: Array.from({ length: train + 100 }, (_, i) => ({
      file: `${i}`,
      path: `${i}`,
      target: [i % classes],
      split: i < train ? ("train" as const) : ("validation" as const),
      sha256: "",
      bytes: 0,
    })),
  });

  test.each([
    [39, 2, "single-label", "last"],
    [40, 2, "single-label", "all"],
    [99, 5, "multi-label", "last"],
    [100, 5, "multi-label", "all"],
    [19, 3, "regression", "last"],
    [20, 3, "regression", "all"], // values are no classes
    [0, 0, "single-label", "last"],
  ] as const)("with %d training images of %d classes, %s, trains %s", (train, classes, task, phase) => {
    expect(phasesOf({ strategy: "auto" }, data(train, classes, task))).toEqual([phase]);
  });
});

test.each([
  [{ strategy: "best" }, 'strategy requires probe, head, last, last:N, gradual, full or auto, got "best".'],
  [{ strategy: "last:" }, 'got "last:".'],
  [{ strategy: "last:two" }, 'got "last:two".'],
  [{ strategy: "" }, 'got "".'],
  [{ strategy: 3 as never }, "got 3."],
  [{ unfreeze: 3 as never }, "unfreeze requires head, last, last:N, all, or a pattern"],
  [{ strategy: "full", unfreeze: "last" }, 'strategy "full" decides what is unfrozen, and unfreeze is "last".'],
  [{ strategy: "head", unfreeze: "head" }, "Leave one of them out."],
])("%o is refused", (options, message) => {
  expect(() => phasesOf(options)).toThrow(
    expect.objectContaining({ code: "BAD_CONFIG", message: expect.stringContaining(message) }),
  );
});
