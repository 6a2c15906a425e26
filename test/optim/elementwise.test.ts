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
};

const CASES: readonly { kernel: keyof Constants; arrays: number; constants: readonly number[] }[] = [
  { kernel: "sgd", arrays: 2, constants: [0.1, 0, 0.9, 0] },
  { kernel: "sgd", arrays: 2, constants: [0.1, 0.01, 0.9, 1] },
  { kernel: "adam", arrays: 3, constants: [0, 0.9, 0.1, 0.999, 0.001, 0.99, 0.1, 3, 1e-8] },
  { kernel: "adam", arrays: 3, constants: [0.02, 0.8, 0.2, 0.99, 0.01, 1, 0.1, 2, 1e-3] },
];

test.each(CASES)("$kernel $constants computes its formula, whatever the length", ({ kernel, arrays, constants }) => {
  const source = rng(3);
  const random = () => source.next();
  for (const length of [0, 1, 3, 4, 5, 8191, 8192, 8193, 20_003]) {
    const values = Array.from({ length: arrays }, (_, k) =>
      Float32Array.from({ length }, () => (k === 2 ? random() : random() - 0.5)),
    );
    const gradient = Float32Array.from({ length }, () => random() - 0.5);
    const reference = REFERENCE[kernel] as (a: number[], g: number, c: readonly number[]) => number[];
    const wanted = Array.from(gradient, (g, i) =>
      reference(
        values.map((array) => array[i]!),
        g,
        constants,
      ),
    );
    updateInPlace(kernel, values, gradient, constants as Constants[typeof kernel]);
    for (const [k, array] of values.entries()) {
      const worst = array.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i]![k]!)), 0);
      expect(worst, `array ${k} of ${length}`).toBeLessThan(3e-7);
    }
  }
});

test("the module is what kernels.wat says", async () => {
  const module = (await wabt()).parseWat("kernels.wat", readFileSync("src/optim/kernels.wat", "utf8"), { simd: true });
  expect(Buffer.from(module.toBinary({}).buffer).toString("base64")).toBe(KERNELS);
});
