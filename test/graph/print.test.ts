import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { int, ints, string } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { printGraph } from "../../src/graph/print.ts";
import { AttributeProtoSchema } from "../../src/onnx/onnx-pb.ts";
import { float32, int64, zeros } from "../../src/tensor/tensor.ts";

test("a graph is printed with the types of all values", () => {
  const b = new GraphBuilder("tiny");
  b.input({ name: "image", dtype: "float32", shape: ["batch", 3, 8, 8] });
  b.initializer("w", zeros("float32", [4, 3, 3, 3]));
  b.initializer("axes", int64([2, 3]));
  const conv = b.op("Conv", ["image", "w"], { strides: ints([2, 2]), auto_pad: string("SAME_UPPER") }, "conv");
  const pooled = b.op("ReduceMean", [conv, "axes"], { keepdims: int(0) }, "pooled");
  const [left = ""] = b.ops("Split", [pooled], 2, { axis: int(1), num_outputs: int(2) }, "half");
  const y = b.op("Clip", [left, b.initializer("low", float32([], [0])), ""], {}, "y");
  expect(printGraph(b.build([{ name: y, dtype: "float32" }]))).toBe(
    `graph tiny (onnx 18)
  input %image: float32[batch, 3, 8, 8]
  w: float32[4, 3, 3, 3]
  axes: int64[2] = 2, 3
  low: float32[] = 0
  %conv: float32[batch, 4, 4, 4] = Conv(%image, w, strides=[2, 2], auto_pad="SAME_UPPER")
  %pooled: float32[batch, 4] = ReduceMean(%conv, axes, keepdims=0)
  %half: float32[batch, 2], %half_1: float32[batch, 2] = Split(%pooled, axis=1, num_outputs=2)
  %y: float32[batch, 2] = Clip(%half, low, _)
  output %y: float32[batch, 2]
`,
  );
});

test("what is not known is marked", () => {
  const b = new GraphBuilder("tiny");
  b.input({ name: "x", dtype: "float32" });
  const graph = b.build([{ name: "z", dtype: "float32" }]);
  const body = { kind: "opaque", value: create(AttributeProtoSchema), captures: ["x"] } as const;
  const nodes = [
    { op: "Relu", domain: "", name: "y", inputs: ["x"], outputs: ["y"], attributes: {} },
    {
      op: "Mystery",
      domain: "com.example",
      name: "z",
      inputs: ["y"],
      outputs: ["z", ""],
      attributes: { body, names: { kind: "strings", value: ["a", "b"] } as const },
    },
  ];
  expect(
    printGraph({
      ...graph,
      nodes,
      opsets: new Map([
        ["", 18],
        ["com.example", 1],
      ]),
    }),
  ).toBe(
    `graph tiny (onnx 18, com.example 1)
  input %x: float32?
  %y: float32? = Relu(%x)
  %z: ?, _ = com.example.Mystery(%y, body=<captures %x>, names=["a", "b"])
  output %z: ?
`,
  );
});
