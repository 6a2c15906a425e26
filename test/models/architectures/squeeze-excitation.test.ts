import { expect, test } from "vitest";
import type { Value } from "../../../src/graph/graph.ts";
import type { Layers } from "../../../src/models/architectures/layers.ts";
import { squeezeExcitation } from "../../../src/models/architectures/squeeze-excitation.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import { formulaImage, formulaValue } from "./golden.ts";
import { compute } from "./modern.ts";

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const hardSigmoid = (x: number): number => Math.max(0, Math.min(1, x / 6 + 0.5));

test.each([
  { layers: ["fc1", "fc2"], gate: sigmoid },
  { layers: ["conv_reduce", "conv_expand"], gate: hardSigmoid },
] as const)("channels are weighed by a function of their averages: $layers", async ({ layers, gate }) => {
  const [first, second] = layers;
  const shapes = {
    [`se.${first}.weight`]: [2, 3, 1, 1],
    [`se.${first}.bias`]: [2],
    [`se.${second}.weight`]: [3, 2, 1, 1],
    [`se.${second}.bias`]: [3],
  };
  const weights = Object.fromEntries(Object.entries(shapes).map(([key, shape]) => [key, formulaValue(key, shape, 1)]));
  const base = formulaImage([2, 2]);
  const image = float32(
    base.shape,
    base.data.map((value, i) => value + Math.floor(i / 4)),
  );
  const body = (l: Layers): Value => {
    const given = gate === sigmoid ? {} : { gate: l.hardSigmoid, layers }; // nothing: the defaults
    return squeezeExcitation(l, l.image, "se", { squeezed: 2, activation: l.relu, ...given });
  };
  const values = await compute(image, body, weights);
  const means = [0, 1, 2].map((c) => image.data.slice(4 * c, 4 * c + 4).reduce((sum, value) => sum + value / 4, 0));
  const dense = (x: readonly number[], name: string, out: number): number[] =>
    Array.from({ length: out }, (_, i) => {
      const matrix = weights[`${name}.weight`]!.data;
      return x.reduce((sum, value, j) => sum + value * matrix[i * x.length + j]!, weights[`${name}.bias`]!.data[i]!);
    });
  const squeezed = dense(means, `se.${first}`, 2).map((value) => Math.max(value, 0));
  const scale = dense(squeezed, `se.${second}`, 3).map(gate);
  for (const [i, value] of values.entries()) expect(value).toBeCloseTo(image.data[i]! * scale[Math.floor(i / 4)]!, 5);
});
