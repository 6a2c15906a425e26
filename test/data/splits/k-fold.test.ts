import { describe, expect, test } from "vitest";
import { kFold } from "../../../src/data/splits/k-fold.ts";

const items = (labels: readonly number[]) => labels.map((label, i) => ({ target: [label], sha256: `${i * 31}` }));
const many = (count: number, classes: number) => items(Array.from({ length: count }, (_, i) => i % classes));

describe("kFold", () => {
  test("deals every class evenly", () => {
    const samples = many(103, 4);
    const folds = kFold(samples, 5, 1);
    for (let fold = 0; fold < 5; fold++) {
      const members = samples.filter((_, i) => folds[i] === fold);
      expect(Math.abs(members.length - 103 / 5)).toBeLessThanOrEqual(1.5);
      for (let label = 0; label < 4; label++) {
        const count = members.filter(({ target }) => target[0] === label).length;
        expect(Math.abs(count - 103 / 20)).toBeLessThan(1.5);
      }
    }
  });

  test("depends on the seed, not on the order", () => {
    const samples = many(60, 3);
    const byContent = (list: typeof samples, seed: number) =>
      Object.fromEntries([...kFold(list, 3, seed)].map((fold, i) => [list[i]!.sha256, fold]));
    expect(byContent([...samples].reverse(), 1)).toEqual(byContent(samples, 1));
    expect(byContent(samples, 2)).not.toEqual(byContent(samples, 1));
  });

  test("never divides groups, equal content or clusters", () => {
    const samples = many(90, 3).map((item, i) => ({
      ...item,
      sha256: i < 2 ? "same" : item.sha256,
      group: i > 20 ? `${Math.floor(i / 4)}` : undefined,
    }));
    const folds = kFold(samples, 4, 1, { together: [[5, 50]] });
    expect([folds[0], folds[5]]).toEqual([folds[1], folds[50]]);
    for (let i = 24; i < 90; i++) expect(folds[i]).toBe(folds[i - (i % 4)]);
    expect(new Set(folds).size).toBe(4);
  });

  test("gives -1 to what holds a class alone", () => {
    expect([...kFold(items([0, 0, 0, 1]), 3, 1)].at(-1)).toBe(-1);
  });

  test("deals labels and values evenly", () => {
    const labels = Array.from({ length: 100 }, (_, i) => ({ target: i % 10 === 0 ? [0, 1] : [1], sha256: `${i}` }));
    const folds = kFold(labels, 5, 3, { task: "multi-label" });
    for (let fold = 0; fold < 5; fold++)
      expect(labels.filter(({ target }, i) => target[0] === 0 && folds[i] === fold)).toHaveLength(2);
    const values = Array.from({ length: 100 }, (_, i) => ({ target: [i], sha256: `${i}` }));
    const dealt = kFold(values, 5, 3, { task: "regression" });
    for (let fold = 0; fold < 5; fold++) {
      const inFold = values.filter((_, i) => dealt[i] === fold).map(({ target }) => target[0]!);
      expect(Math.abs(inFold.reduce((sum, value) => sum + value, 0) / inFold.length - 49.5)).toBeLessThan(4);
    }
  });

  test("refuses what cannot be dealt", () => {
    for (const k of [1, 0, 2.5, Number.NaN]) expect(() => kFold(many(10, 2), k, 0)).toThrow(/whole number from 2/);
    expect(() => kFold(many(4, 2), 5, 0)).toThrow(/5 folds require 5 images or groups .* found 4/);
  });
});
