import { describe, expect, test } from "vitest";
import { rng } from "../../../src/random.ts";
import { FeatureMatrix } from "../../../src/train/probe/feature-matrix.ts";
import { rotate } from "../../../src/train/probe/rotation.ts";

const random = rng(5);
const rows = (n: number, width: number): Float32Array =>
  Float32Array.from({ length: n * width }, () => random.normal());

/** Rows of which the last three are sums of others, and one is 0. */
function dependent(): Float32Array {
  const x = rows(9, 30);
  for (let j = 0; j < 30; j++) {
    x[6 * 30 + j] = x[j]! + x[30 + j]!;
    x[7 * 30 + j] = x[6 * 30 + j]!;
    x[8 * 30 + j] = 0;
  }
  return x;
}

describe.each([
  ["rows of full rank", rows(12, 40), 40, 12],
  ["rows that depend on each other", dependent(), 30, 6],
  ["one row", rows(1, 5), 5, 1],
  ["rows of 0", new Float32Array(12), 4, 1],
] as const)("%s", (_, features, width, rank) => {
  test("keep their inner products", async () => {
    await using matrix = await FeatureMatrix.create(features, { width, columns: 2 });
    await using rotation = await rotate(matrix, { columns: 2 });
    expect(rotation.rank).toBe(rank);
    const [before, after] = [await matrix.gram(), await rotation.features.gram()];
    // float32 sums of rows differ from the rows by rounding, which is no rank
    for (const [i, value] of before.entries()) expect(after[i]).toBeCloseTo(value, 4);
  });

  test("give the same outputs by weights of the same length", async () => {
    await using matrix = await FeatureMatrix.create(features, { width, columns: 2 });
    await using rotation = await rotate(matrix, { columns: 2 });
    // Weights that a penalized fit can have: sums of rows.
    const turned = await rotation.features.transposedTimes(
      Float64Array.from({ length: 2 * matrix.rows }, () => random.normal()),
    );
    const weights = await rotation.weights(turned);
    const [before, after] = [await rotation.features.times(turned), await matrix.times(weights)];
    for (const [i, value] of before.entries()) expect(after[i]).toBeCloseTo(value, 4);
    const length = (x: Float64Array): number => Math.hypot(...x);
    expect(length(weights)).toBeCloseTo(length(turned), 4);
  });
});
