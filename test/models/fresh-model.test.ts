import { expect, test } from "vitest";
import { freshModel } from "../../src/models/fresh-model.ts";
import { tensor } from "../../src/tensor/tensor.ts";

test("an architecture with fresh weights is a model of images", async () => {
  await using model = freshModel("resnet20_cifar10", { seed: 1 });
  expect(model.requirePreprocessing()).toMatchObject({ inputSize: [32, 32], channels: "RGB", scale: 1 / 255 });
  expect(model.metadata.get("architecture")).toBe("resnet20_cifar10");
});

test("the seed decides the weights, and the size is that of the input", () => {
  const weights = (seed: number) => freshModel("resnet20_cifar10", { seed }).graph.initializers.get("conv1.weight");
  expect(weights(1)).toEqual(weights(1));
  expect(weights(1)).not.toEqual(weights(2));
  expect(weights(1)).toEqual(tensor("float32", [16, 3, 3, 3], weights(1)!.data as Float32Array));
  const small = freshModel("mobilenet_v2", { imageSize: [64, 96] });
  expect(small.requirePreprocessing().inputSize).toEqual([64, 96]);
  expect(small.input).toMatchObject({ height: 64, width: 96 });
});

test("there is no model of another name or an impossible size", () => {
  expect(() => freshModel("mobilenet_v22")).toThrow("mobilenet_v2");
  expect(() => freshModel("mobilenet_v2", { imageSize: [0, 64] })).toThrow("height and width");
});
