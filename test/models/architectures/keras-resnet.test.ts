import { test } from "vitest";
import { kerasResnet50 } from "../../../src/models/architectures/keras-resnet.ts";
import { expectGradients, expectKnownStages } from "./checks.ts";
import { expectSameAsKeras } from "./keras-golden.ts";

test("it has the variables of Keras's ResNet50 and gives its scores", async () => {
  await expectSameAsKeras("resnet50_keras");
});

test("stages are those that analysis finds", () => {
  expectKnownStages(kerasResnet50(), [96, 96], 0.7);
});

test("every trainable parameter has a gradient", async () => {
  await expectGradients(kerasResnet50(), [48, 48], 0.7);
});
