import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import wabt from "wabt";
import { rng } from "../../../src/random.ts";
import { passesFast } from "../../../src/transforms/resampling/resize-fast.ts";
import { KERNELS } from "../../../src/transforms/resampling/resize-kernels.ts";
import { horizontal, type Rows, vertical } from "../../../src/transforms/resampling/resize-portable.ts";
import { filterTaps, INTERPOLATIONS } from "../../../src/transforms/resampling/resize-taps.ts";
import { picture } from "../picture.ts";

/** The result of the plain loops. */
function passes(
  rows: Rows,
  count: number,
  size: { readonly width: number; readonly height: number },
  { across, down }: Parameters<typeof passesFast>[3],
): Uint8Array {
  const middle: Rows = across
    ? { data: horizontal(rows, count, across), stride: size.width * 3, left: 0, top: 0 }
    : rows;
  return down ? vertical(middle, size.width * 3, down) : middle.data;
}

test("the kernels give the bytes of the plain loops, for every filter, size, region and window", () => {
  const source = rng("sizes");
  const whole = (least: number, most: number): number => least + Math.floor(source.next() * (most - least + 1));
  for (let round = 0; round < 200; round++) {
    const image = picture(whole(1, 90), whole(1, 70));
    const interpolation = INTERPOLATIONS[whole(1, INTERPOLATIONS.length - 1)] as "box";
    const [left, top] = [whole(0, image.width - 1), whole(0, image.height - 1)];
    const [width, height] = [whole(1, image.width - left), whole(1, image.height - top)];
    const [toWidth, toHeight] = [whole(1, 120), whole(1, 120)];
    const [x, y] = [whole(0, toWidth - 1), whole(0, toHeight - 1)];
    const size = { width: whole(1, toWidth - x), height: whole(1, toHeight - y) };
    const only = whole(0, 3); // one axis alone, now and then
    const across = only === 1 ? undefined : filterTaps(interpolation, width, toWidth, x, size.width);
    const down = only === 2 && across ? undefined : filterTaps(interpolation, height, toHeight, y, size.height);
    const first = down ? down.first : 0;
    const rows: Rows = { data: image.data, stride: image.width * 3, left, top: top + first };
    const wide = across ? size : { width, height: size.height };
    const count = down ? down.end - first : height;
    const made = down ? wide : { width: wide.width, height: count };
    const expected = passes(rows, count, made, { across, down });
    expect(Buffer.compare(passesFast(rows, count, made, { across, down })!, expected)).toBe(0);
  }
});

test("sources larger than one chunk, extreme weights and saturated pixels are exact too", () => {
  const noise = rng("noise");
  const data = Uint8Array.from({ length: 700 * 900 * 3 }, () => (noise.next() < 0.5 ? 0 : 255));
  const rows: Rows = { data, stride: 700 * 3, left: 0, top: 0 };
  for (const [width, height] of [
    [64, 48],
    [3, 900],
    [1, 1],
    [901, 1200],
  ] as const) {
    const across = filterTaps("lanczos", 700, width, 0, width);
    const down = filterTaps("bicubic", 900, height, 0, height);
    const taken = { ...rows, top: down.first };
    const count = down.end - down.first;
    const expected = passes(taken, count, { width, height }, { across, down });
    expect(Buffer.compare(passesFast(taken, count, { width, height }, { across, down })!, expected)).toBe(0);
  }
});

test("what takes too much memory is left to the plain loops", () => {
  const down = filterTaps("bilinear", 10, 6000, 0, 6000);
  const rows: Rows = { data: new Uint8Array(5000 * 10 * 3), stride: 15_000, left: 0, top: 0 };
  expect(passesFast(rows, 10, { width: 5000, height: 6000 }, { across: undefined, down })).toBeUndefined();
});

test("the module is what resize-kernels.wat says", async () => {
  const source = readFileSync("src/transforms/resampling/resize-kernels.wat", "utf8");
  const module = (await wabt()).parseWat("resize-kernels.wat", source, { simd: true });
  expect(Buffer.from(module.toBinary({}).buffer).toString("base64")).toBe(KERNELS);
});
