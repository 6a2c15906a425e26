import { describe, expect, test } from "vitest";
import { foldBudget, isSize, MAX_FOLDED_RANK } from "../../src/graph/fold-budget.ts";
import { zeros } from "../../src/tensor/tensor.ts";

describe("foldBudget", () => {
  test("allows 2^24 elements in all, however they are divided", () => {
    const budget = foldBudget();
    expect([budget([2 ** 12, 2 ** 11]), budget([2 ** 23]), budget([])]).toEqual([true, true, false]);
  });

  test("refuses one tensor beyond the limit, and keeps what is left", () => {
    const budget = foldBudget();
    expect([budget([2 ** 24 + 1]), budget([2 ** 24])]).toEqual([false, true]);
  });

  test("grows with the weights, eight rewrites of all", () => {
    const budget = foldBudget([zeros("int8", [2 ** 25])]);
    const granted = Array.from({ length: 10 }, () => budget([2 ** 25]));
    expect(granted).toEqual([...new Array(8).fill(true), false, false]);
    expect([budget([2 ** 24]), budget([1])]).toEqual([true, false]);
    expect(foldBudget([zeros("int8", [2 ** 25])])([2 ** 25 + 1])).toBe(false);
  });

  test("counts an axis of size 0 as 1, since loops over the others run all the same", () => {
    expect(foldBudget()([2 ** 30, 3, 0])).toBe(false);
    expect(foldBudget()([3, 0])).toBe(true);
  });

  test("refuses what is no size, and more axes than any tensor has", () => {
    const budget = foldBudget();
    expect([budget([-1]), budget([0.5]), budget([Number.NaN])]).toEqual([false, false, false]);
    expect(budget(new Array(MAX_FOLDED_RANK + 1).fill(1))).toBe(false);
  });
});

test("a size is a whole number from 0", () => {
  expect([0, 3, -1, 1.5, Number.POSITIVE_INFINITY].map(isSize)).toEqual([true, true, false, false, false]);
});
