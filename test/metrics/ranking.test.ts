import { describe, expect, test } from "vitest";
import { everyOnce } from "../../src/metrics/bootstrap.ts";
import { measureRanking, rankSamples } from "../../src/metrics/ranking.ts";
import { rng } from "../../src/random.ts";

function measured(scores: readonly number[], positive: readonly number[]) {
  const ranking = rankSamples(Float32Array.from(scores), Uint8Array.from(positive));
  return measureRanking(ranking, everyOnce(scores.length), scores.length);
}

describe("average precision", () => {
  const of = (scores: readonly number[], positive: readonly number[]) => measured(scores, positive).averagePrecision;

  // The example of scikit-learn's documentation of average_precision_score.
  test("of positives ranked first and third of four is 5/6", () => {
    expect(of([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])).toBeCloseTo(5 / 6, 12);
  });

  test("is 1 where every positive comes first, and the share of positives where all scores are equal", () => {
    expect(of([3, 1, 2], [1, 0, 1])).toBe(1);
    expect(of([1, 1, 1, 1], [1, 0, 0, 0])).toBe(0.25);
    expect(of([1, 1, 1, 1], [0, 0, 0, 1])).toBe(0.25);
  });

  test("counts samples of one score together", () => {
    // Thresholds 2, 1, 0: precision 1/1, 2/3, 2/4 at recall 1/2, 1, 1.
    expect(of([2, 1, 1, 0], [1, 1, 0, 0])).toBeCloseTo(0.5 + 0.5 * (2 / 3), 12);
  });

  test("is not defined without positives; lengths that differ are refused", () => {
    expect(of([1, 2], [0, 0])).toBeNaN();
    expect(of([], [])).toBeNaN();
    expect(() => of([1], [])).toThrow(RangeError);
  });
});

describe("the area under the ROC curve", () => {
  test("is the chance that a positive comes before a negative, equal scores counting half", () => {
    expect(measured([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]).rocAuc).toBe(0.75); // scikit-learn's example
    expect(measured([1, 1, 1], [0, 1, 1]).rocAuc).toBe(0.5);
    expect(measured([-2, -1, 1, 2], [1, 1, 0, 0]).rocAuc).toBe(0);
    expect(measured([0, -0], [1, 0]).rocAuc).toBe(0.5);
    expect(measured([1, 2], [1, 1]).rocAuc).toBeNaN();
    expect(measured([1, 2], [0, 0]).rocAuc).toBeNaN();
  });

  test("of scores of any sign and size equals that of all pairs, also of a draw", () => {
    const random = rng(3);
    const scores = Float32Array.from({ length: 300 }, (_, i) => Math.round(random.normal() * 8) * 10 ** ((i % 5) - 2));
    const positive = Uint8Array.from(scores, (score) => Number(random.normal() + Math.sign(score) > 0.3));
    const counts = Uint16Array.from(scores, () => Math.floor(3 * random.next()));
    let [pairs, before] = [0, 0];
    for (const [i, score] of scores.entries())
      for (const [j, other] of scores.entries()) {
        if (positive[i] !== 1 || positive[j] !== 0) continue;
        const weight = counts[i]! * counts[j]!;
        pairs += weight;
        before += weight * (score > other ? 1 : score === other ? 0.5 : 0);
      }
    const total = counts.reduce((a, b) => a + b);
    expect(measureRanking(rankSamples(scores, positive), counts, total).rocAuc).toBeCloseTo(before / pairs, 12);
  });

  test("of more samples than a 16-bit index can number", () => {
    const scores = Float32Array.from({ length: 70_000 }, (_, i) => i);
    const positive = Uint8Array.from(scores, (_, i) => Number(i >= 69_999));
    expect(measureRanking(rankSamples(scores, positive), everyOnce(70_000), 70_000)).toEqual({
      rocAuc: 1,
      averagePrecision: 1,
    });
  });
});
