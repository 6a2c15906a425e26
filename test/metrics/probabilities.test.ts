import { describe, expect, test } from "vitest";
import {
  ACTIVATIONS,
  type Activation,
  argmaxRows,
  checkLogits,
  sigmoidRows,
  softmaxRows,
  topK,
} from "../../src/metrics/probabilities.ts";

describe("softmaxRows", () => {
  test("normalizes each row on its own", () => {
    const [log2, log3] = [Math.log(2), Math.log(3)];
    const out = softmaxRows(Float32Array.of(0, log2, 0, log2, log3, 0), 3);
    for (const [i, expected] of [1 / 4, 2 / 4, 1 / 4, 2 / 6, 3 / 6, 1 / 6].entries()) {
      expect(out[i]).toBeCloseTo(expected, 6);
    }
  });

  test("depends on differences only and does not overflow", () => {
    expect(softmaxRows(Float32Array.of(3e38, -3e38), 2)).toEqual(Float32Array.of(1, 0));
    expect(softmaxRows(Float32Array.of(1000, 1001), 2)).toEqual(softmaxRows(Float32Array.of(0, 1), 2));
    expect(softmaxRows(Float32Array.of(-5000, -5000), 2)).toEqual(Float32Array.of(0.5, 0.5));
  });
});

describe("sigmoidRows", () => {
  test("is the logistic function of each element", () => {
    const out = sigmoidRows(Float32Array.of(0, Math.log(3), -Math.log(3)), 3);
    expect(out[0]).toBe(0.5);
    expect(out[1]).toBeCloseTo(0.75, 6);
    expect(out[2]).toBeCloseTo(0.25, 6);
  });

  test("saturates without overflow", () => {
    expect(sigmoidRows(Float32Array.of(3e38, -3e38), 2)).toEqual(Float32Array.of(1, 0));
  });
});

describe.each(Object.keys(ACTIVATIONS) as Activation[])("the activation %s", (activation) => {
  const activate = ACTIVATIONS[activation];

  test("returns finite values, probabilities in [0, 1], keeps the order, and leaves the logits as they are", () => {
    const logits = Float32Array.from({ length: 60 }, (_, i) => 40 * Math.sin(i * i));
    const before = logits.slice();
    const out = activate(logits, 5);
    if (activation === "identity") expect(out).toEqual(logits);
    else expect(out.every((p) => p >= 0 && p <= 1)).toBe(true);
    expect(out.buffer).not.toBe(logits.buffer);
    expect(logits).toEqual(before);
    for (let i = 0; i < 60; i += 5) {
      for (let j = i + 1; j < i + 5; j++) {
        expect(Math.sign(out[j]! - out[i]!) * Math.sign(logits[j]! - logits[i]!)).toBeGreaterThanOrEqual(0);
      }
    }
  });

  test("refuses logits that are not finite", () => {
    expect(() => activate(Float32Array.of(0, Number.NaN), 2)).toThrow(expect.objectContaining({ code: "BAD_MODEL" }));
  });

  test("has no rows for no logits", () => {
    expect(activate(new Float32Array(0), 3)).toEqual(new Float32Array(0));
  });
});

describe("checkLogits", () => {
  test("counts the rows", () => {
    expect(checkLogits(new Float32Array(6), 3)).toBe(2);
    expect(checkLogits(new Float32Array(0), 3)).toBe(0);
  });

  test("counts the samples that are not finite, each once, and names the first", () => {
    const logits = new Float32Array(8);
    logits.set([Number.NaN, Number.NEGATIVE_INFINITY], 2);
    logits[7] = Number.POSITIVE_INFINITY;
    expect(() => checkLogits(logits, 2)).toThrow(
      expect.objectContaining({
        code: "BAD_MODEL",
        message: expect.stringContaining("got NaN or infinity for 2 of 4 samples, first for sample 1."),
      }),
    );
  });

  test("refuses an incomplete row", () => {
    expect(() => checkLogits(new Float32Array(7), 3)).toThrow(
      expect.objectContaining({
        code: "SHAPE_MISMATCH",
        message: "logits [n, 3] require a multiple of 3 elements, got 7.",
      }),
    );
  });

  test.each([0, -1, 1.5, Number.NaN])("refuses %d classes", (numClasses) => {
    expect(() => checkLogits(new Float32Array(0), numClasses)).toThrow(
      new RangeError(`numClasses must be a positive whole number, got ${numClasses}.`),
    );
  });
});

describe("argmaxRows", () => {
  test("finds the largest score of each row", () => {
    expect(argmaxRows(Float32Array.of(1, 2, 3, -1, -3, -2), 3)).toEqual(Int32Array.of(2, 0));
  });

  test("gives a tie to the lowest index", () => {
    expect(argmaxRows(Float32Array.of(1, 2, 2, 5, 5, 5), 3)).toEqual(Int32Array.of(1, 0));
  });
});

describe("topK", () => {
  const row = Float32Array.of(0.125, 0.5, 0.125, 0.25);

  test("ranks by probability, ties by index", () => {
    expect(topK(row, 3)).toEqual([
      { index: 1, probability: 0.5 },
      { index: 3, probability: 0.25 },
      { index: 0, probability: 0.125 },
    ]);
  });

  test("returns every class where there are fewer than k", () => {
    expect(topK(row, 10).map((entry) => entry.index)).toEqual([1, 3, 0, 2]);
  });

  test("starts with the prediction of argmaxRows", () => {
    expect(topK(row, 1)[0]?.index).toBe(argmaxRows(row, 4)[0]);
  });

  test.each([0, -1, 1.5])("refuses k = %d", (k) => {
    expect(() => topK(row, k)).toThrow(new RangeError(`topK: k must be a positive whole number, got ${k}.`));
  });
});
