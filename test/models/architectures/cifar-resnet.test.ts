import { expect, test } from "vitest";
import { CIFAR_RESNET_CONFIGS, cifarResnet } from "../../../src/models/architectures/cifar-resnet.ts";
import { expectGradients, expectKnownStages } from "./checks.ts";
import { expectSameScores, expectSameTensors, goldenModels } from "./golden.ts";

const golden = goldenModels("cifar-resnet");
const NAMES = Object.keys(CIFAR_RESNET_CONFIGS) as (keyof typeof CIFAR_RESNET_CONFIGS)[];

test("every configuration has a golden record", () => {
  expect(Object.keys(golden).toSorted()).toEqual(NAMES.toSorted());
});

test.each(NAMES)("%s has the tensors of the reference and gives its scores", async (name) => {
  expectSameTensors(cifarResnet(name).build(), golden[name]!);
  await expectSameScores(cifarResnet(name), golden[name]!);
});

test("stages are those that analysis finds", () => {
  expectKnownStages(cifarResnet("resnet20_cifar10"), [32, 32], 0.6);
});

test("every trainable parameter of resnet20_cifar10 has a gradient", async () => {
  await expectGradients(cifarResnet("resnet20_cifar10"), [32, 32], 0.6);
});
