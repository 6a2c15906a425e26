import { expect, test } from "vitest";
import { squeezeExcitation } from "../../../src/models/architectures/squeeze-excitation.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import { formulaImage, formulaValue } from "./golden.ts";
import { compute } from "./modern.ts";

test("channels are weighed by a function of their averages", async () => {
  const shapes = {
    "se.fc1.weight": [2, 3, 1, 1],
    "se.fc1.bias": [2],
    "se.fc2.weight": [3, 2, 1, 1],
    "se.fc2.bias": [3],
  };
  const weights = Object.fromEntries(Object.entries(shapes).map(([key, shape]) => [key, formulaValue(key, shape, 1)]));
  const base = formulaImage([2, 2]);
  const image = float32(
    base.shape,
    base.data.map((value, i) => value + Math.floor(i / 4)),
  );
  const values = await compute(
    image,
    (l) => squeezeExcitation(l, l.image, "se", { squeezed: 2, activation: l.relu }),
    weights,
  );
  const means = [0, 1, 2].map((c) => image.data.slice(4 * c, 4 * c + 4).reduce((sum, value) => sum + value / 4, 0));
  const dense = (x: readonly number[], name: string, out: number): number[] =>
    Array.from({ length: out }, (_, i) => {
      const matrix = weights[`${name}.weight`]!.data;
      return x.reduce((sum, value, j) => sum + value * matrix[i * x.length + j]!, weights[`${name}.bias`]!.data[i]!);
    });
  const squeezed = dense(means, "se.fc1", 2).map((value) => Math.max(value, 0));
  const scale = dense(squeezed, "se.fc2", 3).map((value) => 1 / (1 + Math.exp(-value)));
  for (const [i, value] of values.entries()) expect(value).toBeCloseTo(image.data[i]! * scale[Math.floor(i / 4)]!, 5);
});
