import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { movingAverage } from "../../src/optim/average.ts";

interface Golden {
  readonly average: readonly { readonly decay: number; readonly averages: readonly (readonly number[])[] }[];
}

interface Inputs {
  readonly recorded: readonly number[];
  readonly initial: readonly number[];
  readonly gradients: readonly (readonly number[])[];
}

// The files are made by make.py beside them, in these forms.
const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../golden/optim/${name}.json`, import.meta.url), "utf8"));
const { average } = read("training") as Golden;
const inputs = read("updates") as Inputs;

describe("movingAverage", () => {
  test.each(average)("agrees with PyTorch over 50 updates with a decay of $decay", ({ decay, averages }) => {
    const rule = movingAverage({ decay });
    const own = Float32Array.from(inputs.initial);
    const largest = own.map(Math.abs);
    for (const [i, values] of inputs.gradients.entries()) {
      for (const [j, value] of values.entries()) largest[j] = Math.max(largest[j]!, Math.abs(value));
      rule.update(own, Float32Array.from(values), i + 1);
      for (const [j, value] of (averages[inputs.recorded.indexOf(i + 1)] ?? []).entries())
        expect(Math.abs(own[j]! - value), `step ${i + 1}, element ${j}`).toBeLessThan(3e-7 * largest[j]!);
    }
  });

  test("forgets its start soon, then keeps its decay", () => {
    const { decayAt } = movingAverage({ decay: 0.9 });
    expect([1, 8, 80, 81, 1e6].map(decayAt)).toEqual([2 / 11, 0.5, 0.9, 0.9, 0.9]);
    expect(decayAt(79)).toBeLessThan(0.9);
  });

  test("of a parameter that stays stays bit for bit", () => {
    const parameter = Float32Array.of(0.1, -1 / 3, 1e-30);
    const own = parameter.slice();
    for (let step = 1; step <= 100; step++) movingAverage().update(own, parameter, step);
    expect(own).toEqual(parameter);
  });

  test("leaves the parameter as it is, and follows it at once without a decay", () => {
    const parameter = Float32Array.of(1, 2);
    const own = Float32Array.of(5, 5);
    movingAverage({ decay: 0 }).update(own, parameter, 1);
    expect(own).toEqual(parameter);
    expect(parameter).toEqual(Float32Array.of(1, 2));
  });

  test("refuses arrays of two lengths, and a decay of 1", () => {
    expect(() => movingAverage().update(new Float32Array(2), new Float32Array(3), 1)).toThrow(
      expect.objectContaining({ code: "SHAPE_MISMATCH" }),
    );
    expect(() => movingAverage({ decay: 1 })).toThrow(new RangeError("movingAverage: decay must be in [0, 1), got 1."));
  });
});
