import { test } from "vitest";
import { mobilenetV2 } from "../../../src/models/architectures/mobilenet-v2.ts";
import { expectGradients, expectKnownStages } from "./checks.ts";
import { expectSameScores, expectSameTensors, goldenModels } from "./golden.ts";

const golden = goldenModels("mobilenet-v2")["mobilenet_v2"]!;

test("it has the tensors of torchvision's and gives its scores", async () => {
  expectSameTensors(mobilenetV2().build(), golden);
  await expectSameScores(mobilenetV2(), golden);
});

test("stages are those that analysis finds", () => {
  expectKnownStages(mobilenetV2(), [128, 128]);
});

test("every trainable parameter has a gradient", async () => {
  await expectGradients(mobilenetV2(), [64, 64]);
});
