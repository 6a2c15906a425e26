import { describe, expect, test } from "vitest";
import { windowAttributes } from "../../../../src/autodiff/gradient-operators.ts";
import { VARIANTS, type Variant } from "../../../../src/autodiff/lowering/fast/choice.ts";
import { lowerFast } from "../../../../src/autodiff/lowering/fast/lower-fast.ts";
import { GraphBuilder } from "../../../../src/graph/builder.ts";
import type { Graph } from "../../../../src/graph/graph.ts";
import { type Tensor, toNumbers } from "../../../../src/tensor/tensor.ts";
import { convolve } from "../forward.ts";
import { convolutionGradients, operandsOf, worstError } from "../reference.ts";
import { OF_MODELS, type Row, SMALL } from "../windows.ts";
import { BLOCK, describeBlocked, fastGradient, operatorsOf, runGraph } from "./blocked.ts";

function row(
  name: string,
  [n, c, m]: readonly [number, number, number],
  size: readonly number[],
  kernel: readonly number[],
  window: Partial<Row["window"]> = {},
): Row {
  const pads = [...kernel, ...kernel].map(() => 0);
  return { name, n, c, m, window: { kernel, size, strides: [1, 1], dilations: [1, 1], pads, group: 1, ...window } };
}

const PAD1 = [1, 1, 1, 1];
const TWO = [2, 2];

/** Whole blocks, blocks that are not full, and fewer channels than a block. */
const CHANNELS = [
  [2, 16, 32],
  [3, 24, 40],
  [2, 40, 24],
  [2, 6, 5],
] as const;

const BLOCKS: readonly Row[] = [
  ...CHANNELS.flatMap((nm): Row[] => [
    row("1x1", nm, [5, 6], [1, 1]),
    row("1x1, one position", nm, [1, 1], [1, 1]),
    row("1x1, one position, padded", nm, [1, 1], [1, 1], { strides: TWO, pads: [1, 1, 0, 0] }),
    row("1x1, stride 2, even", nm, [6, 8], [1, 1], { strides: TWO }),
    row("1x1, stride 2, odd", nm, [7, 5], [1, 1], { strides: TWO }),
    row("1x1, stride 3 and 2", nm, [7, 9], [1, 1], { strides: [3, 2] }),
    row("3x3", nm, [6, 5], [3, 3], { pads: PAD1 }),
    row("3x3, no padding", nm, [6, 5], [3, 3]),
    row("3x3, dilated", nm, [9, 8], [3, 3], { dilations: TWO, pads: [2, 2, 2, 2] }),
    row("3x3, stride 2, even", nm, [8, 6], [3, 3], { strides: TWO, pads: PAD1 }),
    row("3x3, stride 2, odd", nm, [7, 9], [3, 3], { strides: TWO, pads: PAD1 }),
    row("3x3, stride 2, padded at the end", nm, [8, 6], [3, 3], { strides: TWO, pads: [0, 0, 1, 1] }),
    row("3x3, stride 3", nm, [8, 10], [3, 3], { strides: [3, 3], pads: PAD1 }),
    row("3x3, stride 1 and 2", nm, [7, 8], [3, 3], { strides: [1, 2], pads: PAD1 }),
    row("2x2, stride 2", nm, [8, 6], [2, 2], { strides: TWO }),
    row("5x5, stride 2", nm, [8, 9], [5, 5], { strides: TWO, pads: [2, 2, 2, 2] }),
    row("kernel beyond the input", nm, [2, 3], [5, 5], { pads: [2, 2, 2, 2] }),
  ]),
  ...[16, 24, 3].flatMap((c): Row[] => {
    const nm = [2, c, c] as const;
    return [
      row("depthwise", nm, [6, 7], [3, 3], { group: c, pads: PAD1 }),
      row("depthwise, 1x1", nm, [4, 3], [1, 1], { group: c }),
      row("depthwise, 1x1, stride 2", nm, [4, 4], [1, 1], { group: c, strides: TWO }),
      row("depthwise, stride 2, even", nm, [6, 8], [3, 3], { group: c, strides: TWO, pads: PAD1 }),
      row("depthwise, stride 2, padded at the end", nm, [6, 8], [3, 3], { group: c, strides: TWO, pads: [0, 0, 1, 1] }),
      row("depthwise, stride 2, odd", nm, [7, 9], [5, 5], { group: c, strides: TWO, pads: [2, 2, 2, 2] }),
      row("depthwise, dilated", nm, [8, 9], [3, 3], { group: c, dilations: [2, 1], pads: [2, 1, 2, 1] }),
    ];
  }),
  row("depthwise, multiplier 2", [2, 16, 32], [6, 7], [3, 3], { group: 16, pads: PAD1 }),
];

const PRODUCTION: readonly Row[] = [
  ...OF_MODELS,
  row("MobileNet, 1x1 32 to 16 at 112", [1, 32, 16], [112, 112], [1, 1]),
  row("MobileNet, 1x1 24 to 144 at 56", [2, 24, 144], [56, 56], [1, 1]),
  row("MobileNet, 1x1 144 to 24 at 56", [2, 144, 24], [56, 56], [1, 1]),
  row("MobileNet, depthwise 144 stride 2 at 56", [1, 144, 144], [56, 56], [3, 3], {
    group: 144,
    strides: TWO,
    pads: [0, 0, 1, 1],
  }),
  row("MobileNet, depthwise 32 at 112", [1, 32, 32], [112, 112], [3, 3], { group: 32, pads: PAD1 }),
  row("EfficientNet, depthwise 5x5 stride 2 at 27", [2, 40, 40], [27, 27], [5, 5], {
    group: 40,
    strides: TWO,
    pads: [2, 2, 2, 2],
  }),
];

const label = ({ name, c, m }: Row): string => `${name}, ${c} to ${m} channels`;
const ALL_VARIANTS: readonly Variant[] = [...new Set(Object.values(VARIANTS).flat())];

/** One graph for each way to compute a gradient, from plain and from blocked operands. */
function graphsOf(op: "ConvGradX" | "ConvGradW", operands: readonly Tensor[], { window }: Row): Graph[] {
  const graphs = new Map<string, Graph>();
  for (const blocked of window.size.length === 2 ? [false, true] : [false]) {
    for (const choice of ALL_VARIANTS) {
      const graph = fastGradient(op, operands, window, { blocked, choose: () => choice });
      graphs.set(operatorsOf(graph).join(), graph);
    }
  }
  return [...graphs.values()];
}

describeBlocked("gradients of convolutions, lowered fast, agree with loops in float64", () => {
  const small = [...SMALL, ...BLOCKS];
  test.each(small.map((r) => [label(r), r] as const))("%s", async (_name, r) => {
    const { x, dy, w } = operandsOf(r);
    const { dx, dw } = convolutionGradients(r);
    for (const graph of graphsOf("ConvGradW", [x, dy], r)) {
      const got = await runGraph(graph, [x, dy]);
      expect(got.shape).toEqual(w.shape);
      expect(worstError(got, dw)).toBeLessThan(1e-6);
    }
    for (const graph of graphsOf("ConvGradX", [dy, w], r)) {
      const got = await runGraph(graph, [dy, w]);
      expect(got.shape).toEqual(x.shape);
      expect(worstError(got, dx)).toBeLessThan(1e-6);
    }
  });

  test.each(PRODUCTION.map((r) => [label(r), r] as const))("%s", async (_name, r) => {
    const { x, dy, w } = operandsOf(r);
    const { dx, dw } = convolutionGradients(r);
    for (const choice of ["blocked", "batched", "single"] as const) {
      const options = { choose: () => choice };
      // Depthwise, a sum over 112 x 112 positions has one accumulator: measured 2e-6 to 4e-6, and falling with the batch.
      const bound = r.window.group > 1 && r.window.size[0] === 112 ? 5e-6 : 2e-6;
      const got = await runGraph(fastGradient("ConvGradW", [x, dy], r.window, options), [x, dy]);
      expect(worstError(got, dw)).toBeLessThan(bound);
    }
    expect(worstError(await runGraph(fastGradient("ConvGradX", [dy, w], r.window), [dy, w]), dx)).toBeLessThan(2e-6);
  });
});

describeBlocked("convolutions, lowered fast, agree with ONNX Runtime's own", () => {
  const rows = [...SMALL, ...BLOCKS].filter(({ window }) => window.pads.every((p) => p >= 0)); // Conv refuses others
  test.each(rows.map((r) => [label(r), r] as const))("%s", async (_name, r) => {
    const { x, w } = operandsOf(r);
    const b = new GraphBuilder("convolution");
    for (const [i, { shape }] of [x, w].entries()) b.input({ name: `x${i}`, dtype: "float32", shape });
    const { size: _, ...attributes } = windowAttributes(r.window);
    b.named("Conv", ["x0", "x1"], "y", attributes);
    const graph = lowerFast(b.build([{ name: "y", dtype: "float32" }]), { block: BLOCK });
    const wanted = await convolve(x, w, r.window);
    const got = await runGraph(graph, [x, w]);
    expect(got.shape).toEqual(wanted.shape);
    expect(worstError(got, Float64Array.from(toNumbers(wanted)))).toBeLessThan(2e-6);
  });
});

describe("the choice", () => {
  const pointwise = row("1x1", [2, 32, 16], [8, 8], [1, 1]);
  const kernel3 = row("3x3", [2, 32, 16], [8, 8], [3, 3], { pads: PAD1, strides: TWO });
  const operators = (op: "ConvGradX" | "ConvGradW", r: Row, choice?: Variant): string[] => {
    const { x, w, dy } = operandsOf(r);
    const operands = op === "ConvGradX" ? [dy, w] : [x, dy];
    return operatorsOf(fastGradient(op, operands, r.window, { choose: () => choice }));
  };

  test("sees the shapes, and which variants can be", () => {
    const { x, dy } = operandsOf(pointwise);
    const seen: unknown[] = [];
    fastGradient("ConvGradW", [x, dy], pointwise.window, {
      choose: (key, variants) => {
        seen.push(key, variants);
        return undefined;
      },
    });
    expect(seen).toEqual([
      { kind: "dW1x1", x: [2, 32, 8, 8], dy: [2, 16, 8, 8], window: pointwise.window },
      ["single", "batched", "blocked"],
    ]);
  });

  test("decides which operators appear", () => {
    expect(operators("ConvGradW", pointwise, "single")).toContain("Gemm");
    expect(operators("ConvGradW", pointwise, "batched")).toContain("MatMul");
    expect(operators("ConvGradW", pointwise, "blocked")).toEqual(expect.arrayContaining(["MatMul", "*ReorderInput"]));
    expect(operators("ConvGradW", kernel3, "volume")).toContain("Conv");
    expect(operators("ConvGradW", kernel3, "taps")).toContain("Gemm");
    expect(operators("ConvGradX", kernel3, "phases").filter((op) => op === "*Conv")).toHaveLength(4);
    expect(operators("ConvGradX", kernel3, "transposed")).toContain("ConvTranspose");
  });

  test("falls back on thresholds, for what it leaves open and for what cannot be", () => {
    for (const choice of [undefined, "phases"] as const) {
      expect(operators("ConvGradW", pointwise, choice)).toContain("Gemm");
    }
    const large = row("1x1", [1, BLOCK, BLOCK], [28, 28], [1, 1]);
    expect(operators("ConvGradW", large)).toContain("MatMul");
  });
});
