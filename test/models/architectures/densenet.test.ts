import { expect, test } from "vitest";
import { DENSENET_CONFIGS, densenet } from "../../../src/models/architectures/densenet.ts";
import { expectGradients, expectKnownStages } from "./checks.ts";
import { expectSameScores, expectSameTensors, goldenModels } from "./golden.ts";

const golden = goldenModels("densenet");
const NAMES = Object.keys(DENSENET_CONFIGS) as (keyof typeof DENSENET_CONFIGS)[];

test("every configuration has a golden record", () => {
  expect(Object.keys(golden).toSorted()).toEqual(NAMES.toSorted());
});

test.each(NAMES)("%s has the tensors of torchvision's and gives its scores", async (name) => {
  expectSameTensors(densenet(name).build(), golden[name]!);
  await expectSameScores(densenet(name), golden[name]!);
});

test("stages are those that analysis finds", () => {
  expectKnownStages(densenet("densenet121"), [96, 96], 1);
});

test("every trainable parameter of densenet121 has a gradient", async () => {
  await expectGradients(densenet("densenet121"), [48, 48], 1);
});
