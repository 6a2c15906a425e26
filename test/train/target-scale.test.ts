import { describe, expect, test } from "vitest";
import { classTargets, type Targets } from "../../src/losses/targets.ts";
import { HEAD } from "../../src/models/head.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { measureTargets, scaleTargets, unscaleHead, unscaleOutputs } from "../../src/train/target-scale.ts";

const targets: Targets = { task: "regression", values: Float32Array.of(1, 2000, 5, 4000, 3, 6000), width: 2 };

describe("the scale of targets", () => {
  test("is their mean and population deviation, each in its own unit", () => {
    const { mean, deviation } = measureTargets(targets)!;
    expect(mean).toEqual([3, 4000]);
    expect(deviation[0]).toBeCloseTo(Math.sqrt(8 / 3), 12);
    expect(deviation[1]).toBeCloseTo(1000 * Math.sqrt(8 / 3), 9);
  });

  test("leaves a target that never varies in its unit, however far from 0", () => {
    const constant: Targets = { task: "regression", values: new Float32Array(7).fill(0.1), width: 1 };
    expect(measureTargets(constant)!.deviation).toEqual([1]);
    expect(scaleTargets(constant, measureTargets(constant)).values.every((x) => Math.abs(x) < 1e-7)).toBe(true);
  });

  test("keeps a target that varies little beside a large one", () => {
    const small: Targets = { task: "regression", values: Float32Array.of(1e-7, 1e6, 3e-7, -1e6), width: 2 };
    expect(measureTargets(small)!.deviation[0]).toBeCloseTo(1e-7, 12);
  });

  test("brings targets to mean 0 and deviation 1, and outputs back", () => {
    const scale = measureTargets(targets);
    const scaled = scaleTargets(targets, scale);
    expect(measureTargets(scaled)!.mean.every((x) => Math.abs(x) < 1e-7)).toBe(true);
    for (const deviation of measureTargets(scaled)!.deviation) expect(deviation).toBeCloseTo(1, 6);
    for (const [i, value] of unscaleOutputs(scaled.values, scale).entries())
      expect(value).toBeCloseTo(targets.values[i]!, 3);
  });

  test("is none of classes, which stay as they are", () => {
    const labels = classTargets([0, 1]);
    expect(measureTargets(labels)).toBeUndefined();
    expect(scaleTargets(labels, undefined)).toBe(labels);
    const parameters = new Map([[HEAD.bias, float32([1], [1])]]);
    expect(unscaleHead(parameters, undefined)).toBe(parameters);
  });

  test("moves into the head: w s and b s + m, row by row", () => {
    const parameters = new Map([
      [HEAD.weight, float32([2, 3], [1, 2, 3, 4, 5, 6])],
      [HEAD.bias, float32([2], [1, -1])],
    ]);
    const folded = unscaleHead(parameters, { mean: [10, 20], deviation: [2, 0.5] });
    expect(folded.get(HEAD.weight)).toEqual(float32([2, 3], [2, 4, 6, 2, 2.5, 3]));
    expect(folded.get(HEAD.bias)).toEqual(float32([2], [12, 19.5]));
    expect(parameters.get(HEAD.bias)!.data[0]).toBe(1); // the trained head is left alone
  });
});
