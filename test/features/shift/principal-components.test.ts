import { expect, test } from "vitest";
import { principalComponents } from "../../../src/features/shift/principal-components.ts";
import { rng } from "../../../src/random.ts";

/** Rows with the given deviations along directions that are mixed over all columns. */
function made(count: number, deviations: readonly number[]): Float32Array {
  const random = rng(8);
  const width = deviations.length;
  // A reflection is orthogonal: x - 2 v (v · x), with |v| = 1.
  const v = Array.from({ length: width }, () => random.normal());
  const length = Math.hypot(...v);
  const out = new Float32Array(count * width);
  for (let i = 0; i < count; i++) {
    const x = deviations.map((deviation) => deviation * random.normal());
    const along = x.reduce((sum, value, j) => sum + (value * v[j]!) / length, 0);
    out.set(
      x.map((value, j) => value - (2 * along * v[j]!) / length),
      i * width,
    );
  }
  for (let j = 0; j < width; j++) {
    let mean = 0;
    for (let i = 0; i < count; i++) mean += out[i * width + j]! / count;
    for (let i = 0; i < count; i++) out[i * width + j]! -= mean;
  }
  return out;
}

const variances = (scores: Float64Array, components: number): number[] => {
  const sums = new Array<number>(components).fill(0);
  for (const [i, value] of scores.entries()) sums[i % components]! += (value ** 2 * components) / scores.length;
  return sums;
};

test("the main directions have the largest variances, in order, and are uncorrelated", () => {
  const { scores, components } = principalComponents(made(1500, [...[9, 5, 3], ...new Array(37).fill(0.1)]), 40, 3);
  expect(components).toBe(3);
  const [a, b, c] = variances(scores, 3);
  for (const [got, wanted] of [
    [a, 81],
    [b, 25],
    [c, 9],
  ] as const)
    expect(Math.abs(got! / wanted - 1)).toBeLessThan(0.15);
  let product = 0;
  for (let i = 0; i < 1500; i++) product += (scores[i * 3]! * scores[i * 3 + 1]!) / 1500;
  expect(Math.abs(product)).toBeLessThan(0.05 * 9 * 5); // directions come from 1000 of the rows
});

test("with every direction kept, distances between rows stay", () => {
  const rows = made(12, [3, 2, 1, 1, 0.5]);
  const { scores, components } = principalComponents(rows, 5, 100);
  expect(components).toBe(5);
  const distance = (values: ArrayLike<number>, i: number, j: number): number =>
    Math.hypot(...Array.from({ length: 5 }, (_, k) => values[i * 5 + k]! - values[j * 5 + k]!));
  for (let i = 1; i < 12; i++) expect(distance(scores, 0, i)).toBeCloseTo(distance(rows, 0, i), 4);
});

test("fewer rows than directions, no variance and no rows give what there is", () => {
  expect(principalComponents(made(3, new Array(50).fill(1)), 50, 10).components).toBe(2); // centered
  expect(principalComponents(new Float32Array(40), 4, 2)).toEqual({ scores: new Float64Array(0), components: 0 });
  expect(principalComponents(new Float32Array(0), 4, 2).components).toBe(0);
});

test("equal rows give equal bits", () => {
  const rows = made(60, [4, 3, 2, 1]);
  expect(principalComponents(rows, 4, 2)).toEqual(principalComponents(rows, 4, 2));
});
