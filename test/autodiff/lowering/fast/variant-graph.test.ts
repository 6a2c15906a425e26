import { expect, test } from "vitest";
import { type GradientKey, variantsOf } from "../../../../src/autodiff/lowering/fast/choice.ts";
import { variantGraph } from "../../../../src/autodiff/lowering/fast/variant-graph.ts";
import { toNumbers } from "../../../../src/tensor/tensor.ts";
import { convolutionGradients, operandsOf } from "../reference.ts";
import { SMALL } from "../windows.ts";
import { BLOCK, describeBlocked, operatorsOf, run } from "./blocked.ts";

const window = SMALL.find(({ name }) => name === "3x3")!.window;
const pointwise = { ...window, kernel: [1, 1], pads: [0, 0, 0, 0], size: [6, 5] };
const KEYS: readonly GradientKey[] = [
  { kind: "dW1x1", x: [2, BLOCK, 6, 5], dy: [2, 2 * BLOCK, 6, 5], window: pointwise },
  { kind: "dW1x1", x: [2, 24, 6, 5], dy: [2, 40, 6, 5], window: pointwise },
  { kind: "dW1x1", x: [2, 24, 6, 5], dy: [2, 40, 3, 3], window: { ...pointwise, strides: [2, 2] } },
  { kind: "dWkxk", x: [2, 24, 6, 5], dy: [2, 40, 6, 5], window: { ...window, size: [6, 5] } },
  { kind: "dXstrided", x: [2, 24, 6, 5], dy: [2, 40, 3, 3], window: { ...window, size: [6, 5], strides: [2, 2] } },
];
const rows = KEYS.flatMap((key) =>
  variantsOf(key).map((variant) => [`${key.kind} ${variant} ${key.x} ${key.dy}`, key, variant] as const),
);

/** [n, c, h, w] with its channels in blocks, zeros in those that fill the last. */
function inBlocks(data: ArrayLike<number>, [n, c, h, w]: GradientKey["x"], shape: readonly number[]): Float32Array {
  const blocked = new Float32Array(n * shape[1]! * h * w);
  for (let i = 0; i < n * c * h * w; i++) {
    const [image, channel, place] = [Math.floor(i / (c * h * w)), Math.floor(i / (h * w)) % c, i % (h * w)];
    const start = (image * shape[1]! + channel - (channel % BLOCK)) * h * w;
    blocked[start + place * BLOCK + (channel % BLOCK)] = data[i]!;
  }
  return blocked;
}

describeBlocked("the graph of a variant", () => {
  test.each(rows)("gives the mean of the gradient: %s", async (name, key, variant) => {
    const row = { name, n: key.x[0], c: key.x[1], m: key.dy[1], window: key.window };
    const operands = operandsOf(row);
    const graph = variantGraph(key, variant, BLOCK);
    const feeds = graph.inputs.map(({ name: input, shape }) => {
      const tensor = operands[input as "x" | "w" | "dy"]; // as documented
      const sizes = shape as readonly number[];
      if (input === "w") return [input, tensor] as const;
      return [
        input,
        { ...tensor, shape: sizes, data: inBlocks(tensor.data, tensor.shape as unknown as GradientKey["x"], sizes) },
      ] as const;
    });
    const [mean] = toNumbers((await run(graph, Object.fromEntries(feeds)))["mean"]!);
    const { dx, dw } = convolutionGradients(row);
    const wanted = key.kind === "dXstrided" ? dx : dw;
    const scale = Math.sqrt(wanted.reduce((sum, value) => sum + value ** 2, 0));
    expect(Math.abs(mean! - wanted.reduce((sum, value) => sum + value, 0) / wanted.length) / scale).toBeLessThan(1e-7);
  });
});

test.each(KEYS)("variants are graphs of different operators: $kind", (key) => {
  const operators = variantsOf(key).map((variant) => operatorsOf(variantGraph(key, variant, BLOCK)).join());
  expect(new Set(operators).size).toBe(operators.length);
});
