/** Every layer against Keras 2 and Keras 3 themselves: small models, their weights by formula (test/golden/importers). */
import { describe, expect, test } from "vitest";
import { inferTypes } from "../../../src/graph/infer-types.ts";
import { checkGraph } from "../../../src/graph/validate.ts";
import { importGraph } from "../../../src/models/importers/import-graph.ts";
import { parseKerasModel } from "../../../src/models/importers/keras-config.ts";
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
