/** What is refused, and how it is said: all layers at once, all weights at once. */
import { describe, expect, test } from "vitest";
import { importGraph } from "../../../src/models/importers/import-graph.ts";
import { parseKerasModel } from "../../../src/models/importers/keras-config.ts";
import { float32, type Tensor } from "../../../src/tensor/tensor.ts";
import { memoryWeights } from "./memory.ts";

const input = (shape: unknown = [null, 8, 8, 3]) => ({
  class_name: "InputLayer",
  config: { batch_input_shape: shape, name: "in" },
});
const layer = (className: string, name: string, config: object = {}) => ({
  class_name: className,
  config: { name, ...config },
});
const conv = layer("Conv2D", "conv", { filters: 2, kernel_size: [3, 3] });

function build(layers: readonly object[], weights: Readonly<Record<string, Tensor>> = {}) {
  const topology = { class_name: "Sequential", config: { name: "net", layers } };
  return importGraph(parseKerasModel(topology, "net.h5"), memoryWeights(weights), { version: 2 }, "net.h5");
}

function refusal(layers: readonly object[], weights: Readonly<Record<string, Tensor>> = {}) {
  try {
    build(layers, weights);
  } catch (error) {
    const { code, message } = error as { code: string; message: string }; // every refusal has both
    return { code, message };
  }
  return { code: "none", message: "" };
}

test("all layers that cannot be imported are named at once, with the reason and what to do", () => {
  const { code, message } = refusal([
    input(),
    conv,
    layer("Lambda", "rot13", { function: ["4wEAAAA=", null, null] }),
    layer("LSTM", "memory", { units: 3 }),
    layer("Activation", "act", { activation: "my_activation" }),
    layer("MaxPooling2D", "pool", { pool_size: [0, 2] }),
    { ...layer("Mine", "own"), registered_name: "my_package>Mine" },
    layer("Resizing", "resize", { height: 4, width: 4, interpolation: "lanczos3" }),
  ]);
  expect(code).toBe("UNSUPPORTED_OP");
  expect(message).toMatch(/^net\.h5 has 6 layers that cannot be imported: /);
  expect(message).toContain('Lambda "rot13" (holds Python code, which is never run)');
  expect(message).toContain('LSTM "memory" (is not supported)');
  expect(message).toContain('Activation "act" (activation: the activation "my_activation" is not known)');
  expect(message).toMatch(/MaxPooling2D "pool" \(pool_size\.0: /);
  expect(message).toContain('my_package>Mine "own" (is a class of its own');
  expect(message).toMatch(/Resizing "resize" \(interpolation: requires nearest or bilinear\)/);
  expect(message).toMatch(/Export the model to ONNX .* and load that\.$/);
});

test("all weights that are missing are named at once", () => {
  const dense = layer("Dense", "dense", { units: 2 });
  expect(refusal([input(), conv, layer("Flatten", "flat"), dense])).toEqual({
    code: "BAD_MODEL",
    message:
      'net.h5 lacks 4 weights of its layers: "conv/kernel", "conv/bias", "dense/kernel", "dense/bias". Save the model again, with its weights.',
  });
});

test("weights of another shape are named with both shapes", () => {
  const weights = { "conv/kernel": float32([3, 3, 4, 2], new Float32Array(72)), "conv/bias": float32([2], [0, 0]) };
  expect(refusal([input(), conv], weights)).toMatchObject({
    code: "SHAPE_MISMATCH",
    message: expect.stringContaining('Conv2D "conv" requires its kernel to be [3,3,3,2], got "conv/kernel" [3,3,4,2]'),
  });
});

describe("models as a whole", () => {
  test("that read several inputs, or whose class is their own", () => {
    const two = {
      class_name: "Functional",
      config: {
        name: "two",
        layers: ["a", "b"].map((name) => ({ class_name: "InputLayer", name, config: { name }, inbound_nodes: [] })),
        input_layers: [
          ["a", 0, 0],
          ["b", 0, 0],
        ],
        output_layers: [["a", 0, 0]],
      },
    };
    expect(() => importGraph(parseKerasModel(two, "two.h5"), memoryWeights({}), { version: 2 }, "two.h5")).toThrow(
      expect.objectContaining({
        code: "UNSUPPORTED_OP",
        message: expect.stringMatching(/reads 2 inputs \("a", "b"\)/),
      }),
    );
    expect(() => parseKerasModel({ class_name: "MyNet", config: {} }, "my.keras")).toThrow(
      /class "MyNet".*Python code/,
    );
  });

  test.each([[{}], [[]], [[null]], [[null, 0]], [[null, -3, 3]], [[null, "a", 3]], [[null, 1e9, 1e9, 3]], [7]])(
    "without a usable input shape: %j",
    (shape) => {
      expect(refusal([input(shape), layer("ReLU", "relu")]).code).toBe("BAD_MODEL");
    },
  );

  test.each([
    ["too small for its kernel", layer("MaxPooling2D", "x", { pool_size: [9, 9] })],
    ["cropped away", layer("Cropping2D", "x", { cropping: 4 })],
    ["enlarged beyond reason", layer("UpSampling2D", "x", { size: [60_000, 60_000] })],
  ])("with a map that is %s", (_what, bad) => {
    expect(refusal([input(), bad])).toMatchObject({ code: "BAD_MODEL", message: expect.stringContaining('"x" would') });
  });

  test.each([
    [layer("Reshape", "x", { target_shape: [5, 5] })],
    [layer("Reshape", "x", { target_shape: [-1, -1, 3] })],
    [layer("Permute", "x", { dims: [1, 1, 2] })],
    [layer("Softmax", "x", { axis: 9 })],
    [layer("Concatenate", "x", { axis: 0 })],
    [layer("Normalization", "x", { mean: [1, 2], variance: [1, 1], axis: [-1] })],
  ])("with shapes that do not fit: %j", (bad) => {
    expect(["BAD_MODEL", "SHAPE_MISMATCH"]).toContain(refusal([input(), bad]).code);
  });
});

test("layers that the output does not need may be of any kind", () => {
  const topology = {
    class_name: "Model",
    config: {
      name: "net",
      layers: [
        { ...input(), name: "in", inbound_nodes: [] },
        { ...layer("ReLU", "relu"), name: "relu", inbound_nodes: [[["in", 0, 0, {}]]] },
        { ...layer("Lambda", "unused"), name: "unused", inbound_nodes: [[["in", 0, 0, {}]]] },
      ],
      input_layers: [["in", 0, 0]],
      output_layers: [["relu", 0, 0]],
    },
  };
  const graph = importGraph(parseKerasModel(topology, "x"), memoryWeights({}), { version: 2 }, "x");
  expect(graph.nodes.map(({ op }) => op)).toEqual(["Relu"]);
});
