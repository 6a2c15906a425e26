import { expect, test } from "vitest";
import { SQUEEZENET_CONFIGS, squeezenet } from "../../../src/models/architectures/squeezenet.ts";
import { expectGradients, expectKnownStages } from "./checks.ts";
import { expectSameScores, expectSameTensors, goldenModels } from "./golden.ts";

const golden = goldenModels("squeezenet");
const NAMES = Object.keys(SQUEEZENET_CONFIGS) as (keyof typeof SQUEEZENET_CONFIGS)[];

test("every configuration has a golden record", () => {
  expect(Object.keys(golden).toSorted()).toEqual(NAMES.toSorted());
});

test.each(NAMES)("%s has the tensors of torchvision's and gives its scores", async (name) => {
  expectSameTensors(squeezenet(name).build(), golden[name]!);
  await expectSameScores(squeezenet(name), golden[name]!);
});

test("stages are those that analysis finds", () => {
  expectKnownStages(squeezenet("squeezenet1_1"), [96, 96], 1);
});

test("every trainable parameter of squeezenet1_1 has a gradient", async () => {
  await expectGradients(squeezenet("squeezenet1_1"), [17, 17], 1);
});
