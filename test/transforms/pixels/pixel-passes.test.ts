import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import wabt from "wabt";
import { rng } from "../../../src/random.ts";
import { KERNELS as HUE_KERNELS } from "../../../src/transforms/pixels/hue-kernels.ts";
import { KERNELS } from "../../../src/transforms/pixels/pixel-kernels.ts";
import {
  changeAndMeanGray,
  changePixels,
  mirrorPixels,
  type PixelChange,
  valuesOf,
} from "../../../src/transforms/pixels/pixel-passes.ts";
import * as plain from "./plain-color.ts";

/** Numbers of pixels around the units and the parts in which the passes work. */
const COUNTS = [0, 1, 3, 4, 5, 15, 16, 17, 8191, 8192, 8193, 20_000];

/** Random levels, a third of them at the ends. */
function noise(pixels: number): Uint8Array {
  const source = rng("noise");
  return Uint8Array.from({ length: pixels * 3 }, () => Math.max(0, Math.min(255, source.next() * 383 - 64)));
}

function changed(data: Uint8Array, ...changes: PixelChange[]): Uint8Array {
  const out = new Uint8Array(data.length);
  changePixels(data, changes, out);
  return out;
}

function expectSame(result: Uint8Array, expected: Uint8Array): void {
  expect(result).toHaveLength(expected.length);
  expect(Buffer.compare(result, expected)).toBe(0);
}

describe("hue", () => {
  // All 2 ** 24 colors were compared once, for turns of -1, 0, 3, 7, 25 and 200.
  test("equals Pillow's steps for colors of all kinds", () => {
    const levels = [0, 1, 2, 3, 17, 50, 84, 85, 86, 127, 128, 170, 171, 200, 212, 213, 253, 254, 255];
    const colors = levels.flatMap((r) => levels.flatMap((g) => levels.flatMap((b) => [r, g, b])));
    const data = Uint8Array.from(colors);
    for (let shift = -255; shift <= 255; shift += 15) {
      expectSame(changed(data, { kind: "hue", shift }), plain.turnHue(data, shift));
    }
  });

  test.each([-255, -128, -1, 1, 42, 43, 127])("equals Pillow's steps for noise turned by %i", (shift) => {
    const data = noise(30_000);
    expectSame(changed(data, { kind: "hue", shift }), plain.turnHue(data, shift));
  });

  test.each([
    [[255, 0, 0], 85, [0, 255, 0]],
    [[255, 0, 0], 170, [0, 0, 255]],
    [[0, 200, 0], 85, [0, 0, 200]],
    [[255, 0, 0], -85, [6, 0, 255]], // hues are taken modulo 256, and 255 make the circle
    [[90, 90, 90], 40, [90, 90, 90]],
    [[0, 0, 0], 40, [0, 0, 0]],
    [[255, 255, 254], 40, [254, 255, 254]],
  ])("%s by %i is %s", (from, shift, to) => {
    expect([...changed(Uint8Array.from(from), { kind: "hue", shift })]).toEqual(to);
  });
});

describe("saturation", () => {
  test.each([0, 0.3, 0.999, 1, 1.4, 2.5, 1000, 1e10, Number.MAX_VALUE])("equals Pillow's blend by %d", (factor) => {
    const data = noise(10_000);
    data.fill(128, 0, 300); // gray
    expectSame(changed(data, { kind: "saturate", factor }), plain.saturate(data, factor));
  });
});

describe("a pass", () => {
  const tables = [1, 2, 3].map((channel) => Uint8Array.from({ length: 256 }, (_, level) => level * channel + 9));
  const [red, green, blue] = tables as [Uint8Array, Uint8Array, Uint8Array];
  const levels: PixelChange = { kind: "levels", tables: [red, green, blue] };

  test.each(COUNTS)("makes the changes in order, to %i pixels", (count) => {
    const data = noise(count);
    const before = data.slice();
    const mapped = data.map((level, i) => tables[i % 3]![level]!);
    const expected = plain.turnHue(plain.saturate(mapped, 1.3), 30).map((level, i) => tables[i % 3]![level]!);
    const changes: PixelChange[] = [levels, { kind: "saturate", factor: 1.3 }, { kind: "hue", shift: 30 }, levels];
    expectSame(changed(data, ...changes), expected);
    expectSame(data, before);
    changePixels(data, changes, data); // in place
    expectSame(data, expected);
  });

  test.each(COUNTS.slice(1))("gives the mean gray of %i pixels after its changes", (count) => {
    const data = noise(count);
    expect(changeAndMeanGray(data, [], new Uint8Array(0))).toBe(plain.meanGray(data));
    const mapped = data.map((level, i) => tables[i % 3]![level]!);
    const out = new Uint8Array(data.length);
    expect(changeAndMeanGray(data, [levels], out)).toBe(plain.meanGray(mapped));
    expectSame(out, mapped);
  });
});

describe("mirrorPixels", () => {
  test.each([
    [1, 1],
    [1, 500],
    [2, 3],
    [4, 5],
    [5, 4],
    [6, 7],
    [224, 224],
    [4097, 3],
    [8192, 2],
    [8193, 3],
    [20_000, 2],
  ])("reverses the rows of %ix%i pixels", (width, height) => {
    const data = noise(width * height);
    const expected = new Uint8Array(data.length);
    for (let i = 0; i < width * height; i++) {
      const x = i % width;
      expected.set(data.subarray(3 * i, 3 * i + 3), 3 * (i - x + width - 1 - x));
    }
    const out = new Uint8Array(data.length);
    mirrorPixels(data, width, out);
    expectSame(out, expected);
  });
});

describe("valuesOf", () => {
  const tables = [0.1, 7, -1e-3].map((step) => Float32Array.from({ length: 256 }, (_, level) => level * step - 1));
  const three = tables as [Float32Array, Float32Array, Float32Array];

  test.each(COUNTS)("writes %i pixels in each layout", (count) => {
    const data = noise(count);
    for (const planes of [true, false]) {
      for (const bgr of [true, false]) {
        const expected = new Float32Array(data.length);
        for (const [i, level] of data.entries()) {
          const channel = bgr ? 2 - (i % 3) : i % 3;
          const pixel = Math.floor(i / 3);
          expected[planes ? channel * count + pixel : 3 * pixel + channel] = tables[i % 3]![level]!;
        }
        const out = new Float32Array(data.length).fill(Number.NaN);
        valuesOf(data, three, out, { planes, bgr });
        expectSame(new Uint8Array(out.buffer), new Uint8Array(expected.buffer));
      }
    }
  });
});

test.each([
  ["pixel-kernels.wat", KERNELS],
  ["hue-kernels.wat", HUE_KERNELS],
])("the module is what %s says", async (name, kernels) => {
  const module = (await wabt()).parseWat(name, readFileSync(`src/transforms/pixels/${name}`, "utf8"), { simd: true });
  expect(Buffer.from(module.toBinary({}).buffer).toString("base64")).toBe(kernels);
});
