import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { memorySource } from "../../src/weights/byte-source.ts";
import { type KerasH5, openKerasH5 } from "../../src/weights/keras-h5.ts";
import { openWeights } from "../../src/weights/open-weights.ts";
import { temporaryFolder } from "../data/made.ts";
import { expectTensors, goldenPath, goldenTensors, zipOf } from "./golden.ts";

const EXPECTED = goldenTensors("hdf5.json");

function open(name: string): KerasH5 {
  return openKerasH5(memorySource(name, readFileSync(goldenPath(name))));
}

test.each(["keras2-weights.h5", "keras2-model.h5", "keras3.weights.h5", "keras3-latest.weights.h5"])(
  "names and reads the weights of %s",
  async (name) => {
    const source = await openWeights(goldenPath(name));
    expect(source.format).toBe("keras");
    expectTensors(source, EXPECTED[name]!);
    source.close();
  },
);

test("lists layers and their weights in the model's order, whatever the weights are called", () => {
  const { layers, tensors } = open("keras2-weights.h5");
  expect(layers).toEqual([
    { name: "conv2d", tensors: ["conv2d/kernel", "conv2d/bias"] },
    { name: "block1_conv1", tensors: ["block1_conv1/block1_conv1_W_1", "block1_conv1/block1_conv1_b_1"] },
    {
      name: "inner_model",
      tensors: ["inner_model/Conv1/kernel", "inner_model/bn/gamma", "inner_model/bn/moving_mean"],
    },
  ]);
  expect(tensors.layers).toEqual(layers);
  expect([...tensors.metadata]).toEqual([
    ["keras_version", "2.15.0"],
    ["backend", "tensorflow"],
  ]);
});

test("leaves out the optimizer, and gives the topology of a whole model", () => {
  const { modelConfig, layers } = open("keras2-model.h5");
  expect(JSON.parse(modelConfig ?? "")).toMatchObject({ class_name: "Sequential" });
  expect(layers.map(({ name }) => name)).toEqual(["conv2d", "block1_conv1", "inner_model"]);
  expect(open("keras2-weights.h5").modelConfig).toBeUndefined();
});

test("groups the variables of a Keras 3 file by their place", () => {
  expect(open("keras3.weights.h5").layers).toEqual([
    { name: "layers/layer_0", tensors: ["layers/layer_0/vars/0", "layers/layer_0/vars/1"] },
    { name: "layers/layer_1", tensors: [0, 1, 2, 3].map((i) => `layers/layer_1/vars/${i}`) },
  ]);
});

test.each([false, true])("reads the weights within a .keras archive, compressed %s", async (deflate) => {
  const path = join(await temporaryFolder(), "model.keras");
  const data = readFileSync(goldenPath("keras3.weights.h5"));
  await writeFile(
    path,
    zipOf([
      { name: "config.json", data: "{}" },
      { name: "model.weights.h5", data, deflate },
    ]),
  );
  const source = await openWeights(path);
  expectTensors(source, EXPECTED["keras3.weights.h5"]!);
  source.close();
});

describe("refused", () => {
  test("an HDF5 file of something else", () => {
    const bytes = readFileSync(goldenPath("keras2-weights.h5"));
    bytes.set(Buffer.from("layer_nomes"), bytes.indexOf("layer_names"));
    const { tensors } = openKerasH5(memorySource("a.h5", bytes));
    expect(tensors.notes).toEqual(["the file names no weights: tensors are named by their place in it"]);
  });

  test("weights that are listed and not there, by name", () => {
    const bytes = readFileSync(goldenPath("keras2-weights.h5"));
    bytes.set(Buffer.from("Conv7/kernel:0"), bytes.indexOf("Conv1/kernel:0"));
    expect(() => openKerasH5(memorySource("a.h5", bytes))).toThrow(
      'not in it, or no numbers: "inner_model/Conv7/kernel"',
    );
  });

  test("elements in another file, when they are read", async () => {
    const source = await openWeights(goldenPath("refused.h5"));
    expect(() => source.read("external")).toThrow("in another file, which is not followed");
    source.close();
  });
});
