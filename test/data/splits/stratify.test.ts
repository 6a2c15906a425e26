import { expect, test } from "vitest";
import {
  apportion,
  loneUnits,
  type Splittable,
  type Unit,
  unitsWithStrata,
} from "../../../src/data/splits/stratify.ts";
import { rng } from "../../../src/random.ts";

function unit(key: string, strata: Readonly<Record<number, number>>, size?: number): Unit {
  const counts = new Map(Object.entries(strata).map(([stratum, count]) => [Number(stratum), count]));
  const length = size ?? Math.max(1, ...counts.values());
  return { key, strata: counts, members: Array.from({ length }, (_, i) => i) };
}

test("strata are labels, each of several labels, or quantile bins in which equal values are together", () => {
  const at = (target: readonly number[], i: number): Splittable => ({ target, sha256: `${i}` });
  const strata = (samples: readonly Splittable[], task: "single-label" | "multi-label" | "regression") =>
    unitsWithStrata(samples, 0.5, { task }).map((item) => [...item.strata.keys()]);
  expect(strata([[3], [1]].map(at), "single-label")).toEqual([[3], [1]]);
  expect(strata([[0, 2], []].map(at), "multi-label")).toEqual([[0, 2], []]);
  expect(strata([[9], [1], [1], [1], [5], [7], [8], [1]].map(at), "regression")).toEqual(
    [[1], [0], [0], [0], [1], [1], [1], [0]], // two bins of eight values, the ties in the lower one
  );
});

test("a unit has the smallest hash of its members and counts their labels", () => {
  const samples = [
    { target: [0], sha256: "b", group: "g" },
    { target: [0, 1], sha256: "a", group: "g" },
  ];
  const [only] = unitsWithStrata(samples, 0.5, { task: "multi-label" });
  expect(only).toEqual({
    members: [0, 1],
    key: "a",
    strata: new Map([
      [0, 2],
      [1, 1],
    ]),
  });
});

test("loneUnits are those that hold a stratum by themselves", () => {
  const [a, b, c] = [unit("a", { 0: 1, 1: 1 }), unit("b", { 0: 1 }), unit("c", { 2: 4 })];
  expect([...loneUnits([a!, b!, c!])]).toEqual([a, c]);
});

test("apportion deals every stratum by the shares, whatever the other strata of its units are", () => {
  const random = rng(3);
  const units = Array.from({ length: 900 }, (_, i) =>
    unit(`${i}`, Object.fromEntries([0, 1, 2, 3].filter((k) => random.next() < 0.5 / (k + 1)).map((k) => [k, 1]))),
  );
  for (const shares of [
    [0.8, 0.2],
    [0.2, 0.2, 0.2, 0.2, 0.2],
    [0.7, 0.2, 0.1],
  ]) {
    const parts = apportion(units, shares, rng(1));
    for (const stratum of [0, 1, 2, 3]) {
      const holders = [...units.keys()].filter((i) => units[i]!.strata.has(stratum));
      for (const [part, share] of shares.entries()) {
        const count = holders.filter((i) => parts[i] === part).length;
        expect(Math.abs(count - share * holders.length)).toBeLessThanOrEqual(3);
      }
    }
    for (const [part, share] of shares.entries())
      expect(Math.abs([...parts].filter((p) => p === part).length - share * 900)).toBeLessThanOrEqual(3);
  }
});

test("apportion keeps the shares with units of very different sizes and mixtures", () => {
  const random = rng(5);
  const units = Array.from({ length: 120 }, (_, i) => {
    const [a, b] = [Math.floor(random.next() * 20), 1 + Math.floor(random.next() ** 3 * 60)];
    return unit(`${i}`, { 0: a + 1, 1: b }, a + 1 + b);
  });
  const parts = apportion(units, [0.8, 0.2], rng(2));
  const shareOf = (count: (item: Unit) => number): number => {
    const total = units.reduce((sum, item) => sum + count(item), 0);
    return units.reduce((sum, item, i) => sum + (parts[i] === 1 ? count(item) : 0), 0) / total;
  };
  expect(shareOf(({ strata }) => strata.get(0)!)).toBeCloseTo(0.2, 1.5);
  expect(shareOf(({ strata }) => strata.get(1)!)).toBeCloseTo(0.2, 1.5);
  expect(shareOf(({ members }) => members.length)).toBeCloseTo(0.2, 1.5);
});

test("apportion leaves no stratum of two units in one part, and a pair of units apart", () => {
  for (let seed = 0; seed < 20; seed++) {
    const units = [unit("a", { 0: 30, 1: 1 }, 31), unit("b", { 0: 2, 1: 9 }, 11), unit("c", { 0: 2 })];
    const parts = apportion(units, [0.8, 0.2], rng(seed));
    expect(new Set(parts).size).toBe(2);
    expect(parts[0]).not.toBe(parts[1]);
  }
});

test("apportion of nothing is nothing", () => {
  expect([...apportion([], [0.8, 0.2], rng(0))]).toEqual([]);
});
