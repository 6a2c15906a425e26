/** Golden parity of whole models with PyTorch's autograd in float64, lowered fast. */
import { expect, test } from "vitest";
import { differentiate, gradientName } from "../../../../src/autodiff/gradient.ts";
import { lowerFast } from "../../../../src/autodiff/lowering/fast/lower-fast.ts";
import type { Graph, Value } from "../../../../src/graph/graph.ts";
import { foldBatchNorm } from "../../../../src/models/fold-batch-norm.ts";
import {
  errorOf,
  feedsOf,
  GOLDEN_MODELS,
  type Golden,
  type GoldenCase,
  goldenOf,
  lossGraph,
} from "../../golden-models.ts";
import { BLOCK, describeBlocked, operatorsOf, run } from "./blocked.ts";

const models = GOLDEN_MODELS.flatMap((name) => {
  const golden = goldenOf(name);
  return golden.topologies.map((topology) => ({ topology, golden }));
});

/** The graph for one batch size. */
function bound(graph: Graph, batchSize: number): Graph {
  const inputs = graph.inputs.map((info) => ({
    ...info,
    shape: info.shape!.map((size) => (typeof size === "string" ? batchSize : size)),
  }));
  return { ...graph, inputs };
}

const same = (graph: Graph): Graph => graph;

function lowered(graph: Graph, parameters: readonly Value[]): Graph {
  return lowerFast(differentiate(graph, { of: "loss", with: parameters }), { block: BLOCK });
}

async function errorsOf(topology: string, golden: Golden, row: GoldenCase, change = same) {
  const names = Object.keys(golden.parameters);
  const graph = change(bound(lossGraph(topology, golden, row), row.batchSize));
  const out = await run(lowered(graph, names), feedsOf(graph, golden, row));
  expect(Math.abs(Number(out["loss"]!.data[0]) - row.loss) / row.loss).toBeLessThan(1e-5);
  const slopes = names.map((name) => out[gradientName(name)]!.data as Float32Array); // of float32 parameters
  return errorOf(names, slopes, row);
}

describeBlocked("gradients of whole models, lowered fast, agree with PyTorch in float64", () => {
  test.each(models)("$topology", async ({ topology, golden }) => {
    const row = golden.cases.find(({ batchNorm }) => batchNorm === "frozen")!;
    const changes = Object.keys(golden.statistics).length > 0 ? [foldBatchNorm, same] : [same];
    for (const change of changes) {
      const { overall, own } = await errorsOf(topology, golden, row, change);
      expect(overall).toBeLessThan(1e-5);
      expect(own.filter((error) => !(error < 1e-3))).toEqual([]);
    }
  });

  const trained = models.filter(({ golden }) => golden.cases.some(({ batchNorm }) => batchNorm === "training"));
  test.each(trained)("$topology, with the statistics of the batch", async ({ topology, golden }) => {
    const errors: number[] = [];
    const rows = golden.cases.filter(({ batchNorm }) => batchNorm === "training");
    for (const row of rows) errors.push((await errorsOf(topology, golden, row)).overall);
    const theirs = Math.hypot(...rows.map(({ float32Error }) => float32Error)) / Math.sqrt(rows.length);
    expect(errors.toSorted((x, y) => x - y)[1]! / theirs).toBeLessThan(5);
  });
});

test.each(models)("$topology has blocked convolutions, and no transposed ones", ({ topology, golden }) => {
  const row = golden.cases[0]!;
  const graph = foldBatchNorm(bound(lossGraph(topology, golden, row), row.batchSize));
  const operators = operatorsOf(lowered(graph, Object.keys(golden.parameters)));
  expect(operators).toContain("*Conv");
  expect(operators.filter((op) => op === "ConvTranspose")).toEqual([]);
});
