import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { clipByNorm } from "../../src/optim/clip.ts";

interface Golden {
  readonly clip: {
    readonly inputs: readonly (readonly number[])[];
    readonly cases: readonly {
      readonly maxNorm: number;
      readonly norm: number;
      readonly gradients: readonly (readonly number[])[];
    }[];
  };
}

// The file is made by make.py beside it, in this form.
const { clip } = JSON.parse(readFileSync(new URL("../golden/optim/training.json", import.meta.url), "utf8")) as Golden;

describe("clipByNorm", () => {
  test.each(clip.cases)("agrees with PyTorch for a norm of at most $maxNorm", ({ maxNorm, norm, gradients }) => {
    const own = clip.inputs.map((values) => Float32Array.from(values));
    expect(clipByNorm(own, maxNorm)).toBeCloseTo(norm, 9);
    for (const [k, values] of gradients.entries())
      for (const [i, value] of values.entries())
        expect(Math.abs(own[k]![i]! - value)).toBeLessThanOrEqual(1.2e-7 * Math.abs(value)); // one rounding to float32
  });

  test("leaves gradients below the limit bit for bit", () => {
    const gradients = [Float32Array.of(0.1, -0.2), Float32Array.of(1e-30)];
    expect(clipByNorm(gradients, 1)).toBeCloseTo(Math.hypot(0.1, 0.2), 7);
    expect(gradients).toEqual([Float32Array.of(0.1, -0.2), Float32Array.of(1e-30)]);
  });

  test("has a norm for gradients whose squares float32 could not hold, and for none", () => {
    const large = Float32Array.of(3e30, 4e30);
    expect(clipByNorm([large], 5)).toBeCloseTo(5e30, -25);
    expect(Array.from(large, (x) => x.toFixed(5))).toEqual(["3.00000", "4.00000"]);
    expect(clipByNorm([], 1)).toBe(0);
  });

  test("shows what is no number", () => {
    const gradients = [Float32Array.of(1, 2), Float32Array.of(Number.NaN)];
    expect(clipByNorm(gradients, 1)).toBe(Number.NaN);
    expect(gradients).toEqual([Float32Array.of(Number.NaN, Number.NaN), Float32Array.of(Number.NaN)]);
  });

  test.each([0, -1, Number.NaN])("refuses a limit of %d", (maxNorm) => {
    expect(() => clipByNorm([], maxNorm)).toThrow(
      new RangeError(`clipByNorm: maxNorm must be in (0, infinity), got ${maxNorm}.`),
    );
  });
});
