import { expect, test } from "vitest";
import { architecture } from "../../../src/models/architectures/architecture.ts";

const design = architecture({
  name: "small",
  family: "small",
  source: "none",
  inputSize: [32, 48],
  sizes: { minimum: 24, multipleOf: 8 },
  numClasses: 4,
  forward: (l, numClasses) => {
    const x = l.stage("stem", l.relu(l.conv(l.image, "stem", { out: 6, kernel: 4, stride: 4, padding: 0 })));
    const features = l.flatten(l.globalAveragePool(x));
    return { features, classifier: "head", logits: l.linear(features, "head", { out: numClasses, bias: false }) };
  },
});

test("a design is built at its own size and number of classes, or at others", () => {
  const network = design.build();
  expect([network.inputSize, network.numClasses]).toEqual([[32, 48], 4]);
  expect(network.stages).toEqual([{ name: "stem", output: "relu", shape: [6, 8, 12], parameters: ["stem.weight"] }]);
  expect(network.classifier).toEqual({ weight: "head.weight", bias: undefined });
  expect([network.stem, network.features, network.featureWidth]).toEqual(["stem.weight", "flatten", 6]);
  const other = design.build({ inputSize: [24, 80], numClasses: 2 });
  expect(other.topology.inputs[0]!.shape).toEqual(["batch", 3, 24, 80]);
  expect(other.topology.outputs).toEqual([{ name: "logits", dtype: "float32", shape: ["batch", 2] }]);
});

test.each([
  [[16, 32], "small requires a height and width from 24 to 4096 pixels that are multiples of 8, got 16 x 32."],
  [[24, 33], "got 24 x 33."],
  [[24], "got 24."],
  [[24, Number.POSITIVE_INFINITY], "got 24 x Infinity."],
])("input sizes %j are refused", (inputSize, message) => {
  expect(() => design.build({ inputSize: inputSize as unknown as [number, number] })).toThrow(message); // as JavaScript may
});
