import { describe, expect, test } from "vitest";
import { fromKeras, KERAS_NETWORKS, kerasShape, kerasTarget } from "../../../src/models/architectures/keras-names.ts";
import { float32, int64 } from "../../../src/tensor/tensor.ts";
import { expectSameAsKeras, KERAS_MODELS, type KerasName, kerasVariables } from "./keras-golden.ts";

test("every network has a golden record", () => {
  expect(Object.keys(KERAS_MODELS).toSorted()).toEqual(Object.keys(KERAS_NETWORKS).toSorted());
});

test.each(["vgg16", "vgg19"] as const)("Keras's %s is torchvision's with other names and layouts", async (name) => {
  await expectSameAsKeras(name);
});

describe("a path of a file", () => {
  test.each([
    ["vgg16", "block1_conv1/block1_conv1_W_1:0", "features.0.weight", "hwio"], // written by Keras 1
    ["vgg16", "block5_conv3/block5_conv3_b_1:0", "features.28.bias", "same"],
    ["vgg19", "/block5_conv4/block5_conv4/kernel:0", "features.34.weight", "hwio"],
    ["vgg16", "fc1/fc1_W_1:0", "classifier.0.weight", { flattened: [512, 7, 7] }],
    ["vgg16", "fc2/fc2/kernel:0", "classifier.3.weight", "io"],
    ["vgg16", "fc1/fc1/bias:0", "classifier.0.bias", "same"],
    ["resnet50_keras", "model_weights/conv1_conv/conv1_conv/kernel:0", "conv1_conv.weight", "hwio"],
    ["resnet50_keras", "conv2_block1_1_bn/conv2_block1_1_bn/gamma:0", "conv2_block1_1_bn.weight", "same"],
    ["resnet50_keras", "conv1_bn/conv1_bn_running_std_1:0", "conv1_bn.running_var", "same"],
    ["resnet50_keras", "probs/probs/kernel:0", "predictions.weight", "io"],
    [
      "mobilenet_v2_keras",
      "block_1_depthwise/block_1_depthwise/depthwise_kernel:0",
      "block_1_depthwise.weight",
      "hwc1",
    ],
    ["mobilenet_v2_keras", "block_1_depthwise/kernel", "block_1_depthwise.weight", "hwc1"],
    ["mobilenet_v2_keras", "Logits/Logits/bias:0", "predictions.bias", "same"],
  ] as const)("of %s, %s, is our %s", (network, path, name, layout) => {
    expect(kerasTarget(network, path)).toEqual({ name, layout });
  });

  test.each(["", "/", "optimizer/learning_rate:0", "conv1_conv", "top_level_model_weights", "__proto__/constructor:0"])(
    "that is no variable, %j, has no place",
    (path) => {
      expect(kerasTarget("resnet50_keras", path)).toBeUndefined();
    },
  );
});

test("no two variables of a network have the same place", () => {
  for (const name of Object.keys(KERAS_NETWORKS) as KerasName[]) {
    const targets = kerasVariables(name).map(([path]) => kerasTarget(name, path)!.name);
    expect(new Set(targets).size).toBe(targets.length);
  }
});

describe("a kernel", () => {
  const count = (...shape: number[]) => {
    const size = shape.reduce((product, dim) => product * dim, 1);
    return float32(
      shape,
      Array.from({ length: size }, (_, i) => i),
    );
  };

  test("[h, w, in, out] becomes [out, in, h, w]", () => {
    const { shape, data } = fromKeras(count(2, 3, 4, 5), "hwio");
    expect(shape).toEqual([5, 4, 2, 3]);
    const at = (o: number, i: number, y: number, x: number) => data[((o * 4 + i) * 2 + y) * 3 + x];
    expect(at(3, 2, 1, 2)).toBe(((1 * 3 + 2) * 4 + 2) * 5 + 3);
    expect(at(4, 0, 0, 1)).toBe(((0 * 3 + 1) * 4 + 0) * 5 + 4);
  });

  test("[h, w, c, 1] becomes [c, 1, h, w]", () => {
    const { shape, data } = fromKeras(count(2, 2, 3, 1), "hwc1");
    expect(shape).toEqual([3, 1, 2, 2]);
    expect([...data]).toEqual([0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
  });

  test("[in, out] becomes [out, in], of any element type", () => {
    expect(fromKeras(int64([1, 2, 3, 4, 5, 6], [3, 2]), "io")).toEqual(int64([1, 3, 5, 2, 4, 6], [2, 3]));
    expect(fromKeras(float32([3, 2], [1, 2, 3, 4, 5, 6]), "io")).toEqual(float32([2, 3], [1, 3, 5, 2, 4, 6]));
  });

  test("behind a flattened map [h, w, c] reads one of [c, h, w]", () => {
    const { shape, data } = fromKeras(count(12, 2), { flattened: [3, 2, 2] });
    expect(shape).toEqual([2, 12]);
    expect([...data.slice(0, 12)]).toEqual([0, 6, 12, 18, 2, 8, 14, 20, 4, 10, 16, 22]);
  });

  test.each([
    [count(3, 3), "hwio", "requires [h, w, in, out], got [3, 3]"],
    [count(3, 3, 4, 2), "hwc1", "requires [h, w, c, 1], got [3, 3, 4, 2]"],
    [count(3, 3, 1), "io", "requires [in, out], got [3, 3, 1]"],
    [count(13, 2), { flattened: [3, 2, 2] }, "requires [12, out], got [13, 2]"],
  ] as const)("of another shape is refused", (source, layout, message) => {
    expect(() => fromKeras(source, layout)).toThrow(message);
    expect(kerasShape(source.shape, layout)).toEqual(source.shape);
  });
});
