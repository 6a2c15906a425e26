import { expect, test } from "vitest";
import {
  type InvertedResidualOptions,
  invertedResidual,
  numberedParts,
  timmParts,
} from "../../../src/models/architectures/inverted-residual.ts";
import { Layers } from "../../../src/models/architectures/layers.ts";

/** The layers and operators of a block over an image [3, 8, 8], and the shape that it gives. */
function built(options: Partial<InvertedResidualOptions>) {
  const l = new Layers("test", [8, 8]);
  const size = { kernel: 3, stride: 1, wide: 3, out: 3, activation: l.relu, names: numberedParts("b", false) };
  const y = invertedResidual(l, l.image, "b", { ...size, ...options });
  const weights = l.parameters.filter(({ kind }) => kind === "weight" || kind === "scale");
  const { nodes } = l.b.build([{ name: y, dtype: "float32", shape: ["batch", ...l.shapeOf(y)] }]);
  return {
    shape: l.shapeOf(y),
    layers: weights.map(({ name, shape }) => `${name.replace(/[.]weight$/, "")} ${shape}`),
    ops: nodes.map(({ op }) => op),
  };
}

test("a block that does not widen has two convolutions, and adds what it reads", () => {
  const { shape, layers, ops } = built({});
  expect(shape).toEqual([3, 8, 8]);
  expect(layers).toEqual(["b.0.0 3,1,3,3", "b.0.1 3", "b.1.0 3,3,1,1", "b.1.1 3"]);
  expect(ops).toEqual(["Conv", "BatchNormalization", "Relu", "Conv", "BatchNormalization", "Add"]);
});

test("a block that widens, attends and changes the shape has four parts, and adds nothing", () => {
  const attention = { squeezed: 2, activation: (x: string) => x };
  const { shape, layers, ops } = built({
    ...{ stride: 2, wide: 6, out: 4, kernel: 5, attention },
    names: numberedParts("b", true),
  });
  expect(shape).toEqual([4, 4, 4]);
  expect(layers).toEqual([
    ...["b.0.0 6,3,1,1", "b.0.1 6", "b.1.0 6,1,5,5", "b.1.1 6"],
    ...["b.2.fc1 2,6,1,1", "b.2.fc2 6,2,1,1", "b.3.0 4,6,1,1", "b.3.1 4"],
  ]);
  expect(ops).not.toContain("Add");
  expect(ops.filter((op) => op === "Relu").length).toBe(2);
});

test.each([
  ["other channels", { out: 4 }],
  ["another resolution", { stride: 2 }],
])("%s alone keep a block from adding what it reads", (_what, options) => {
  expect(built(options).ops).not.toContain("Add");
});

test("timm calls the last layer by whether there is a first one", () => {
  expect(timmParts("blocks.1.0")(true)).toEqual({
    widen: ["blocks.1.0.conv_pw", "blocks.1.0.bn1"],
    depthwise: ["blocks.1.0.conv_dw", "blocks.1.0.bn2"],
    attention: "blocks.1.0.se",
    narrow: ["blocks.1.0.conv_pwl", "blocks.1.0.bn3"],
  });
  expect(timmParts("blocks.0.0")(false)).toEqual({
    widen: undefined,
    depthwise: ["blocks.0.0.conv_dw", "blocks.0.0.bn1"],
    attention: "blocks.0.0.se",
    narrow: ["blocks.0.0.conv_pw", "blocks.0.0.bn2"],
  });
});
