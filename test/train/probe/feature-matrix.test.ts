import { describe, expect, test } from "vitest";
import { rng } from "../../../src/random.ts";
import { FeatureMatrix } from "../../../src/train/probe/feature-matrix.ts";

const numbers = (length: number, seed: number): Float64Array => {
  const random = rng(seed);
  return Float64Array.from({ length }, () => random.next() - 0.5);
};

/** A' B of [n, a] and [n, b]. */
function transposedProduct(x: ArrayLike<number>, y: ArrayLike<number>, n: number): number[] {
  const [a, b] = [x.length / n, y.length / n];
  return Array.from({ length: a * b }, (_, i) => {
    let sum = 0;
    for (let row = 0; row < n; row++) sum += x[row * a + Math.floor(i / b)]! * y[row * b + (i % b)]!;
    return sum;
  });
}

const transposed = (x: ArrayLike<number>, rows: number): Float64Array =>
  Float64Array.from({ length: x.length }, (_, i) => x[(i % rows) * (x.length / rows) + Math.floor(i / rows)]!);

function expectClose(got: ArrayLike<number>, wanted: readonly number[]): void {
  expect(got.length).toBe(wanted.length);
  for (const [i, value] of wanted.entries()) expect(got[i]).toBeCloseTo(value, 10);
}

// Width 2^20 makes slices of 8 rows.
describe.each([
  [5, 3, 2],
  [40, 7, 1],
  [1, 4, 3],
  [9, 2 ** 20, 1],
])("[%d, %d] and %d columns", (n, width, k) => {
  const features = Float32Array.from(numbers(n * width, 1));
  const scale = numbers(width, 2).map(Math.abs);
  const x = Float64Array.from(features, (value, i) => value * scale[i % width]!);
  const [weights, residual] = [numbers(k * width, 3), numbers(n * k, 4)];

  test("has the products that loops have", async () => {
    await using matrix = await FeatureMatrix.create(features, { width, scale, columns: k });
    expect(matrix.rows).toBe(n);
    const outputs = await matrix.times(weights);
    if (width < 100) {
      expectClose(outputs, transposedProduct(transposed(x, n), transposed(weights, k), width));
      expectClose(await matrix.gram(), transposedProduct(transposed(x, n), transposed(x, n), width));
    } else {
      const last = x.subarray((n - 1) * width).reduce((sum, value, j) => sum + value * weights[j]!, 0);
      expect(outputs[n - 1]! / last).toBeCloseTo(1, 9);
    }
    const gradient = await matrix.transposedTimes(residual);
    const last = transposedProduct(
      residual,
      x.filter((_, i) => i % width === width - 1),
      n,
    );
    expectClose(
      gradient.filter((_, i) => i % width === width - 1),
      last,
    );
  });

  test("gives the same bits with features that are converted in each product", async () => {
    await using held = await FeatureMatrix.create(features, { width, scale, columns: k });
    await using converted = await FeatureMatrix.create(features, { width, scale, columns: k, heldBytes: 0 });
    expect(await converted.times(weights)).toEqual(await held.times(weights));
    expect(await converted.transposedTimes(residual)).toEqual(await held.transposedTimes(residual));
  });
});

test.each([
  [2000, 512, 1],
  [3000, 777, 3],
  [4096, 300, 40],
  [100, 2048, 37],
])("[%d, %d] and %d columns: no thread changes a bit", async (n, width, k) => {
  const features = Float32Array.from(numbers(n * width, 1));
  const [weights, residual] = [numbers(k * width, 3), numbers(n * k, 4)];
  const products = async (threads: number) => {
    await using matrix = await FeatureMatrix.create(features, { width, columns: k, threads });
    return [await matrix.times(weights), await matrix.transposedTimes(residual)];
  };
  const once = await products(1);
  for (const threads of [2, 3, 7, 16]) {
    const [outputs, gradient] = await products(threads);
    expect(Buffer.from(outputs!.buffer).equals(Buffer.from(once[0]!.buffer))).toBe(true);
    expect(Buffer.from(gradient!.buffer).equals(Buffer.from(once[1]!.buffer))).toBe(true);
  }
});
