import { describe, expect, test } from "vitest";
import type { Graph, ValueInfo } from "../../src/graph/graph.ts";
import { imageInput } from "../../src/models/image-input.ts";

const graphOf = (...inputs: ValueInfo[]): Graph => ({
  name: "inputs",
  inputs,
  outputs: [],
  nodes: [],
  initializers: new Map(),
  opsets: new Map([["", 18]]),
});
const input = (...shape: (number | string)[]): ValueInfo => ({ name: "x", dtype: "float32", shape });
const info = (fields: object): object => ({ name: "x", batch: undefined, height: 224, width: 224, ...fields });

describe("imageInput", () => {
  test.each([
    [["n", 3, 224, 224], { layout: "NCHW" }],
    [[8, 3, 224, 192], { layout: "NCHW", batch: 8, width: 192 }],
    [["n", 3, "h", "w"], { layout: "NCHW", height: undefined, width: undefined }],
    [["n", "c", 224, 224], { layout: "NCHW" }],
    [["n", 224, 224, 3], { layout: "NHWC" }],
    [[1, 160, 320, 3], { layout: "NHWC", batch: 1, height: 160, width: 320 }],
    [["n", "h", "w", 3], { layout: "NHWC", height: undefined, width: undefined }],
    [["n", 3, 224, 3], { layout: "NCHW", width: 3 }],
    [[0, 3, 0, 224], { layout: "NCHW", height: undefined }],
  ])("reads %j", (shape, wanted) => {
    expect(imageInput(graphOf(input(...shape)))).toEqual(info(wanted));
  });

  test.each([
    ["no input", [], "got none."],
    [
      "two inputs",
      [input("n", 3, 8, 8), { ...input("n", 3), name: "y" }],
      'got "x" float32 [n, 3, 8, 8], "y" float32 [n, 3].',
    ],
    ["three axes", [input(3, 224, 224)], 'got "x" float32 [3, 224, 224].'],
    ["an unknown rank", [{ name: "x", dtype: "float32" as const }], 'got "x" float32 [unknown].'],
    ["whole numbers", [{ ...input("n", 3, 8, 8), dtype: "uint8" as const }], 'got "x" uint8 [n, 3, 8, 8].'],
  ])("refuses %s and says what there is", (_, inputs, message) => {
    expect(() => imageInput(graphOf(...inputs))).toThrow(
      expect.objectContaining({
        code: "BAD_MODEL",
        message: `a vision model requires one float32 input [n, 3, h, w] or [n, h, w, 3], ${message}`,
      }),
    );
  });

  test.each([
    ["n", 1, 28, 28],
    ["n", 28, 28, 1],
    ["n", 4, 224, 224],
  ])("refuses other numbers of channels", (...shape) => {
    expect(() => imageInput(graphOf(input(...shape)))).toThrow(
      expect.objectContaining({
        code: "BAD_MODEL",
        message: `a vision model requires 3 color channels, got "x" float32 [${shape.join(", ")}].`,
      }),
    );
  });
});
