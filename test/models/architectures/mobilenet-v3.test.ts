import { expect, test } from "vitest";
import { MOBILENET_V3_CONFIGS, mobilenetV3 } from "../../../src/models/architectures/mobilenet-v3.ts";
import { expectGradients, expectKnownStages } from "./checks.ts";
import { expectSameScores, expectSameTensors, goldenModels } from "./golden.ts";
import { expectSameEpsilons } from "./modern.ts";

const golden = { ...goldenModels("mobilenet-v3"), ...goldenModels("mobilenet-v3-timm") };
const NAMES = Object.keys(MOBILENET_V3_CONFIGS) as (keyof typeof MOBILENET_V3_CONFIGS)[];

test("every configuration has a golden record", () => {
  expect(Object.keys(golden).toSorted()).toEqual(NAMES.toSorted());
});

test.each(NAMES)("%s has the tensors of its source and gives its scores", async (name) => {
  expectSameTensors(mobilenetV3(name).build(), golden[name]!);
  await expectSameScores(mobilenetV3(name), golden[name]!);
});

test("stages are those that analysis finds", () => {
  for (const name of ["mobilenet_v3_small", "mobilenetv3_small_100"] as const)
    expectKnownStages(mobilenetV3(name), [128, 128], 1.2);
});

test.each(["mobilenetv3_small_100", "mobilenetv3_large_100"] as const)("%s has timm's epsilons", (name) => {
  expectSameEpsilons(mobilenetV3(name).build(), golden[name]!);
});

test.each(["mobilenet_v3_small", "mobilenetv3_small_100"] as const)(
  "every trainable parameter of %s has a gradient",
  async (name) => {
    await expectGradients(mobilenetV3(name), [64, 64], 1.2);
  },
);
