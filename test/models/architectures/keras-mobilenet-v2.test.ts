import { expect, test } from "vitest";
import { KERAS_MOBILENET_V2_CONFIGS, kerasMobilenetV2 } from "../../../src/models/architectures/keras-mobilenet-v2.ts";
import { expectGradients, expectKnownStages } from "./checks.ts";
import { expectSameAsKeras } from "./keras-golden.ts";

const NAMES = Object.keys(KERAS_MOBILENET_V2_CONFIGS) as (keyof typeof KERAS_MOBILENET_V2_CONFIGS)[];

test.each(NAMES)("%s has the variables of Keras's MobileNetV2 and gives its scores", async (name) => {
  await expectSameAsKeras(name);
});

test("stages are those that analysis finds", () => {
  expectKnownStages(kerasMobilenetV2("mobilenet_v2_035_keras"), [96, 96]);
});

test("every trainable parameter has a gradient", async () => {
  await expectGradients(kerasMobilenetV2("mobilenet_v2_035_keras"), [64, 64]);
});

test("odd pixels of padding are behind the map for even sizes, on both sides for odd ones", () => {
  const pads = (size: number) =>
    kerasMobilenetV2("mobilenet_v2_keras")
      .build({ inputSize: [size, size] })
      .topology.nodes.find(({ name }) => name === "Conv1")!.attributes["pads"]!.value;
  expect(pads(224)).toEqual([0, 0, 1, 1]);
  expect(pads(225)).toEqual([1, 1, 1, 1]);
});
