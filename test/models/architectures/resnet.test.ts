import { expect, test } from "vitest";
import { RESNET_CONFIGS, resnet } from "../../../src/models/architectures/resnet.ts";
import { expectGradients, expectKnownStages } from "./checks.ts";
import { expectSameScores, expectSameTensors, goldenModels } from "./golden.ts";

const golden = goldenModels("resnet");
const NAMES = Object.keys(RESNET_CONFIGS) as (keyof typeof RESNET_CONFIGS)[];

test("every configuration has a golden record", () => {
  expect(Object.keys(golden).toSorted()).toEqual(NAMES.toSorted());
});

test.each(NAMES)("%s has the tensors of torchvision's and gives its scores", async (name) => {
  expectSameTensors(resnet(name).build(), golden[name]!);
  await expectSameScores(resnet(name), golden[name]!);
});

test("stages are those that analysis finds", () => {
  expectKnownStages(resnet("resnet18"), [96, 96], 1);
});

test("every trainable parameter of resnet18 has a gradient", async () => {
  await expectGradients(resnet("resnet18"), [48, 48], 1);
});
