import { expect, test } from "vitest";
import { DisjointSets } from "../../src/data/disjoint-sets.ts";

test("joins sets over common members, and lists those of two and more", () => {
  const sets = new DisjointSets(8);
  sets.join(5, 2);
  sets.join(7, 6);
  sets.join(2, 7);
  sets.join(3, 3);
  expect(sets.root(6)).toBe(2);
  expect(sets.root(5)).toBe(sets.root(7));
  expect(sets.root(3)).toBe(3);
  expect(sets.sets()).toEqual([[2, 5, 6, 7]]);
});

test("stays fast for a long chain", () => {
  const sets = new DisjointSets(100_000);
  for (let i = 1; i < 100_000; i++) sets.join(i - 1, i);
  expect(sets.root(99_999)).toBe(0);
  expect(sets.sets()).toHaveLength(1);
});
