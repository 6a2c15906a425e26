import { expect, test } from "vitest";
import { foldIntoHead, measure, standardize } from "../../src/features/standardize.ts";
import { HEAD, type Parameters } from "../../src/models/head.ts";
import { rng } from "../../src/random.ts";
import { float32 } from "../../src/tensor/tensor.ts";

const random = rng(3);
const features = Float32Array.from(
  { length: 40 * 3 },
  (_, i) => [5, -2, 0.1][i % 3]! + [10, 0.5, 2][i % 3]! * random.normal(),
);

test("standardized columns have mean 0 and variance 1", () => {
  const scaled = standardize(features, measure(features, 3));
  for (let column = 0; column < 3; column++) {
    const values = scaled.filter((_, i) => i % 3 === column);
    const mean = values.reduce((sum, v) => sum + v, 0) / 40;
    expect(mean).toBeCloseTo(0, 5);
    expect(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / 40).toBeCloseTo(1, 4);
  }
});

test("a constant feature becomes zero, and does not blow up on other images", () => {
  const constant = features.map((v, i) => (i % 3 === 1 ? 7 : v));
  const scale = measure(constant, 3);
  expect(standardize(constant, scale)[1]).toBe(0);
  expect(Math.abs(standardize(Float32Array.of(0, 7.01, 0), scale)[1]!)).toBeLessThan(0.011);
});

test("a feature that is nothing but rounding beside the others is constant", () => {
  // Sums that cancel: 2e-9 around zero where the other features are about 0.02.
  const noisy = features.map((v, i) => (i % 3 === 1 ? 2e-9 * random.normal() : 0.02 * v));
  expect(measure(noisy, 3).deviation[1]).toBe(1);
  const onMean = features.map((v, i) => (i % 3 === 1 ? 0.02 + 2e-9 * random.normal() : v));
  expect(measure(onMean, 3).deviation[1]).toBe(1);
  // A small feature is none: 1e-4 of the others.
  const small = features.map((v, i) => (i % 3 === 1 ? 1e-4 * v : v));
  expect(measure(small, 3).deviation[1]).toBeCloseTo(1e-4 * measure(features, 3).deviation[1]!, 8);
});

test("all features constant gives zeros, not NaN", () => {
  expect(standardize(new Float32Array(6), measure(new Float32Array(6), 3))).toEqual(new Float32Array(6));
});

test("the folded head gives on raw features what the head gives on standardized ones", () => {
  const scale = measure(features, 3);
  const weight = [0.3, -1, 2, 0.7, 0.1, -0.4];
  const head = new Map([
    [HEAD.weight, float32([2, 3], weight)],
    [HEAD.bias, float32([2], [0.5, -1])],
  ]);
  const folded = foldIntoHead(head, scale);
  const logit = (parameters: Parameters, x: Float32Array, k: number): number =>
    parameters.get(HEAD.bias)!.data[k]! +
    x.reduce((sum, v, j) => sum + v * parameters.get(HEAD.weight)!.data[k * 3 + j]!, 0);
  const scaled = standardize(features, scale);
  for (let row = 0; row < 40; row++) {
    for (const k of [0, 1]) {
      const wanted = logit(head, scaled.subarray(row * 3, row * 3 + 3), k);
      expect(logit(folded, features.subarray(row * 3, row * 3 + 3), k)).toBeCloseTo(wanted, 4);
    }
  }
});
