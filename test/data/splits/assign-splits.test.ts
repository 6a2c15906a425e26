import { describe, expect, test } from "vitest";
import type { Dataset, Sample, Split } from "../../../src/data/sample.ts";
import { assignSplits, redrawSplits, type SplitRequest } from "../../../src/data/splits/assign-splits.ts";

const samples = (count: number, splitOf: (i: number) => Split = () => "train"): Sample[] =>
  Array.from({ length: count }, (_, i) => {
    return { file: `${i}`, path: `${i}`, target: [i % 2], split: splitOf(i), sha256: `hash ${i}`, bytes: 1 };
  });
const request: SplitRequest = {
  ...{ purpose: "train", task: "single-label", declared: "folders", classes: ["a", "b"] },
  ...{ validation: 0.2, seed: 1 },
};
const counts = (list: readonly Sample[]): number[] =>
  (["train", "validation", "test"] as const).map((split) => list.filter((item) => item.split === split).length);

describe("assignSplits", () => {
  test("draws validation, and test before it, as shares of all", () => {
    expect(counts(assignSplits(samples(100), request).samples)).toEqual([80, 20, 0]);
    const { samples: drawn, splitSource } = assignSplits(samples(100), { ...request, test: 0.1 });
    expect(counts(drawn)).toEqual([70, 20, 10]);
    expect(splitSource).toEqual({ seed: 1, fraction: 0.2, test: 0.1 });
  });

  test("keeps splits that the data have", () => {
    const own = samples(20, (i) => (i < 5 ? "validation" : "train"));
    expect(assignSplits(own, request)).toEqual({ samples: own, splitSource: "folders", notes: [] });
    expect(() => assignSplits(own, { ...request, test: 0.1 })).toThrow(
      /test requires data without splits of their own/,
    );
    const evaluated = assignSplits(samples(20), { ...request, purpose: "evaluate", declared: "column" });
    expect([evaluated.splitSource, counts(evaluated.samples)]).toEqual(["column", [20, 0, 0]]);
  });

  test("deals all but test images into folds, each image once for validation", () => {
    const own = samples(50, (i) => (i < 10 ? "test" : i < 20 ? "validation" : "train"));
    const held = [0, 1, 2, 3].flatMap((fold) => {
      const { samples: dealt, splitSource, notes } = assignSplits(own, { ...request, folds: 4, fold });
      expect(splitSource).toEqual({ seed: 1, folds: 4, fold });
      expect(notes).toEqual(["Training and validation images were dealt into folds together."]);
      expect(counts(dealt)).toEqual([30, 10, 10]);
      return dealt.filter(({ split }) => split === "validation").map(({ path }) => path);
    });
    expect(new Set(held).size).toBe(40);
  });

  test("says where groups keep it from the share that was asked for", () => {
    const two = samples(40).map((item, i) => ({ ...item, group: i < 20 ? "a" : "b" }));
    expect(assignSplits(two, request).notes).toEqual([
      "The validation images are 50 % of all instead of 20 %: groups are not divided.",
    ]);
  });
});

describe("redrawSplits", () => {
  const dataset = (splitRequest: Partial<SplitRequest>): Dataset => ({
    ...{ root: ".", task: "single-label", classes: ["a", "b"], skipped: [] },
    ...assignSplits(samples(60), { ...request, ...splitRequest }),
  });

  test.each([[{}], [{ test: 0.2 }], [{ folds: 3, fold: 2 }]])("keeps near-duplicates in one split: %j", (options) => {
    const first = dataset(options);
    const together = [
      [0, 1, 2, 3],
      [30, 41],
      [7, 9],
    ];
    const again = redrawSplits(first, together);
    for (const cluster of together) expect(new Set(cluster.map((i) => again.samples[i]!.split)).size).toBe(1);
    expect(again.splitSource).toEqual(first.splitSource);
    for (const [i, count] of counts(again.samples).entries())
      expect(Math.abs(count - counts(first.samples)[i]!)).toBeLessThanOrEqual(2);
  });

  test("leaves other splits, and data without clusters, as they are", () => {
    const first = dataset({});
    expect(redrawSplits(first, [[], [4]])).toBe(first);
    const declared: Dataset = { ...first, splitSource: "folders" };
    expect(redrawSplits(declared, [[0, 1]])).toBe(declared);
  });

  test("without a cluster that matters gives the same split", () => {
    const first = dataset({ test: 0.2 });
    const same = first.samples.flatMap(({ split, target }, i) => (split === "test" && target[0] === 0 ? [i] : []));
    expect(counts(redrawSplits(first, [same.slice(0, 2)]).samples)).toEqual(counts(first.samples));
  });
});
