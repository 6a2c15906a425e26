/** How parameters start before training: the schemes of the reference implementations, and weights drawn by them. */

import type { Value } from "../../graph/graph.ts";
import { rng } from "../../random.ts";
import { sizeOf, type Tensor, tensor } from "../../tensor/tensor.ts";

/** The distribution of a fresh parameter. */
export type Initializer =
  | { readonly kind: "constant"; readonly value: number }
  /** Uniform in [-bound, bound]. */
  | { readonly kind: "uniform"; readonly bound: number }
  | { readonly kind: "normal"; readonly deviation: number }
  /** Normal, drawn again outside of `limit` in absolute value. */
  | { readonly kind: "truncated-normal"; readonly deviation: number; readonly limit: number };

/** Chooses the distribution of a weight by the numbers of its inputs and outputs, as PyTorch and Keras count them. */
export type Scheme = (fan: Fan) => Initializer;

/** How many numbers flow into one output, and out of one input. */
export interface Fan {
  readonly in: number;
  readonly out: number;
}

export const ZERO: Initializer = { kind: "constant", value: 0 };
export const ONE: Initializer = { kind: "constant", value: 1 };

/** Normal with deviation sqrt(2 / fan): He et al. 2015, arXiv:1502.01852. */
export function kaimingNormal(mode: "in" | "out"): Scheme {
  return (fan) => ({ kind: "normal", deviation: Math.sqrt(2 / fan[mode]) });
}

/** Uniform with the variance 2 / fan in. */
export const kaimingUniform: Scheme = (fan) => ({ kind: "uniform", bound: Math.sqrt(6 / fan.in) });

/** Uniform within 1 / sqrt(fan in): what PyTorch's layers start with, weights and biases alike. */
export const torchUniform: Scheme = (fan) => ({ kind: "uniform", bound: 1 / Math.sqrt(fan.in) });

/** Uniform with the variance 2 / (fan in + fan out): Glorot and Bengio 2010, Keras's default. */
export const glorotUniform: Scheme = (fan) => ({ kind: "uniform", bound: Math.sqrt(6 / (fan.in + fan.out)) });

/** Normal with this deviation, whatever the size. */
export function normal(deviation: number): Scheme {
  return () => ({ kind: "normal", deviation });
}

/** Normal with this deviation, cut at `limit`: PyTorch's trunc_normal_ cuts at 2, not at two deviations. */
export function truncatedNormal(deviation: number, limit = 2): Scheme {
  return () => ({ kind: "truncated-normal", deviation, limit });
}

/** Zero, for biases. */
export const zero: Scheme = () => ZERO;

/** What `initialize` has to know of a parameter. */
export interface Uninitialized {
  readonly name: Value;
  readonly shape: readonly number[];
  readonly init: Initializer;
}

/**
 * Fresh weights for training from scratch, by name, each drawn from its own distribution. A tensor's values depend on
 * the seed and its name only.
 */
export function initialize(parameters: readonly Uninitialized[], seed: number | string): Map<Value, Tensor<"float32">> {
  const root = rng(seed);
  return new Map(
    parameters.map(({ name, shape, init }) => {
      const data = new Float32Array(sizeOf(shape));
      const { next, normal } = root.fork(name);
      if (init.kind === "constant") data.fill(init.value);
      else for (let i = 0; i < data.length; i++) data[i] = draw(init, next, normal);
      return [name, tensor("float32", shape, data)] as const;
    }),
  );
}

function draw(init: Exclude<Initializer, { kind: "constant" }>, next: () => number, normal: () => number): number {
  if (init.kind === "uniform") return init.bound * (2 * next() - 1);
  let value = init.deviation * normal();
  if (init.kind === "truncated-normal") while (Math.abs(value) > init.limit) value = init.deviation * normal();
  return value;
}
