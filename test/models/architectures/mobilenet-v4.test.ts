import { expect, test } from "vitest";
import { MOBILENET_V4_CONFIGS, mobilenetV4 } from "../../../src/models/architectures/mobilenet-v4.ts";
import { expectSameScores, expectSameTensors, goldenModels } from "./golden.ts";
import { expectKnownCut, expectSameEpsilons, expectTrainable } from "./modern.ts";

const golden = goldenModels("mobilenet-v4");
const NAMES = Object.keys(MOBILENET_V4_CONFIGS) as (keyof typeof MOBILENET_V4_CONFIGS)[];

test("every configuration has a golden record", () => {
  expect(Object.keys(golden)).toEqual(NAMES);
});

test.each(NAMES)("%s has the tensors of timm's and gives its scores", async (name) => {
  const design = mobilenetV4(name);
  expectSameTensors(design.build(), golden[name]!);
  expectSameEpsilons(design.build(), golden[name]!);
  await expectSameScores(design, golden[name]!);
});

test("gradients reach every trainable parameter", async () => {
  await expectTrainable(mobilenetV4("mobilenetv4_conv_small"), [32, 32]);
});

test("analysis finds the same cut, and a stage for each resolution", () => {
  expectKnownCut(mobilenetV4("mobilenetv4_conv_small"), [64, 64], 5);
});
