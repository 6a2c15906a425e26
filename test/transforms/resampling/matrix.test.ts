import { describe, expect, test } from "vitest";
import {
  around,
  IDENTITY,
  invert,
  isAffine,
  isIdentity,
  type Matrix,
  mapPoint,
  multiply,
  scaling,
  shrinkage,
  translation,
} from "../../../src/transforms/resampling/matrix.ts";

const tilted: Matrix = [1.2, -0.3, 5, 0.4, 0.9, -7, 0.001, 0.002, 1];

describe("matrices", () => {
  test("a product maps a point as the second and then the first", () => {
    const product = multiply(translation(3, 4), scaling(2, 5));
    expect(mapPoint(product, 1, 1)).toEqual({ x: 5, y: 9 });
  });

  test("an inverse undoes a perspective, and a singular matrix has none", () => {
    expect(isIdentity(multiply(tilted, invert(tilted)!))).toBe(true);
    const there = mapPoint(tilted, 20, 30);
    const back = mapPoint(invert(tilted)!, there.x, there.y);
    expect(back.x).toBeCloseTo(20, 9);
    expect(back.y).toBeCloseTo(30, 9);
    expect(invert(scaling(1, 0))).toBeUndefined();
    expect(invert([Number.NaN, 0, 0, 0, 1, 0, 0, 0, 1])).toBeUndefined();
  });

  test("a map around a point leaves it in place", () => {
    expect(mapPoint(around(7, 9, scaling(3, 0.5)), 7, 9)).toEqual({ x: 7, y: 9 });
  });

  test("affine and identity are told", () => {
    expect([isAffine(IDENTITY), isAffine(tilted), isIdentity(IDENTITY), isIdentity(translation(1e-3, 0))]).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  test("a point behind the horizon lands far outside", () => {
    const { x } = mapPoint([1, 0, 1, 0, 1, 0, -0.1, 0, 1], 20, 0);
    expect(x).toBeGreaterThan(1e6);
  });

  test("shrinkage is the smaller of the two scales, whatever the rotation", () => {
    const turn: Matrix = [Math.cos(1), -Math.sin(1), 0, Math.sin(1), Math.cos(1), 0, 0, 0, 1];
    expect(shrinkage(multiply(turn, scaling(3, 2)), 5, 5)).toBeCloseTo(2, 9);
    expect(shrinkage(multiply(scaling(0.25, 4), turn), 5, 5)).toBeCloseTo(0.25, 9);
    // At the centre of this perspective the picture is seen from the side: u = x / (1 + x / 10).
    expect(shrinkage([1, 0, 0, 0, 1, 0, 0.1, 0, 1], 10, 0)).toBeCloseTo(0.25, 9);
  });
});
