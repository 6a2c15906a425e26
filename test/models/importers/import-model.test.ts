/** Whole files as Keras 2.15 and 3.15 write them (test/golden/importers), and files that are refused. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { importModel, isWholeModel } from "../../../src/models/importers/import-model.ts";
import { temporaryFolder } from "../../data/made.ts";
import { writeTfjs } from "../../weights/tfjs-files.ts";
import { difference, filled, GOLDEN, goldenCases, goldenInput, type Recorded, runImported } from "./memory.ts";

describe.each(["keras2", "keras3"])("%s", (keras) => {
  test.each(["h5", "keras"])("the whole model as .%s", async (extension) => {
    const path = `${GOLDEN}whole-${keras}.${extension}`;
    expect(await isWholeModel(path)).toBe(true);
    const { graph, notes } = await importModel(path);
    expect(notes).toEqual([]);
    const { output } = JSON.parse(await readFile(`${GOLDEN}whole-${keras}.json`, "utf8")) as { output: Recorded };
    expect(difference(await runImported(graph, goldenInput([1, 8, 8, 3]), output.shape), output)).toBeLessThan(2e-6);
    // Two layers are called "conv": the one in the model within has its path.
    const names = [...graph.initializers.keys()].filter((name) => /conv\/|norm\/|dense\//.test(name));
    expect(names).toEqual([
      "base/conv/kernel",
      ...["gamma", "beta", "moving_mean", "moving_variance"].map((name) => `norm/${name}`),
      ...["conv/kernel", "conv/bias", "dense/kernel", "dense/bias"],
    ]);
    // The shared layer has one kernel and three nodes.
    expect(graph.nodes.filter(({ inputs }) => inputs.includes("conv/kernel"))).toHaveLength(3);
  });
});

test("a TensorFlow.js model in several files, without what Teachable Machine adds", async () => {
  const golden = goldenCases("keras2.json.gz").find(({ name }) => name === "nested models")!;
  const weights = golden.weights.map(([name, shape], k) => ({ name, tensor: filled(name, shape, k) }));
  const folder = await writeTfjs(await temporaryFolder(), golden.topology, weights, { shards: 3 });
  await writeFile(join(folder, "metadata.json"), '{"labels": ["not", "ours"]}');
  const { graph, labels } = await importModel(folder);
  expect(labels).toBeUndefined();
  const got = await runImported(graph, goldenInput(golden.input), golden.output.shape);
  expect(difference(got, golden.output)).toBeLessThan(5e-6);
});

describe("refused", () => {
  test("a folder without a model.json, a missing file, other content", async () => {
    const folder = await temporaryFolder();
    await expect(importModel(folder)).rejects.toMatchObject({ code: "BAD_MODEL" });
    await expect(importModel(join(folder, "missing.h5"))).rejects.toMatchObject({ code: "BAD_MODEL" });
    await writeFile(join(folder, "text.keras"), "hello");
    await expect(importModel(join(folder, "text.keras"))).rejects.toThrow(/is no whole model/);
    expect(await isWholeModel(join(folder, "text.keras"))).toBe(false);
  });

  test("a model.json nested deeper than a stack", async () => {
    const folder = join(await temporaryFolder(), "deep");
    await mkdir(folder);
    const deep = `${'{"class_name":"Sequential","config":{"layers":['.repeat(20_000)}${"]}}".repeat(20_000)}`;
    await writeFile(join(folder, "model.json"), `{"modelTopology":${deep},"weightsManifest":[]}`);
    await expect(importModel(folder)).rejects.toMatchObject({ code: "BAD_MODEL" });
  });
});
