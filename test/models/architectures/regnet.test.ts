import { expect, test } from "vitest";
import { REGNET_CONFIGS, regnet } from "../../../src/models/architectures/regnet.ts";
import { expectKnownStages } from "./checks.ts";
import { expectSameScores, expectSameTensors, goldenModels } from "./golden.ts";
import { expectSameEpsilons, expectTrainable } from "./modern.ts";

const golden = goldenModels("regnet");
const NAMES = Object.keys(REGNET_CONFIGS) as (keyof typeof REGNET_CONFIGS)[];

test("every configuration has a golden record", () => {
  expect(Object.keys(golden)).toEqual(NAMES);
});

test.each(NAMES)("%s has the tensors of torchvision's and gives its scores", async (name) => {
  const design = regnet(name);
  expectSameTensors(design.build(), golden[name]!);
  expectSameEpsilons(design.build(), golden[name]!);
  await expectSameScores(design, golden[name]!);
});

test("gradients reach every trainable parameter", async () => {
  await expectTrainable(regnet("regnet_y_400mf"), [32, 32]);
});

test("analysis finds the same cut, parameters and stages", () => {
  expectKnownStages(regnet("regnet_y_400mf"), [64, 64]);
});
