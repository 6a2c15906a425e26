/** Every layer against Keras 2 and Keras 3 themselves: small models, their weights by formula (test/golden/importers). */
import { describe, expect, test } from "vitest";
import { inferTypes } from "../../../src/graph/infer-types.ts";
import { checkGraph } from "../../../src/graph/validate.ts";
import { importGraph } from "../../../src/models/importers/import-graph.ts";
import { parseKerasModel } from "../../../src/models/importers/keras-config.ts";
import { LAYER_RULES } from "../../../src/models/importers/layers/table.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import { difference, filled, type GoldenCase, goldenCases, goldenInput, memoryWeights, runImported } from "./memory.ts";

const VERSIONS = [2, 3].map((version) => ({ version, cases: goldenCases(`keras${version}.json.gz`) }));

function imported({ topology, weights, name }: GoldenCase, version: number) {
  const tensors = weights.map(([path, shape], k) => [path, filled(path, shape, k)] as const);
  return importGraph(parseKerasModel(topology, name), memoryWeights(Object.fromEntries(tensors)), { version }, name);
}

describe.each(VERSIONS)("Keras $version", ({ version, cases }) => {
  test.each(cases.map((golden) => [golden.name, golden] as const))("%s", async (_name, golden) => {
    const graph = imported(golden, version);
    checkGraph(graph, golden.name);
    const got = await runImported(graph, goldenInput(golden.input), golden.output.shape);
    expect(difference(got, golden.output)).toBeLessThan(5e-6);
    // Sizes that the importer says are those that follow from the graph.
    const [output] = graph.outputs;
    expect(inferTypes({ ...graph, outputs: [] }).get(output!.name)?.shape?.length).toBe(output!.shape?.length);
  });
});

/** Layers that only run in training, which Keras' recorded outputs would not show to be wrong. */
const NOT_RECORDED = new Set([
  ...["ActivityRegularization", "AlphaDropout", "GaussianDropout", "Identity", "RandomBrightness", "RandomTranslation"],
  ...["StochasticDepth", "ThresholdedReLU", "LayerScale"],
]);

test("every layer of the table is in a recorded model", () => {
  const seen = new Set<unknown>();
  const visit = (json: unknown): void => {
    if (typeof json !== "object" || json === null) return;
    if ("class_name" in json) seen.add(json.class_name);
    for (const value of Object.values(json)) visit(value);
  };
  for (const { cases } of VERSIONS) for (const { topology } of cases) visit(topology);
  expect(Object.keys(LAYER_RULES).filter((name) => !seen.has(name) && !NOT_RECORDED.has(name))).toEqual([]);
});

test.each(["ThresholdedReLU", "LayerScale", "Identity"])("%s", async (className) => {
  const config = { name: "x", theta: 0.25, projection_dim: 2 };
  const input = { class_name: "InputLayer", config: { batch_input_shape: [null, 1, 4, 2], name: "in" } };
  const topology = { class_name: "Sequential", config: [input, { class_name: className, config }] };
  const weights = memoryWeights({ "x/gamma": float32([2], [2, -1]) });
  const graph = importGraph(parseKerasModel(topology, "test"), weights, { version: 2 }, "test");
  const values = [0.1, 0.3, -1, 2, 0.2, 0.25, 0.26, -0.5];
  const got = await runImported(graph, float32([1, 1, 4, 2], values), [1, 1, 4, 2]);
  const wanted = {
    ThresholdedReLU: values.map((x) => (x > 0.25 ? x : 0)),
    LayerScale: values.map((x, i) => x * [2, -1][i % 2]!),
    Identity: values,
  }[className]!;
  expect([...got.data].map((x) => x.toFixed(5))).toEqual(wanted.map((x) => x.toFixed(5)));
});
