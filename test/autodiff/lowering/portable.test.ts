import { expect, test } from "vitest";
import { GRADIENT_DOMAIN, type GradientOp, windowAttributes } from "../../../src/autodiff/gradient-operators.ts";
import { lower } from "../../../src/autodiff/lowering/lower.ts";
import { PORTABLE } from "../../../src/autodiff/lowering/portable.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Graph } from "../../../src/graph/graph.ts";
import { outOf } from "./reference.ts";
import { OF_MODELS, type Row, SMALL } from "./windows.ts";

/** One gradient operator over symbolic batches. */
function graphOf(op: GradientOp, row: Row): Graph {
  const { c, m, window } = row;
  const x = ["n", c, ...window.size];
  const dy = ["n", m, ...outOf(row)];
  const shapes = {
    ConvGradX: [dy, [m, c / window.group, ...window.kernel]],
    ConvGradW: [x, dy],
    MaxPoolGrad: [x, dy, dy],
  }[op];
  const b = new GraphBuilder("test");
  const inputs = shapes.map((shape, i) => b.input({ name: `x${i}`, dtype: "float32", shape }));
  const y = b.custom(GRADIENT_DOMAIN, op, inputs, windowAttributes(window));
  return b.build([{ name: b.named("Identity", [y], "y"), dtype: "float32" }]);
}

test.each(Object.keys(PORTABLE) as GradientOp[])("the lowering of %s uses nothing but ONNX's own operators", (op) => {
  for (const row of [...SMALL, ...OF_MODELS]) {
    const { nodes, opsets } = lower(graphOf(op, row), PORTABLE);
    expect(nodes.filter(({ domain }) => domain !== "").map(({ domain, op: name }) => `${domain}.${name}`)).toEqual([]);
    expect([...opsets.keys()]).toEqual([""]);
  }
});

test("the lowerings take the forms that were measured to be fastest", () => {
  const opsOf = (op: GradientOp, name: string): Set<string> => {
    const row = [...SMALL, ...OF_MODELS].find((candidate) => candidate.name === name)!;
    return new Set(lower(graphOf(op, row), PORTABLE).nodes.map((node) => node.op));
  };
  expect(opsOf("ConvGradX", "ResNet, 3x3 at 56")).toContain("Conv");
  expect(opsOf("ConvGradX", "ResNet, 3x3 stride 2 at 28")).toContain("ConvTranspose");
  expect(opsOf("ConvGradW", "ResNet, 3x3 at 56")).toContain("Gemm");
  expect(opsOf("ConvGradW", "ResNet, 1x1 256 to 128")).not.toContain("Slice");
  expect(opsOf("ConvGradW", "ResNet stem, 7x7 stride 2")).toContain("Conv");
  expect(opsOf("ConvGradW", "MobileNet, depthwise 96 at 14")).toContain("Conv");
});
