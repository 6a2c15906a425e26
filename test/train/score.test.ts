import { expect, test } from "vitest";
import { memoryRows } from "../../src/features/rows.ts";
import { FEATURES } from "../../src/models/backbone.ts";
import { headGraph, logitsGraph } from "../../src/models/head.ts";
import { GraphScorer, scoreRows } from "../../src/train/score.ts";
import { clusters, headStep, WIDTH } from "./made.ts";

test("scores of many rows are those of each row, in the order asked for", async () => {
  const { features } = clusters(70);
  const rows = memoryRows(features, WIDTH);
  const scorer = { logits: async (samples: Float32Array) => samples.filter((_, i) => i % WIDTH < 2) };
  const all = await scoreRows(scorer, rows);
  expect(all).toEqual(features.filter((_, i) => i % WIDTH < 2));
  expect(await scoreRows(scorer, rows, Int32Array.of(69, 0))).toEqual(
    Float32Array.of(...all.subarray(138, 140), ...all.subarray(0, 2)),
  );
});

test("a finished graph scores as the step that trained it", async () => {
  await using step = await headStep();
  const { features, targets } = clusters(30);
  await step.run(features, targets, 0.1);
  const identity = { ...headGraph({ width: WIDTH, numClasses: 3 }), nodes: [], initializers: new Map() };
  const input = { name: FEATURES, dtype: "float32" as const, shape: ["batch", WIDTH] };
  const graph = logitsGraph({ ...identity, inputs: [input], outputs: [input] }, await step.parameters());
  await using scorer = await GraphScorer.create(graph);
  expect(await scorer.logits(features)).toEqual(await step.logits(features));
});
