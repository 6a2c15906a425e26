import { expect, test } from "vitest";
import { classTargets, countTargets, selectTargets, type Targets, totalWeight } from "../../src/losses/targets.ts";

const pairs: Targets = { task: "regression", values: Float32Array.of(1, 2, 3, 4, 5, 6), width: 2 };
const weighted: Targets = { ...pairs, weights: Float32Array.of(0.5, 1, 4) };

test("rows are counted, and weigh as many as they are unless they have weights", () => {
  expect([countTargets(pairs), totalWeight(pairs), totalWeight(weighted)]).toEqual([3, 3, 5.5]);
});

test("chosen rows come in the order asked for, with their weights, as copies", () => {
  const chosen = selectTargets(weighted, [2, 0, 2]);
  expect(chosen).toEqual({
    task: "regression",
    values: Float32Array.of(5, 6, 1, 2, 5, 6),
    width: 2,
    weights: Float32Array.of(4, 0.5, 4),
  });
  chosen.values.fill(0);
  expect(pairs.values[0]).toBe(1);
  expect(selectTargets(pairs, Int32Array.of(1))).toEqual({
    task: "regression",
    values: Float32Array.of(3, 4),
    width: 2,
  });
});

test("class indices are targets of width 1", () => {
  expect(classTargets([2, 0])).toEqual({ task: "single-label", values: Float32Array.of(2, 0), width: 1 });
});
