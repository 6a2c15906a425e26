import { describe, expect, test } from "vitest";
import {
  BINS,
  binOf,
  calibrationChange,
  expectedCalibrationError,
  reliabilityBins,
} from "../../src/metrics/calibration.ts";
import { fitTemperature } from "../../src/metrics/temperature.ts";
import { rng } from "../../src/random.ts";

describe("bins", () => {
  test("are equally wide, closed above", () => {
    expect([0, 1e-9, 1 / 15, 1 / 15 + 1e-9, 0.5, 1].map(binOf)).toEqual([0, 0, 0, 1, 7, 14]);
    expect(reliabilityBins([], [])).toHaveLength(BINS);
  });

  test("hold what was stated and what was observed", () => {
    const bins = reliabilityBins([0.81, 0.85, 0.99], [1, 0, 1]);
    expect(bins[12]).toMatchObject({ count: 2, accuracy: 0.5 });
    expect(bins[12]!.confidence).toBeCloseTo(0.83, 12);
    expect(bins[14]).toMatchObject({ count: 1, accuracy: 1, to: 1 });
    expect(bins[0]).toEqual({ from: 0, to: 1 / 15, count: 0, confidence: 0, accuracy: 0 });
    expect(expectedCalibrationError(bins)).toBeCloseTo((2 * 0.33 + 0.01) / 3, 12);
    expect(expectedCalibrationError(reliabilityBins([], []))).toBe(0);
  });
});

describe("a temperature", () => {
  /** Labels drawn with the probabilities of logits that are then three times too large. */
  function overconfident(n: number) {
    const random = rng(5);
    const logits = new Float32Array(n * 3);
    const indicators = new Float32Array(n * 3);
    const labels = Array.from({ length: n }, (_, i) => {
      const row = Array.from({ length: 3 }, () => 1.5 * random.normal());
      const weights = row.map(Math.exp);
      const drawn = random.next() * weights.reduce((a, b) => a + b, 0);
      logits.set(
        row.map((x) => 3 * x),
        i * 3,
      );
      for (const [j, x] of row.entries()) indicators[i * 3 + j] = Number(random.next() < 1 / (1 + Math.exp(-x)));
      return drawn < weights[0]! ? 0 : drawn < weights[0]! + weights[1]! ? 1 : 2;
    });
    return { logits, labels, indicators, numClasses: 3 };
  }

  test.each(["softmax", "sigmoid"] as const)(
    "makes %s logits that are too large as sure as they are right",
    (activation) => {
      const { logits, labels, indicators, numClasses } = overconfident(3000);
      const options = { logits, labels: activation === "softmax" ? labels : { indicators }, numClasses, activation };
      const { before, after } = calibrationChange({ ...options, temperature: fitTemperature(options) });
      expect(before.calibrationError).toBeGreaterThan(0.12);
      expect(after.calibrationError).toBeLessThan(0.03);
      expect(after.loss).toBeLessThan(before.loss - 0.1);
      expect(after.bins.reduce((sum, { count }) => sum + count, 0)).toBe(activation === "softmax" ? 3000 : 9000);
    },
  );

  test("of 1 changes nothing; others must be above 0, with a label for each row", () => {
    const options = {
      logits: Float32Array.of(1, 0, 0, 1),
      labels: [0, 0],
      numClasses: 2,
      activation: "softmax",
    } as const;
    const { before, after } = calibrationChange({ ...options, temperature: 1 });
    expect(after).toEqual(before);
    expect(before.loss).toBeCloseTo(Math.log(1 + Math.exp(-1)) + 0.5, 12);
    for (const temperature of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => calibrationChange({ ...options, temperature })).toThrow(RangeError);
    expect(() => calibrationChange({ ...options, labels: [0], temperature: 1 })).toThrow(/each of 2 rows, got 1/);
  });
});
