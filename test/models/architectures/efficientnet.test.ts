import { expect, test } from "vitest";
import { EFFICIENTNET_CONFIGS, efficientnet } from "../../../src/models/architectures/efficientnet.ts";
import { expectKnownStages } from "./checks.ts";
import { expectSameScores, expectSameTensors, goldenModels } from "./golden.ts";
import { expectSameEpsilons, expectTrainable } from "./modern.ts";

const golden = goldenModels("efficientnet");
const NAMES = Object.keys(EFFICIENTNET_CONFIGS) as (keyof typeof EFFICIENTNET_CONFIGS)[];

test("every configuration has a golden record", () => {
  expect(Object.keys(golden)).toEqual(NAMES);
});

test.each(NAMES)("%s has the tensors of torchvision's and gives its scores", async (name) => {
  const design = efficientnet(name);
  expectSameTensors(design.build(), golden[name]!);
  expectSameEpsilons(design.build(), golden[name]!);
  await expectSameScores(design, golden[name]!);
});

test("gradients reach every trainable parameter", async () => {
  await expectTrainable(efficientnet("efficientnet_b0"), [32, 32], 1.3);
});

test("analysis finds the same cut, parameters and stages", () => {
  expectKnownStages(efficientnet("efficientnet_b0"), [64, 64], 1.3);
});
