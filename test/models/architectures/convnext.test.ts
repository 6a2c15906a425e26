import { expect, test } from "vitest";
import { CONVNEXT_CONFIGS, convnext } from "../../../src/models/architectures/convnext.ts";
import { expectSameScores, expectSameTensors, goldenModels } from "./golden.ts";
import { expectKnownCut, expectSameEpsilons, expectTrainable } from "./modern.ts";

const golden = goldenModels("convnext");
const NAMES = Object.keys(CONVNEXT_CONFIGS) as (keyof typeof CONVNEXT_CONFIGS)[];

test("every configuration has a golden record", () => {
  expect(Object.keys(golden)).toEqual(NAMES);
});

test.each(NAMES)("%s has the tensors of torchvision's and gives its scores", async (name) => {
  const design = convnext(name);
  expectSameTensors(design.build(), golden[name]!);
  expectSameEpsilons(design.build(), golden[name]!);
  await expectSameScores(design, golden[name]!);
});

test("gradients reach every trainable parameter", async () => {
  await expectTrainable(convnext("convnext_tiny"), [32, 32]);
});

test("analysis finds the same cut, and a stage for each resolution", () => {
  expectKnownCut(convnext("convnext_tiny"), [64, 64], 4);
});
