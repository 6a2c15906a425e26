import { describe, expect, test } from "vitest";
import { rng } from "../../../src/random.ts";
import type { Image } from "../../../src/transforms/image.ts";
import { type ErasingOptions, eraseRegion, erasing } from "../../../src/transforms/pixels/erase.ts";

const blank: Image = { width: 40, height: 30, data: new Uint8Array(3600).fill(77) };

/** The rectangle around all pixels that are not 77, and how many there are in it. */
function erased({ width, data }: Image) {
  const changed = Array.from({ length: data.length / 3 }, (_, i) => i).filter((i) => data[i * 3] !== 77);
  const xs = changed.map((i) => i % width);
  const ys = changed.map((i) => Math.floor(i / width));
  const wide = Math.max(...xs) - Math.min(...xs) + 1;
  const tall = Math.max(...ys) - Math.min(...ys) + 1;
  return { count: changed.length, wide, tall };
}

function results(options: ErasingOptions, count = 300): Image[] {
  return Array.from({ length: count }, (_, i) => erasing(blank, { value: 0, probability: 1, ...options }, rng(i)));
}

describe("erasing", () => {
  test("hides one rectangle whose area and shape lie in their ranges", () => {
    for (const result of results({ scale: [0.1, 0.2], ratio: [0.5, 2] })) {
      const { count, wide, tall } = erased(result);
      expect(count).toBe(wide * tall);
      expect(count / 1200).toBeGreaterThan(0.08); // sides are rounded
      expect(count / 1200).toBeLessThan(0.22);
      expect(tall / wide).toBeGreaterThan(0.4);
      expect(tall / wide).toBeLessThan(2.3);
    }
  });

  test("reaches every place", () => {
    const hits = new Uint32Array(1200);
    for (const { data } of results({ scale: [0.05, 0.1] }, 2000)) {
      for (let i = 0; i < 1200; i++) if (data[i * 3] === 0) hits[i]!++;
    }
    expect(Math.min(...hits)).toBeGreaterThan(0);
  });

  test("gives up where no rectangle is smaller than the picture", () => {
    expect(erasing(blank, { scale: [1, 1], ratio: [0.75, 0.75], probability: 1 }, rng(1))).toBe(blank);
    const dot = { width: 1, height: 1, data: Uint8Array.of(1, 2, 3) };
    expect(erasing(dot, { scale: [0.5, 1], probability: 1 }, rng(1))).toBe(dot);
  });

  test("happens in half of the pictures unless told", () => {
    const changed = Array.from({ length: 1000 }, (_, i) => erasing(blank, { value: 0 }, rng(i)) !== blank);
    expect(changed.filter(Boolean).length).toBeGreaterThan(440);
    expect(changed.filter(Boolean).length).toBeLessThan(560);
  });

  test("refuses ranges out of order or out of bounds", () => {
    expect(() => erasing(blank, { scale: [0.5, 0.2] }, rng(1))).toThrow(/scale, got \[0.5, 0.2\]/);
    expect(() => erasing(blank, { scale: [0.5, 1.2] }, rng(1))).toThrow(/<= 1 for scale/);
    expect(() => erasing(blank, { ratio: [0, 1] }, rng(1))).toThrow(/0 < low/);
  });
});

describe("what is put there", () => {
  const region = { left: 3, top: 2, width: 2, height: 1 };
  const small: Image = { width: 8, height: 4, data: Uint8Array.from({ length: 96 }, (_, i) => [10, 20, 30][i % 3]!) };
  const inside = (image: Image) => [...image.data.subarray((2 * 8 + 3) * 3, (2 * 8 + 5) * 3)];

  test("one level or a color", () => {
    expect(inside(eraseRegion(small, region, 9))).toEqual([9, 9, 9, 9, 9, 9]);
    const result = eraseRegion(small, region, [1, 2, 300]);
    expect(inside(result)).toEqual([1, 2, 255, 1, 2, 255]);
    expect(result.data.filter((level, i) => level !== small.data[i]).length).toBe(6);
  });

  test("the mean color, or random levels over the whole range", () => {
    expect(erasing(small, { value: "mean", probability: 1 }, rng(2))).toEqual(small); // its one color
    const noise = erasing(
      { ...blank, data: new Uint8Array(3600) },
      { value: "random", scale: [0.5, 0.5], ratio: [1, 1], probability: 1 },
      rng(3),
    );
    const levels = [...noise.data].filter((level) => level > 0);
    expect(Math.max(...levels)).toBeGreaterThan(245);
    expect(levels.reduce((sum, level) => sum + level, 0) / levels.length).toBeCloseTo(127.5, -1);
  });
});
