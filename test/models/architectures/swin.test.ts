import { expect, test } from "vitest";
import { SWIN_CONFIGS, swin } from "../../../src/models/architectures/swin.ts";
import { expectSameScores, expectSameTensors, goldenModels } from "./golden.ts";
import { expectKnownCut, expectSameEpsilons, expectTrainable } from "./modern.ts";

const golden = goldenModels("swin");
const NAMES = Object.keys(SWIN_CONFIGS) as (keyof typeof SWIN_CONFIGS)[];

test("every configuration has a golden record", () => {
  expect(Object.keys(golden)).toEqual(NAMES);
});

test.each(NAMES)("%s has the tensors of torchvision's and gives its scores", async (name) => {
  const design = swin(name);
  expectSameTensors(design.build(), golden[name]!);
  expectSameEpsilons(design.build(), golden[name]!);
  await expectSameScores(design, golden[name]!);
});

test("gradients reach every trainable parameter", async () => {
  await expectTrainable(swin("swin_t"), [64, 64]);
});

test("analysis finds the same cut, and a stage for each resolution", () => {
  expectKnownCut(swin("swin_t"), [64, 64], 4);
});
