import { expect, test } from "vitest";
import { MOBILENET_V3_CONFIGS, mobilenetV3 } from "../../../src/models/architectures/mobilenet-v3.ts";
import { expectGradients, expectKnownStages } from "./checks.ts";
import { expectSameScores, expectSameTensors, goldenModels } from "./golden.ts";

const golden = goldenModels("mobilenet-v3");
const NAMES = Object.keys(MOBILENET_V3_CONFIGS) as (keyof typeof MOBILENET_V3_CONFIGS)[];

test("every configuration has a golden record", () => {
  expect(Object.keys(golden).toSorted()).toEqual(NAMES.toSorted());
});

test.each(NAMES)("%s has the tensors of torchvision's and gives its scores", async (name) => {
  expectSameTensors(mobilenetV3(name).build(), golden[name]!);
  await expectSameScores(mobilenetV3(name), golden[name]!);
});

test("stages are those that analysis finds", () => {
  expectKnownStages(mobilenetV3("mobilenet_v3_small"), [128, 128], 1.2);
});

test("every trainable parameter of mobilenet_v3_small has a gradient", async () => {
  await expectGradients(mobilenetV3("mobilenet_v3_small"), [64, 64], 1.2);
});
