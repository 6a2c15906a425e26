import { describe, expect, test } from "vitest";
import { fitTemperature } from "../../src/metrics/temperature.ts";
import { rng } from "../../src/random.ts";

/** Labels drawn with the probabilities that logits of this scale give; the logits are then `factor` too large. */
function drawn(activation: "softmax" | "sigmoid", factor: number, n = 4000) {
  const random = rng(activation);
  const logits = new Float32Array(n * 3);
  const labels = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const row = Array.from({ length: 3 }, () => 2 * random.normal());
    const weights = row.map((x) => Math.exp(x));
    const drawn = random.next() * weights.reduce((a, b) => a + b, 0);
    labels[i] = drawn < weights[0]! ? 0 : drawn < weights[0]! + weights[1]! ? 1 : 2;
    logits.set(
      row.map((x) => factor * x),
      i * 3,
    );
  }
  return { logits, labels, numClasses: 3, activation };
}

describe("the temperature", () => {
  test.each([0.5, 1, 3])("of softmax logits that are %d times too large is that", (factor) => {
    expect(fitTemperature(drawn("softmax", factor))).toBeGreaterThan(0.93 * factor);
    expect(fitTemperature(drawn("softmax", factor))).toBeLessThan(1.07 * factor);
  });

  test("scales with the logits, and stays within its range", () => {
    const [once, thrice] = [1, 3].map((factor) => fitTemperature(drawn("sigmoid", factor)));
    expect(thrice! / once!).toBeCloseTo(3, 2);
    expect(fitTemperature(drawn("softmax", 1000))).toBeCloseTo(20, 2);
  });

  test("of a split without errors is finite: one error more is always possible", () => {
    const logits = Float32Array.of(2, -2, -2, 2, 2, -2);
    const fitted = fitTemperature({ logits, labels: [0, 1, 0], numClasses: 2, activation: "softmax" });
    // Each target is 0.9 and 0.1: sigmoid(4 / T) = 0.9.
    expect(fitted).toBeCloseTo(4 / Math.log(9), 3);
  });

  test("refuses logits that are no numbers", () => {
    const logits = Float32Array.of(Number.NaN, 0);
    expect(() => fitTemperature({ logits, labels: [0], numClasses: 2, activation: "softmax" })).toThrow("finite");
  });

  test("of independent classes is the same from indices and from a number for each class", () => {
    const given = drawn("sigmoid", 3);
    const indicators = new Float32Array(given.logits.length);
    for (const [i, label] of given.labels.entries()) indicators[i * 3 + label] = 1;
    expect(fitTemperature({ ...given, labels: { indicators } })).toBeCloseTo(fitTemperature(given), 6);
  });
});
