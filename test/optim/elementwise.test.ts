import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import wabt from "wabt";
import { type Constants, updateInPlace } from "../../src/optim/elementwise.ts";
import { KERNELS } from "../../src/optim/kernels.ts";
import { rng } from "../../src/random.ts";

/** The formulas of kernels.wat in float64. */
const REFERENCE: {
  readonly [K in keyof Constants]: (arrays: number[], gradient: number, constants: Constants[K]) => number[];
} = {
  sgd: ([w, v], gradient, [rate, decay, momentum, nesterov]) => {
    const g = gradient + decay * w!;
    const next = momentum * v! + g;
    return [w! - rate * (nesterov ? g + momentum * next : next), next];
  },
  adam: ([w, m, v], gradient, [l2, b1, c1, b2, c2, kept, size, scale, epsilon]) => {
    const g = gradient + l2 * w!;
    const [first, second] = [b1 * m! + c1 * g, b2 * v! + c2 * g * g];
    return [kept * w! - (size * first) / (scale * Math.sqrt(second) + epsilon), first, second];
  },
  rmsprop: ([w, s, v, m], gradient, [l2, a, c, epsilon, rate, momentum, centered]) => {
    const g = gradient + l2 * w!;
    const [square, mean] = [a * s! + c * g * g, centered ? a * m! + c * g : 0];
    const velocity = momentum * (v ?? 0) + g / (Math.sqrt(square - mean * mean) + epsilon);
    return [w! - rate * velocity, square, velocity, mean];
  },
  adagrad: ([w, s], gradient, [l2, rate, initial, epsilon]) => {
    const g = gradient + l2 * w!;
    const sum = s! + g * g;
    return [w! - (rate * g) / (Math.sqrt(sum + initial) + epsilon), sum];
  },
  lion: ([w, m], gradient, [b1, c1, b2, c2, kept, rate]) => [
    kept * w! - rate * Math.sign(b1 * m! + c1 * gradient),
    b2 * m! + c2 * gradient,
  ],
  average: ([a], parameter, [share]) => [a! + share * (parameter - a!)],
};

interface Case {
  readonly kernel: keyof Constants;
  /** The smallest value of each array, the largest is 1 more; none for a slot that is left out. */
  readonly arrays: readonly (number | undefined)[];
  readonly constants: readonly number[];
}

const CASES: readonly Case[] = [
  { kernel: "sgd", arrays: [-0.5, -0.5], constants: [0.1, 0, 0.9, 0] },
  { kernel: "sgd", arrays: [-0.5, -0.5], constants: [0.1, 0.01, 0.9, 1] },
  { kernel: "adam", arrays: [-0.5, -0.5, 0], constants: [0, 0.9, 0.1, 0.999, 0.001, 0.99, 0.1, 3, 1e-8] },
  { kernel: "adam", arrays: [-0.5, -0.5, 0], constants: [0.02, 0.8, 0.2, 0.99, 0.01, 1, 0.1, 2, 1e-3] },
  { kernel: "rmsprop", arrays: [-0.5, 0.5, undefined, undefined], constants: [0, 0.99, 0.01, 1e-8, 0.1, 0, 0] },
  { kernel: "rmsprop", arrays: [-0.5, 0.5, -0.5, undefined], constants: [0.02, 0.9, 0.1, 1e-3, 0.1, 0.8, 0] },
  { kernel: "rmsprop", arrays: [-0.5, 0.5, undefined, -0.5], constants: [0, 0.99, 0.01, 1e-8, 0.1, 0, 1] },
  { kernel: "rmsprop", arrays: [-0.5, 0.5, -0.5, -0.5], constants: [0.02, 0.95, 0.05, 1e-3, 0.1, 0.9, 1] },
  { kernel: "adagrad", arrays: [-0.5, 0.5], constants: [0, 0.1, 0, 1e-10] },
  { kernel: "adagrad", arrays: [-0.5, 0.5], constants: [0.02, 0.1, 0.3, 1e-3] },
  { kernel: "lion", arrays: [-0.5, -0.5], constants: [0.9, 0.1, 0.99, 0.01, 0.98, 0.1] },
  { kernel: "average", arrays: [-0.5], constants: [0.02] },
];

test("every kernel has a case", () => {
  expect(new Set(CASES.map(({ kernel }) => kernel))).toEqual(new Set(Object.keys(REFERENCE)));
});

test.each(CASES)("$kernel $constants computes its formula, whatever the length", ({ kernel, arrays, constants }) => {
  const random = rng(3);
  for (const length of [0, 1, 3, 4, 5, 8191, 8192, 8193, 20_003]) {
    const values = arrays.map((least) =>
      least === undefined ? undefined : Float32Array.from({ length }, () => least + random.next()),
    );
    const gradient = Float32Array.from({ length }, () => random.next() - 0.5);
    const before = gradient.slice();
    const reference = REFERENCE[kernel] as (a: (number | undefined)[], g: number, c: readonly number[]) => number[];
    const wanted = Array.from(gradient, (g, i) =>
      reference(
        values.map((array) => array?.[i]),
        g,
        constants,
      ),
    );
    updateInPlace(kernel, values, gradient, constants as Constants[typeof kernel]);
    expect(gradient).toEqual(before);
    for (const [k, array] of values.entries()) {
      const worst = array?.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i]![k]!)), 0) ?? 0;
      expect(worst, `array ${k} of ${length}`).toBeLessThan(3e-7);
    }
  }
});

test("the module is what kernels.wat says", async () => {
  const module = (await wabt()).parseWat("kernels.wat", readFileSync("src/optim/kernels.wat", "utf8"), { simd: true });
  expect(Buffer.from(module.toBinary({}).buffer).toString("base64")).toBe(KERNELS);
});
