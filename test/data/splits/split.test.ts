import { describe, expect, test } from "vitest";
import { drawValidation, type Splittable } from "../../../src/data/splits/split.ts";

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

describe("drawValidation with groups", () => {
  const grouped = Array.from({ length: 300 }, (_, i): Splittable => {
    return { target: [i % 3 === 0 ? 1 : 0], sha256: `${i}`, group: `patient ${Math.floor(i / 7)}` };
  });

  test("never divides one, and keeps the share of every class", () => {
    for (let seed = 0; seed < 10; seed++) {
      const drawn = drawValidation(grouped, 0.2, seed);
      const sides = new Map<string | undefined, Set<boolean>>();
      for (const [i, { group }] of grouped.entries()) sides.set(group, (sides.get(group) ?? new Set()).add(drawn[i]!));
      expect([...sides.values()].every(({ size }) => size === 1)).toBe(true);
      for (const label of [0, 1]) {
        const members = [...grouped.keys()].filter((i) => grouped[i]!.target[0] === label);
        const share = members.filter((i) => drawn[i]).length / members.length;
        expect(Math.abs(share - 0.2)).toBeLessThan(0.04);
      }
    }
  });

  test("does not depend on the order of the samples", () => {
    expect(chosen([...grouped].reverse(), 0.2, 7)).toEqual(chosen(grouped, 0.2, 7));
  });

  test("fills up with images that are in no group", () => {
    const some = samples([50, 50]).map((item, i) => (i % 10 < 2 ? { ...item, group: `${i % 5}` } : item));
    const drawn = drawValidation(some, 0.3, 1);
    for (const label of [0, 1])
      expect(some.filter(({ target }, i) => target[0] === label && drawn[i])).toHaveLength(15);
  });

  test("leaves what holds a class alone in training", () => {
    const items = [0, 0, 0, 0, 1, 1, 2].map((label, i) => ({
      target: [label],
      sha256: `${i}`,
      group: label === 1 || i === 0 ? "x" : undefined,
    }));
    for (let seed = 0; seed < 10; seed++) {
      const drawn = drawValidation(items, 0.4, seed);
      expect([drawn[0], drawn[4], drawn[5], drawn[6]]).toEqual([false, false, false, false]);
      expect(drawn.filter(Boolean)).toHaveLength(2);
    }
  });

  test("keeps equal content of two classes, and clusters, on one side", () => {
    const items = samples([40, 40]).map((item, i) => (i === 3 || i === 60 ? { ...item, sha256: "same" } : item));
    for (let seed = 0; seed < 20; seed++) {
      const drawn = drawValidation(items, 0.3, seed, {
        together: [
          [1, 2, 70],
          [5, 6],
        ],
      });
      expect(drawn[3]).toBe(drawn[60]);
      expect([drawn[2], drawn[70], drawn[6]]).toEqual([drawn[1], drawn[1], drawn[5]]);
    }
  });
});

describe("drawValidation of other tasks", () => {
  test("keeps the share of every label, also of rare ones", () => {
    const items = Array.from({ length: 400 }, (_, i) => ({
      target: [0, 1, 2, 3].filter((label) => i % [2, 5, 20, 100][label]! === 0),
      sha256: `${i}`,
    }));
    const drawn = drawValidation(items, 0.25, 4, { task: "multi-label" });
    const counts = [0, 1, 2, 3].map(
      (label) => items.filter(({ target }, i) => target.includes(label) && drawn[i]).length,
    );
    expect(counts).toEqual([50, 20, 5, 1]);
    expect(drawn.filter(Boolean).length).toBeGreaterThan(97);
    expect(drawn.filter(Boolean).length).toBeLessThan(103);
  });

  test("keeps the distribution of values", () => {
    const items = Array.from({ length: 500 }, (_, i) => ({ target: [(i / 500) ** 4, i % 2], sha256: `${i * 7919}` }));
    const drawn = drawValidation(items, 0.2, 2, { task: "regression" });
    expect(Math.abs(drawn.filter(Boolean).length - 100)).toBeLessThanOrEqual(3);
    for (let decile = 0; decile < 10; decile++)
      expect(Math.abs(drawn.slice(decile * 50, decile * 50 + 50).filter(Boolean).length - 10)).toBeLessThanOrEqual(1);
  });

  test("draws at least one of a few values, and none of one", () => {
    const items = [
      { target: [1], sha256: "a" },
      { target: [2], sha256: "b" },
      { target: [5], sha256: "c" },
    ];
    expect(drawValidation(items, 0.2, 1, { task: "regression" }).filter(Boolean)).toHaveLength(1);
    expect(drawValidation(items.slice(0, 1), 0.2, 1, { task: "regression" })).toEqual([false]);
  });
});

test("draws by other streams differ", () => {
  const items = samples([100]);
  expect(drawValidation(items, 0.2, 1, { stream: "split test" })).not.toEqual(drawValidation(items, 0.2, 1));
});
