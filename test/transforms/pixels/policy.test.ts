import { describe, expect, test } from "vitest";
import { rng } from "../../../src/random.ts";
import { augMix, mixChains, randAugment, trivialAugment } from "../../../src/transforms/pixels/policy.ts";
import { operationSpace, POLICY_OPERATIONS } from "../../../src/transforms/pixels/policy-operations.ts";
import { difference, policies, sha256 } from "./color-golden.ts";
import { scene } from "./scene.ts";

const image = scene();
const how = { interpolation: "nearest", fill: "constant", value: 0 } as const;
const seeds = Array.from({ length: 400 }, (_, i) => i);

/** Every picture that one operation of a policy may make, by the operation. */
function possible(policy: "rand-augment" | "trivial-augment", strengths: (count: number) => readonly number[]) {
  const made = new Map<string, string>();
  for (const { name, magnitudes, signed } of operationSpace(policy, image)) {
    for (const strength of strengths(magnitudes.length)) {
      for (const sign of signed ? [1, -1] : [1]) {
        made.set(sha256(POLICY_OPERATIONS[name](image, sign * magnitudes[strength]!, how)), name);
      }
    }
  }
  return made;
}

describe("rand-augment", () => {
  test("applies operations of its space at the given strength, each of them sometimes", () => {
    const made = possible("rand-augment", (count) => [Math.min(9, count - 1)]);
    const seen = seeds.map((seed) => made.get(sha256(randAugment(image, { operations: 1 }, rng(seed)))));
    expect(seen).not.toContain(undefined);
    expect(new Set(seen)).toEqual(new Set(made.values()));
  });

  test("changes more with more strength", () => {
    const change = (magnitude: number) =>
      seeds.slice(0, 60).reduce((sum, seed) => {
        const { data } = randAugment(image, { magnitude, geometric: false }, rng(seed));
        return sum + data.reduce((total, level, i) => total + Math.abs(level - image.data[i]!), 0);
      }, 0);
    expect(change(3)).toBeLessThan(change(12));
    expect(change(12)).toBeLessThan(change(30));
  });

  test("refuses what is out of range", () => {
    expect(() => randAugment(image, { magnitude: 31 }, rng(1))).toThrow(
      /magnitude to be a whole number from 0 to 30, got 31/,
    );
    expect(() => randAugment(image, { operations: 0 }, rng(1))).toThrow(/operations to be a whole number from 1/);
    expect(() => randAugment(image, { operations: 1e9 }, rng(1))).toThrow(/got 1000000000/);
  });
});

describe("trivial-augment", () => {
  test("applies one operation of any strength", () => {
    const made = possible("trivial-augment", (count) => Array.from({ length: count }, (_, i) => i));
    const seen = seeds.map((seed) => made.get(sha256(trivialAugment(image, {}, rng(seed)))));
    expect(seen).not.toContain(undefined);
    expect(new Set(seen).size).toBeGreaterThan(12);
  });

  test("moves no pixels where that is not wanted", () => {
    // A picture whose left half is black keeps it so under every operation on levels.
    const half = { width: 8, height: 4, data: new Uint8Array(96).map((_, i) => (i % 24 < 12 ? 0 : 200)) };
    for (const seed of seeds) {
      const { data } = trivialAugment(half, { geometric: false }, rng(seed));
      const columns = [0, 1, 2].map((x) => new Set([0, 1, 2, 3].map((y) => data[(y * 8 + x) * 3])));
      expect(columns.every((levels) => levels.size === 1 && levels.has(data[0]!))).toBe(true);
    }
  });
});

describe("aug-mix", () => {
  // torchvision runs AugMix's operations on tensors: its blends round differently, by 1 grey level.
  test.each(policies.augMix)("equals torchvision's within 1 grey level, keeping $original", (row) => {
    expect(difference(mixChains(image, row.original, row.chains, how), row).levels).toBeLessThanOrEqual(1);
  });

  test("gives the picture itself where nothing is mixed in", () => {
    expect(mixChains(image, 1, [{ weight: 0, steps: [{ name: "solarize", magnitude: 0 }] }], how)).toEqual(image);
  });

  test("stays inside 0 to 255, for every severity, width and depth", () => {
    const white = { width: 9, height: 9, data: new Uint8Array(243).fill(255) };
    for (const seed of seeds.slice(0, 60)) {
      const options = { severity: 1 + (seed % 10), width: 1 + (seed % 4), depth: 1 + (seed % 3), geometric: false };
      const { data } = augMix(white, options, rng(seed));
      expect(new Set(data).size).toBe(1); // one level, not wrapped around beside 255
    }
  });

  test("leaves out enhancements where the paper does", () => {
    const gray = { width: 6, height: 6, data: new Uint8Array(108).fill(90) };
    const options = { enhancements: false, geometric: false, severity: 1, alpha: 1e6 };
    // Posterize keeps 4 bits (90 becomes 80), solarize starts at 255, one level has no contrast: 80 to 90 at the most.
    for (const seed of seeds.slice(0, 100)) {
      for (const level of augMix(gray, options, rng(seed)).data) {
        expect(level).toBeGreaterThanOrEqual(84);
        expect(level).toBeLessThanOrEqual(90);
      }
    }
  });

  test("refuses what is out of range", () => {
    expect(() => augMix(image, { severity: 11 }, rng(1))).toThrow(/severity to be a whole number from 1 to 10, got 11/);
    expect(() => augMix(image, { width: 0 }, rng(1))).toThrow(/width/);
    expect(() => augMix(image, { depth: 0.5 }, rng(1))).toThrow(/depth/);
    expect(() => augMix(image, { alpha: 0 }, rng(1))).toThrow(/alpha/);
  });
});
