import { expect, test } from "vitest";
import type { Json } from "../../../src/json.ts";
import { resultProblem } from "../../../src/train/runs/result-problem.ts";
import { RESULT } from "./made.ts";

const withMetrics = (metrics: Json): Json => ({ ...RESULT, metrics });

test.each<[string, Json]>([
  ["of this release", RESULT],
  ["of a distillation", { version: 1, task: "distill", metrics: { loss: 0.2, "probe accuracy": 1 }, epochs: 3 }],
  ["with nothing but measures", { metrics: {} }],
  ["with a measure that could not be computed", withMetrics({ loss: 3, rocAuc: null })],
  ["with intervals and tables among them", withMetrics({ mae: 1e12, baseline: { mae: 2 }, accuracyInterval: [0, 1] })],
  ["with sums of shares", withMetrics({ accuracy: 1 + 2e-16, macroF1: 1.0000000000000002 })],
  ["of a fit worse than the mean", withMetrics({ r2: -1e9, kappa: -0.5 })],
])("a result %s is one", (_, result) => {
  expect(resultProblem(result)).toBeUndefined();
});

test.each<[Json, string]>([
  [[1, 2], "is no record of a result, got a list"],
  [null, "is no record of a result, got null"],
  ["complete", 'is no record of a result, got "complete"'],
  [{}, "has no measures, got nothing for them"],
  [{ metrics: [1] }, "has no measures, got a list for them"],
  [withMetrics({ accuracy: "0.9" }), 'has the accuracy "0.9", which cannot be'],
  [withMetrics({ accuracy: true }), "has the accuracy true, which cannot be"],
  [withMetrics({ accuracy: 1.01 }), "has the accuracy 1.01, which cannot be"],
  [withMetrics({ accuracy: -0.01 }), "has the accuracy -0.01, which cannot be"],
  [withMetrics({ macroF1: 1e300 }), "has the macroF1 1e+300, which cannot be"],
  [withMetrics({ loss: Number.POSITIVE_INFINITY }), "has the loss Infinity, which cannot be"],
  [withMetrics({ mae: 1e39 }), "has the mae 1e+39, which cannot be"],
  [{ ...RESULT, baseline: { accuracy: 7 } }, "has the accuracy 7, which cannot be"],
  [{ ...RESULT, baseline: { metrics: { accuracy: "7" } } }, 'has the accuracy "7", which cannot be'],
  [{ ...RESULT, epochs: -1 }, "has the epochs -1, which cannot be"],
  [{ ...RESULT, epochs: 1.5 }, "has the epochs 1.5, which cannot be"],
  [{ ...RESULT, seconds: 3 }, "has the seconds 3, which cannot be"],
  [{ ...RESULT, seconds: { total: 1e296 } }, "has the seconds 1e+296, which cannot be"],
])("%j is none", (result, problem) => {
  expect(resultProblem(result)).toBe(problem);
});
