import { expect, test } from "vitest";
import { recognizeComposites } from "../../../src/autodiff/composites/recognize.ts";
import { Layers } from "../../../src/models/architectures/layers.ts";
import { reshape, tokensOf } from "../../../src/models/architectures/tokens.ts";
import { attention, gelu, mlp } from "../../../src/models/architectures/transformer.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import { formulaImage, formulaValue } from "./golden.ts";
import { compute } from "./modern.ts";

test("gelu is x Φ(x), and one operator for gradients", async () => {
  const values = await compute(float32([1, 3, 1, 2], [-2, -0.5, 0, 0.5, 1, 3]), (l) => gelu(l, l.image));
  // Φ from tables of the normal distribution
  const expected = [-2 * 0.02275013, -0.5 * 0.30853754, 0, 0.5 * 0.69146246, 0.84134475, 3 * 0.9986501];
  for (const [i, value] of values.entries()) expect(value).toBeCloseTo(expected[i]!, 6);
  const l = new Layers("test", [2, 2]);
  const graph = l.b.build([{ name: gelu(l, l.image), dtype: "float32", shape: ["batch", 3, 2, 2] }]);
  expect(recognizeComposites(graph).nodes.map(({ op }) => op)).toEqual(["Gelu"]);
});

const HEADS = 2;
const TOKENS = 4;
/** Channels of queries, of keys and of values. */
const WIDTH = 6;

/** Attention by its formula, one score after the other. */
function attend(qkv: readonly number[], bias: (head: number, i: number, j: number) => number): number[] {
  const size = WIDTH / HEADS;
  const row = (part: number, head: number, i: number): readonly number[] => {
    const start = i * 3 * WIDTH + part * WIDTH + head * size;
    return qkv.slice(start, start + size);
  };
  const out: number[] = [];
  for (let i = 0; i < TOKENS; i++)
    for (let head = 0; head < HEADS; head++) {
      const scores = Array.from({ length: TOKENS }, (_, j) => {
        const [q, k] = [row(0, head, i), row(1, head, j)];
        return Math.exp(q.reduce((sum, x, c) => sum + x * k[c]!, 0) / Math.sqrt(size) + bias(head, i, j));
      });
      const total = scores.reduce((sum, score) => sum + score, 0);
      for (let c = 0; c < size; c++)
        out.push(scores.reduce((sum, score, j) => sum + (score / total) * row(2, head, j)[c]!, 0));
    }
  return out;
}

test("attention is the softmax of scaled products and biases, in each head", async () => {
  const image = formulaImage([6, TOKENS]); // 18 numbers for each of four tokens
  const biases = float32(
    [HEADS, TOKENS, TOKENS],
    Array.from({ length: HEADS * TOKENS ** 2 }, (_, i) => Math.sin(i)),
  );
  const qkv = await compute(image, (l) => reshape(l, l.image, [TOKENS, 3 * WIDTH]));
  const plain = await compute(image, (l) => attention(l, reshape(l, l.image, [TOKENS, 3 * WIDTH]), { heads: HEADS }));
  for (const [i, value] of attend(qkv, () => 0).entries()) expect(plain[i]).toBeCloseTo(value, 5);
  const biased = await compute(image, (l) =>
    attention(l, reshape(l, l.image, [TOKENS, 3 * WIDTH]), { heads: HEADS, bias: l.b.constant(biases) }),
  );
  const expected = attend(qkv, (head, i, j) => biases.data[(head * TOKENS + i) * TOKENS + j]!);
  for (const [i, value] of expected.entries()) expect(biased[i]).toBeCloseTo(value, 5);
});

test("attention keeps groups of tokens apart", async () => {
  const image = formulaImage([12, TOKENS]);
  const groups = await compute(image, (l) => attention(l, reshape(l, l.image, [2, TOKENS, 18]), { heads: HEADS }));
  const qkv = [...image.data];
  const expected = [...attend(qkv.slice(0, 72), () => 0), ...attend(qkv.slice(72), () => 0)];
  for (const [i, value] of expected.entries()) expect(groups[i]).toBeCloseTo(value, 5);
});

test("a token goes through two layers of its own", async () => {
  const shapes = { "a.weight": [4, 3], "a.bias": [4], "b.weight": [3, 4], "b.bias": [3] };
  const weights = Object.fromEntries(Object.entries(shapes).map(([key, shape]) => [key, formulaValue(key, shape, 1)]));
  const values = await compute(
    formulaImage([1, 2]),
    (l) => mlp(l, tokensOf(l, l.image), { names: ["a", "b"], hidden: 4 }),
    weights,
  );
  const { data } = formulaImage([1, 2]);
  const dense = (x: readonly number[], name: string, out: number): number[] =>
    Array.from({ length: out }, (_, i) => {
      const matrix = weights[`${name}.weight`]!.data;
      return x.reduce((sum, value, j) => sum + value * matrix[i * x.length + j]!, weights[`${name}.bias`]!.data[i]!);
    });
  const bend = await Promise.all(
    [0, 1].map(async (token) => {
      const hidden = dense(
        [0, 1, 2].map((c) => data[2 * c + token]!),
        "a",
        4,
      );
      const bent = await compute(float32([1, 3, 1, 4], [...hidden, ...hidden, ...hidden]), (l) => gelu(l, l.image));
      return dense(bent.slice(0, 4), "b", 3);
    }),
  );
  for (const [i, value] of bend.flat().entries()) expect(values[i]).toBeCloseTo(value, 5);
});
