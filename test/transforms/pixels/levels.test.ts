import { describe, expect, test } from "vitest";
import { rng } from "../../../src/random.ts";
import {
  blendLevels,
  channelShift,
  invert,
  levelsOf,
  mapLevels,
  posterize,
  posterizeTo,
  shiftChannels,
  solarize,
  solarizeFrom,
} from "../../../src/transforms/pixels/levels.ts";
import { cases, sha256 } from "./color-golden.ts";
import { scene } from "./scene.ts";

const image = scene();
const pixel = { width: 1, height: 1, data: Uint8Array.of(10, 120, 250) };

function named(name: string) {
  return cases.plain.filter((row) => row.name === name);
}

describe("equals torchvision on PIL images bit for bit", () => {
  test.each(named("posterize"))("posterize to $option bits", ({ option, sha256: expected }) => {
    expect(sha256(posterizeTo(image, option))).toBe(expected);
  });

  test.each(named("solarize"))("solarize from $option", ({ option, sha256: expected }) => {
    expect(sha256(solarizeFrom(image, option))).toBe(expected);
  });

  test.each(named("invert"))("invert", ({ sha256: expected }) => {
    expect(sha256(invert(image, { probability: 1 }, rng(1)))).toBe(expected);
  });
});

describe("tables", () => {
  test("truncate, and stay inside 0 to 255", () => {
    const levels = levelsOf((level) => level * 2 - 100.5);
    expect([levels[0], levels[51], levels[60], levels[255]]).toEqual([0, 1, 19, 255]);
  });

  test("may differ by channel", () => {
    const to = (level: number) => levelsOf(() => level);
    expect([...mapLevels(pixel, to(1), to(2), to(3)).data]).toEqual([1, 2, 3]);
  });

  test("blend towards a level", () => {
    expect([...blendLevels(100, 0)].every((level) => level === 100)).toBe(true);
    expect([...blendLevels(100, 1)]).toEqual(Array.from({ length: 256 }, (_, i) => i));
    expect(blendLevels(100, 2)[160]).toBe(220);
    expect(blendLevels(100, 2)[40]).toBe(0);
  });
});

describe("channels", () => {
  test("shift each by its own amount, inside the bounds", () => {
    expect([...shiftChannels(pixel, [-20, 5, 20]).data]).toEqual([0, 125, 255]);
    expect([...shiftChannels(pixel, [-20, 5, 20], [10, 250]).data]).toEqual([10, 125, 250]);
  });

  test("shift together where that is asked for", () => {
    const gray = { width: 1, height: 1, data: Uint8Array.of(99, 99, 99) };
    const together = Array.from({ length: 50 }, (_, i) => channelShift(gray, { channels: "together" }, rng(i)).data);
    expect(together.every(([r, g, b]) => r === g && g === b)).toBe(true);
    expect(new Set(together.map(String)).size).toBeGreaterThan(20);
    const each = Array.from({ length: 50 }, (_, i) => channelShift(gray, { range: 30 }, rng(i)).data);
    expect(each.filter(([r, g, b]) => r === g && g === b).length).toBeLessThan(5);
    expect(each.every((levels) => levels.every((level) => level >= 69 && level <= 129))).toBe(true);
  });
});

test("options out of range are refused", () => {
  expect(() => posterize(image, { bits: 0, probability: 1 }, rng(1))).toThrow(/posterize requires 1 to 8 bits, got 0/);
  expect(() => solarize(image, { threshold: 300 }, rng(1))).toThrow(/threshold in \[0, 256\], got 300/);
  expect(() => channelShift(image, { range: [5, -5] }, rng(1))).toThrow(/channel-shift requires/);
  expect(() => invert(image, { probability: 1.5 }, rng(1))).toThrow(/probability in \[0, 1\], got 1.5/);
});
