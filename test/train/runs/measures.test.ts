import { expect, test } from "vitest";
import { isHigherBetter, measuresOf } from "../../../src/train/runs/measures.ts";

test("finds intervals beside the metrics, among them, and in the form of the first release", () => {
  const metrics = { loss: 0.3, accuracy: 0.9, top5: 0.99 };
  const wanted = [
    { name: "accuracy", value: 0.9, interval: [0.8, 0.95] },
    { name: "loss", value: 0.3 },
    { name: "top5", value: 0.99 },
  ];
  const task = "single-label";
  expect(measuresOf({ task, metrics, intervals: { accuracy: [0.8, 0.95] } })).toEqual(wanted);
  expect(measuresOf({ task, metrics: { ...metrics, intervals: { accuracy: [0.8, 0.95] } } })).toEqual(wanted);
  expect(measuresOf({ task, metrics: { ...metrics, accuracyInterval: [0.8, 0.95] } })).toEqual(wanted);
});

test.each([
  ["single-label", "accuracy"],
  ["multi-label", "meanAveragePrecision"],
  ["regression", "r2"],
])("of %s data the first is %s", (task, first) => {
  expect(measuresOf({ task, metrics: { loss: 1, r2: 0.5, accuracy: 0.9, meanAveragePrecision: 0.8 } })[0]?.name).toBe(
    first,
  );
});

test("without a task the first is the one that there is", () => {
  expect(measuresOf({ metrics: { mae: 3, r2: 0.5 } })[0]?.name).toBe("r2");
  expect(measuresOf({ metrics: { mae: 3 } })).toEqual([{ name: "mae", value: 3 }]);
});

test("measures below others have dotted names, and the baseline of the run is the probe", () => {
  const result = {
    task: "regression",
    metrics: { mae: 2, r2: 0.8, baseline: { mae: 5 } },
    baseline: { metrics: { mae: 3 }, intervals: { mae: [2, 4] } },
  };
  expect(measuresOf(result)).toEqual([
    { name: "r2", value: 0.8 },
    { name: "mae", value: 2 },
    { name: "baseline.mae", value: 5 },
    { name: "probe.mae", value: 3, interval: [2, 4] },
  ]);
  expect(measuresOf({ metrics: {}, baseline: { accuracy: 0.5, accuracyInterval: [0.4, 0.6] } })).toEqual([
    { name: "probe.accuracy", value: 0.5, interval: [0.4, 0.6] },
  ]);
});

test("what is no finite number is no measure, and what is no pair in order no interval", () => {
  const metrics = { accuracy: "0.9", loss: null, r2: [1], f1: 1, deep: { er: { still: 1 } } };
  for (const f1 of [[0.2], [0.3, 0.2], ["0", "1"], [0, 1, 2], { 0: 0, 1: 1 }, null])
    expect(measuresOf({ metrics, intervals: { f1 } })).toEqual([{ name: "f1", value: 1 }]);
  for (const result of [undefined, null, 3, [], { metrics: [1, 2] }, { metrics: null }])
    expect(measuresOf(result)).toEqual([]);
});

test("a result of many measures gives no more than can be shown", () => {
  const metrics = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`m${i}`, i]));
  expect(measuresOf({ metrics })).toHaveLength(200);
});

test("larger is better, but not of losses and errors", () => {
  const better = ["accuracy", "macroF1", "rocAuc", "r2", "kappa", "meanAveragePrecision", "recall", "precision"];
  const worse = ["loss", "logLoss", "mae", "rmse", "brier", "expectedCalibrationError", "ece", "probe.loss"];
  expect(better.filter((name) => !isHigherBetter(name))).toEqual([]);
  expect(worse.filter(isHigherBetter)).toEqual([]);
});
