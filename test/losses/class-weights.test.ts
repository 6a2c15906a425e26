import { describe, expect, test } from "vitest";
import {
  balancedPositiveWeights,
  balancedWeights,
  classCounts,
  effectiveNumberWeights,
  weightTargets,
} from "../../src/losses/class-weights.ts";
import { classTargets, type Targets, totalWeight } from "../../src/losses/targets.ts";

const several: Targets = { task: "multi-label", values: Float32Array.of(1, 0, 1, 1, 1, 0), width: 2 };
const soft: Targets = { task: "single-label", values: Float32Array.of(0.25, 0.75, 0, 1), width: 2 };

test("rows are counted by class, soft ones by their shares", () => {
  expect(classCounts(classTargets([2, 0, 2, 2]), 4)).toEqual([1, 0, 3, 0]);
  expect(classCounts(several, 2)).toEqual([3, 1]);
  expect(classCounts(soft, 2)).toEqual([0.25, 1.75]);
  expect(() => classCounts({ ...several, task: "regression" }, 2)).toThrow(/class weights require data with classes/);
});

describe("balanced weights", () => {
  test("are scikit-learn's, so every class weighs the same and the rows weigh what they did", () => {
    const counts = [10, 40, 50];
    const weights = balancedWeights(counts);
    expect(weights).toEqual([100 / 30, 100 / 120, 100 / 150]);
    for (const [i, weight] of weights.entries()) expect(weight * counts[i]!).toBeCloseTo(100 / 3, 10);
  });

  test("leave classes without rows alone", () => {
    expect(balancedWeights([1, 0, 3])).toEqual([2, 1, 4 / 6]);
    expect(balancedWeights([0, 0])).toEqual([1, 1]);
  });
});

describe("effective number weights", () => {
  // (1 - beta) / (1 - beta^n) of the paper's formula 10 at beta 0.9: 0.1 / 0.1, 0.1 / 0.19, 0.1 / 0.271
  test("are the paper's, with mean 1", () => {
    const plain = [1, 1 / 1.9, 1 / 2.71];
    const mean = plain.reduce((sum, weight) => sum + weight, 0) / 3;
    for (const [i, weight] of effectiveNumberWeights([1, 2, 3], 0.9).entries())
      expect(weight).toBeCloseTo(plain[i]! / mean, 12);
  });

  test("lie between equal and balanced weights", () => {
    const counts = [10, 1000];
    const ratio = (beta: number): number => {
      const [rare = 0, usual = 1] = effectiveNumberWeights(counts, beta);
      return rare / usual;
    };
    expect(ratio(0)).toBe(1);
    expect(ratio(0.99)).toBeGreaterThan(5);
    expect(ratio(0.99)).toBeLessThan(ratio(0.999));
    expect(ratio(1 - 1e-12)).toBeCloseTo(100, 4);
  });

  test("leave classes without rows alone", () => {
    expect(effectiveNumberWeights([5, 0, 5], 0.9)).toEqual([1, 1, 1]);
  });

  test.each([-0.1, 1, Number.NaN])("refuse a beta of %d", (beta) => {
    expect(() => effectiveNumberWeights([1], beta)).toThrow(
      new RangeError(`beta requires a number in [0, 1), got ${beta}.`),
    );
  });
});

test("balanced positive weights are rows without per row with, and 1 where nothing is to balance", () => {
  expect(balancedPositiveWeights([1, 5, 0, 10], 10)).toEqual([9, 1, 1, 1]);
});

describe("weighted targets", () => {
  test("have the weights of their classes, times their own", () => {
    const weighted = weightTargets(classTargets([1, 0, 1]), [0.5, 2]);
    expect(weighted).toEqual({ ...classTargets([1, 0, 1]), weights: Float32Array.of(2, 0.5, 2) });
    const twice = weightTargets({ ...classTargets([1, 0]), weights: Float32Array.of(3, 4) }, [0.5, 2]);
    expect(totalWeight(twice)).toBe(3 * 2 + 4 * 0.5);
  });

  test("are as they are without class weights, whatever their task", () => {
    for (const targets of [several, soft, classTargets([1])]) expect(weightTargets(targets, undefined)).toBe(targets);
  });

  test("need a class index in each row", () => {
    for (const targets of [several, soft])
      expect(() => weightTargets(targets, [1, 2])).toThrow(/one class index each, got .* targets of 2 numbers/);
  });
});
