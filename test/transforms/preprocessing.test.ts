import { describe, expect, test } from "vitest";
import { describePreprocessing, type Preprocessing, preprocessingSchema } from "../../src/transforms/preprocessing.ts";

const imagenet: Preprocessing = {
  version: 1,
  inputSize: [224, 224],
  resize: { kind: "shortest-edge", size: 256 },
  interpolation: "bilinear",
  channels: "RGB",
  layout: "NCHW",
  scale: 1 / 255,
  offset: 0,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

describe("preprocessingSchema", () => {
  test("returns a record unchanged after a trip through JSON", () => {
    expect(preprocessingSchema.parse(JSON.parse(JSON.stringify(imagenet)))).toEqual(imagenet);
  });

  test.each([
    ["another version", { version: 2 }],
    ["a size of zero", { inputSize: [0, 224] }],
    ["a huge size", { inputSize: [224, 8193] }],
    ["half a pixel", { inputSize: [224.5, 224] }],
    ["a huge shorter side", { resize: { kind: "shortest-edge", size: 1e9 } }],
    ["an unknown resize", { resize: { kind: "fit" } }],
    ["a stray key in resize", { resize: { kind: "stretch", size: 3 } }],
    ["an unknown filter", { interpolation: "hamming" }],
    ["infinite mean", { mean: [0, 0, Number.POSITIVE_INFINITY] }],
    ["NaN scale", { scale: Number.NaN }],
    ["scale zero", { scale: 0 }],
    ["std zero", { std: [1, 0, 1] }],
    ["two means", { mean: [0, 0] }],
    ["an unknown key", { crop: 1 }],
  ])("refuses %s", (_, change) => {
    expect(preprocessingSchema.safeParse({ ...imagenet, ...change }).success).toBe(false);
  });
});

describe("describePreprocessing", () => {
  test("is one readable line", () => {
    expect(describePreprocessing(imagenet)).toBe(
      "224x224 RGB NCHW, shorter side to 256 (bilinear), center crop, (x / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]",
    );
    const keras: Preprocessing = {
      ...imagenet,
      inputSize: [96, 128],
      resize: { kind: "stretch" },
      scale: 1 / 127.5,
      offset: -1,
    };
    expect(describePreprocessing({ ...keras, layout: "NHWC", mean: [0, 0, 0], std: [1, 1, 1] })).toBe(
      "128x96 RGB NHWC, stretched (bilinear), x / 127.5 - 1",
    );
    const raw: Preprocessing = { ...imagenet, resize: { kind: "center-square" }, channels: "BGR", scale: 1 };
    expect(describePreprocessing({ ...raw, mean: [0, 0, 0], std: [1, 1, 1] })).toBe(
      "224x224 BGR NCHW, center square (bilinear), x",
    );
  });
});
