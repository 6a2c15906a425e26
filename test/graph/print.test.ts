import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { int, ints, string } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { printGraph } from "../../src/graph/print.ts";
import { AttributeProtoSchema } from "../../src/onnx/onnx-pb.ts";
import { float32, int64, type Tensor, tensor, zeros } from "../../src/tensor/tensor.ts";

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

test("half-precision constants are shown as the numbers that they stand for", () => {
  const b = new GraphBuilder("half");
  const halves = (dtype: "float16" | "bfloat16", bits: number): Tensor => tensor(dtype, [], Uint16Array.of(bits));
  b.initializer("scale", halves("float16", 0x3e00));
  b.initializer("least", halves("float16", 0xfbff));
  b.initializer("brain", halves("bfloat16", 0xc0b0));
  b.op("Constant", [], { value: { kind: "tensor", value: halves("float16", 0x2e66) } }, "y");
  const text = printGraph(b.build([{ name: "y", dtype: "float16" }]));
  expect(text).toContain("scale: float16[] = 1.5\n");
  expect(text).toContain("least: float16[] = -65504\n");
  expect(text).toContain("brain: bfloat16[] = -5.5\n");
  expect(text).toContain("value=float16[] = 0.0999755859375");
});

test("a name cannot draw on the terminal, nor begin a line", () => {
  const b = new GraphBuilder("g\u001b[2J");
  b.input({ name: "x\n  output %y: float32[1]", dtype: "float32", shape: ["n\u202e", 2] });
  b.initializer("w\u009b31m", float32([], [1]));
  const names = { "attribute\r": string("text\u0085\u2066"), plain: string("a\tb") };
  b.ops("Mystery\u0007", ["x\n  output %y: float32[1]", "w\u009b31m"], 1, names, "y\u2028", "domain\u0000");
  const text = printGraph(b.build([{ name: "y\u2028", dtype: "float32" }]));
  expect(text.replaceAll("\n", "")).toMatch(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u);
  expect(text.split("\n")).toHaveLength(6);
  expect(text).toContain("input %x\\u{a}  output %y: float32[1]: float32[n\\u{202e}, 2]");
});
