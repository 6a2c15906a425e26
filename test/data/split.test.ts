import { describe, expect, test } from "vitest";
import { drawValidation, type Splittable } from "../../src/data/split.ts";

const samples = (counts: readonly number[]): Splittable[] =>
  counts.flatMap((count, label) =>
    Array.from({ length: count }, (_, i) => ({ target: [label], sha256: `${label}-${i}` })),
  );

const chosen = (items: readonly Splittable[], fraction: number, seed: number): Set<string> => {
  const drawn = drawValidation(items, fraction, seed);
  return new Set(items.filter((_, i) => drawn[i]).map(({ sha256 }) => sha256));
};

describe("drawValidation", () => {
  test("takes the fraction of every class, rounded, with one image at least on each side", () => {
    const items = samples([100, 10, 3, 2, 1]);
    for (const [fraction, expected] of [
      [0.2, [20, 2, 1, 1, 0]],
      [0.5, [50, 5, 2, 1, 0]],
      [0.99, [99, 9, 2, 1, 0]],
      [0.001, [1, 1, 1, 1, 0]],
    ] as const) {
      const drawn = drawValidation(items, fraction, 1);
      const counts = expected.map((_, label) => items.filter((item, i) => item.target[0] === label && drawn[i]).length);
      expect(counts).toEqual(expected);
    }
  });

  test("does not depend on the order of the samples", () => {
    const items = samples([30, 20]);
    expect(chosen([...items].reverse(), 0.3, 7)).toEqual(chosen(items, 0.3, 7));
  });

  test("depends on the seed", () => {
    const items = samples([30, 20]);
    expect(chosen(items, 0.3, 8)).not.toEqual(chosen(items, 0.3, 7));
    expect(chosen(items, 0.3, 7)).toEqual(chosen(items, 0.3, 7));
  });

  test("moves few images when one is added", () => {
    const before = chosen(samples([100]), 0.2, 3);
    const after = chosen(samples([101]), 0.2, 3);
    expect([...before].filter((item) => !after.has(item)).length).toBeLessThanOrEqual(1);
  });

  test("keeps copies together", () => {
    const items = Array.from({ length: 40 }, (_, i) => ({ target: [0], sha256: `content ${i % 13}` }));
    const drawn = drawValidation(items, 0.25, 5);
    for (const content of new Set(items.map(({ sha256 }) => sha256))) {
      expect(new Set(drawn.filter((_, i) => items[i]!.sha256 === content)).size).toBe(1);
    }
    expect(drawn.filter(Boolean).length).toBeGreaterThan(6);
  });

  test("splits a class of copies only if it has two contents", () => {
    const copies = (contents: readonly string[]): Splittable[] => contents.map((sha256) => ({ target: [0], sha256 }));
    expect(drawValidation(copies(["a", "a", "a"]), 0.5, 1)).toEqual([false, false, false]);
    expect(drawValidation(copies(["a", "a", "a", "b", "b"]), 0.2, 1)).toEqual([false, false, false, true, true]);
  });
});
