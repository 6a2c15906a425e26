/** What transformers are made of: attention between tokens, and a network of two layers for each token by itself. */
import { int } from "../../graph/attributes.ts";
import type { Value } from "../../graph/graph.ts";
import type { Scheme } from "./initializers.ts";
import type { Layers } from "./layers.ts";
import { reshape, transpose } from "./tokens.ts";

/** x Φ(x) by the error function, in the operators of opset 18 and in the order that runtimes and autodiff recognise. */
export function gelu(l: Layers, x: Value): Value {
  const { b } = l;
  const curve = l.unary("Erf", [l.unary("Div", [x, b.scalar(Math.SQRT2)])]);
  const gate = l.unary("Add", [curve, b.scalar(1)]);
  return l.unary("Mul", [l.multiply(x, gate), b.scalar(0.5)], {}, "gelu");
}

export interface MlpOptions {
  /** Prefixes of the parameters of the two layers. */
  readonly names: readonly [string, string];
  /** Width between the layers. @default four times that of the tokens */
  readonly hidden?: number | undefined;
  /** Scheme of the weights. @default the architecture's */
  readonly init?: Scheme | undefined;
}

/** Two linear layers over the last axis with a GELU between them. */
export function mlp(l: Layers, x: Value, { names, hidden, init }: MlpOptions): Value {
  const width = l.shapeOf(x).at(-1)!;
  const y = gelu(l, l.linear(x, names[0], { out: hidden ?? 4 * width, init }));
  return l.linear(y, names[1], { out: width, init });
}

export interface AttentionOptions {
  readonly heads: number;
  /** What is added to the scores [..., heads, tokens, tokens] before the softmax; without it, nothing. */
  readonly bias?: Value | undefined;
}

/**
 * Attention by scaled products (Vaswani et al. 2017, arXiv:1706.03762): softmax(q k' / √width + bias) v in each head.
 * @param qkv queries, keys and values beside each other, heads within each: [..., tokens, 3 c].
 * @returns [..., tokens, c]
 */
export function attention(l: Layers, qkv: Value, { heads, bias }: AttentionOptions): Value {
  const { b } = l;
  const [tokens, triple] = l.shapeOf(qkv).slice(-2) as [number, number];
  const groups = l.shapeOf(qkv).slice(0, -2);
  const channels = triple / 3;
  const width = channels / heads;
  const parts = b.ops("Split", [qkv, b.ints([channels, channels, channels])], 3, { axis: int(-1) });
  const outer = groups.map((_, axis) => axis);
  const [token, head, channel] = [groups.length, groups.length + 1, groups.length + 2];
  const inHeads = (part: Value, order: readonly number[]): Value =>
    transpose(l, reshape(l, part, [...groups, tokens, heads, width]), [...outer, ...order]);
  const [q, k, v] = parts as [Value, Value, Value];
  const scaled = l.unary("Mul", [inHeads(q, [head, token, channel]), b.scalar(width ** -0.5)]);
  const scores = b.matmul(scaled, inHeads(k, [head, channel, token]));
  const weights = b.op("Softmax", [bias === undefined ? scores : b.add(scores, bias)], { axis: int(-1) });
  const mixed = l.shaped(b.matmul(weights, inHeads(v, [head, token, channel])), [...groups, heads, tokens, width]);
  const joined = transpose(l, mixed, [...outer, head, token, channel]); // the two axes change places again
  return reshape(l, joined, [...groups, tokens, channels]);
}
