import { test } from "vitest";
import { alexnet } from "../../../src/models/architectures/alexnet.ts";
import { expectGradients, expectKnownStages } from "./checks.ts";
import { expectSameScores, expectSameTensors, goldenModels } from "./golden.ts";

const golden = goldenModels("alexnet")["alexnet"]!;

test("it has the tensors of torchvision's and gives its scores", async () => {
  expectSameTensors(alexnet().build(), golden);
  await expectSameScores(alexnet(), golden);
});

test("stages are those that analysis finds", () => {
  expectKnownStages(alexnet(), [127, 127]);
});

test("every trainable parameter has a gradient", async () => {
  await expectGradients(alexnet(), [80, 80]);
});
