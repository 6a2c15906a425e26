import { describe, expect, test } from "vitest";
import { evaluateMultiLabel } from "../../src/metrics/multi-label.ts";
import { chooseThresholds } from "../../src/metrics/thresholds.ts";
import { rng } from "../../src/random.ts";

/** Classes with these shares, of which a calibrated model knows this much. */
function drawn(shares: readonly number[], n: number, seed: number) {
  const random = rng(seed);
  const logits = new Float32Array(n * shares.length);
  const targets = new Float32Array(n * shares.length);
  for (let i = 0; i < targets.length; i++) {
    const share = shares[i % shares.length]!;
    logits[i] = Math.log(share / (1 - share)) + 1.5 * random.normal();
    targets[i] = Number(random.next() < 1 / (1 + Math.exp(-logits[i]!)));
  }
  return { logits, targets, numClasses: shares.length };
}

describe("thresholds", () => {
  const shares = [0.5, 0.1, 0.03];
  const classes = ["often", "sometimes", "rarely"];

  test("raise the F1 of rare classes on other images", () => {
    const thresholds = chooseThresholds(drawn(shares, 1000, 1));
    for (const threshold of thresholds) expect(threshold > 0 && threshold < 1).toBe(true);
    expect(thresholds[2]).toBeLessThan(0.35); // at half the best F1: Lipton et al. 2014
    const { logits, targets } = drawn(shares, 4000, 2);
    const [plain, chosen] = [undefined, thresholds].map((given) =>
      evaluateMultiLabel({ logits, targets, classes, thresholds: given }),
    );
    expect(chosen!.metrics.macroF1).toBeGreaterThan(plain!.metrics.macroF1 + 0.04);
    expect(chosen!.perClass.map(({ threshold }) => threshold)).toEqual(thresholds);
  });

  test("lie in the middle between what they separate, and near 0.5 where that makes no difference", () => {
    const scores = Array.from({ length: 40 }, (_, i) => (i < 20 ? -3 + i / 100 : 1 + i / 100));
    const options = {
      logits: Float32Array.from(scores),
      targets: Float32Array.from(scores, (score) => Number(score > 0)),
      numClasses: 1,
    };
    expect(chooseThresholds(options)).toEqual([0.5]); // already without an error
    const shifted = { ...options, logits: options.logits.map((score) => score - 4) };
    const [threshold] = chooseThresholds(shifted);
    const logit = Math.log(threshold! / (1 - threshold!));
    expect(logit).toBeGreaterThan(-4.81);
    expect(logit).toBeLessThan(-2.8);
  });

  test("of a class with few images are the common one", () => {
    const { logits, targets } = drawn([0.3, 0.3], 200, 3);
    for (let i = 0; i < 200; i++) targets[2 * i + 1] = Number(i < 4);
    const [, few] = chooseThresholds({ logits, targets, numClasses: 2 });
    for (let i = 0; i < 4; i++) logits[2 * i + 1] = -3.5; // whatever these four are
    const [, other] = chooseThresholds({ logits, targets, numClasses: 2 });
    expect(Math.abs(few! - other!)).toBeLessThan(0.1);
    expect(chooseThresholds({ logits, targets: new Float32Array(400), numClasses: 2 })).toEqual([0.5, 0.5]);
    expect(chooseThresholds({ logits, targets: new Float32Array(400).fill(1), numClasses: 2 })).toEqual([0.5, 0.5]);
  });

  test("move the farther from 0.5 the more images speak for it", () => {
    const of = (positives: number) => {
      const logits = Float32Array.from({ length: 10 * positives }, (_, i) => (i < positives ? -1 : -3));
      const targets = Float32Array.from(logits, (x) => Number(x === -1));
      const far = Float32Array.from({ length: 2 * logits.length }, (_, i) => (i % 2 ? 5 : logits[i / 2]!));
      const both = Float32Array.from({ length: far.length }, (_, i) => (i % 2 ? 1 : targets[i / 2]!));
      return chooseThresholds({ logits: far, targets: both, numClasses: 2 })[0]!;
    };
    expect(of(6)).toBeGreaterThanOrEqual(of(100));
    expect(of(100)).toBeLessThan(1 / (1 + Math.exp(1)));
  });

  test("refuse other shapes and scores that are no numbers", () => {
    const logits = new Float32Array(4);
    expect(() => chooseThresholds({ logits, targets: new Float32Array(2), numClasses: 2 })).toThrow(/\[n, 2\]/);
    expect(() => chooseThresholds({ logits: logits.fill(Number.NaN), targets: logits, numClasses: 2 })).toThrow(
      /finite/,
    );
  });
});
