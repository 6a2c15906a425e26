import { expect, test } from "vitest";
import { VGG_CONFIGS, vgg } from "../../../src/models/architectures/vgg.ts";
import { expectGradients, expectKnownStages } from "./checks.ts";
import { expectSameScores, expectSameTensors, goldenModels } from "./golden.ts";

const golden = goldenModels("vgg");
const NAMES = Object.keys(VGG_CONFIGS) as (keyof typeof VGG_CONFIGS)[];

test("every configuration has a golden record", () => {
  expect(Object.keys(golden).toSorted()).toEqual(NAMES.toSorted());
});

test.each(NAMES)("%s has the tensors of torchvision's and gives its scores", async (name) => {
  expectSameTensors(vgg(name).build(), golden[name]!);
  await expectSameScores(vgg(name), golden[name]!);
});

test("stages are those that analysis finds", () => {
  expectKnownStages(vgg("vgg11"), [64, 64], 1);
});

test("every trainable parameter of vgg11 has a gradient", async () => {
  await expectGradients(vgg("vgg11"), [32, 32], 1);
});
