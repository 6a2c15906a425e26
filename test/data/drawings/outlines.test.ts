import { expect, test } from "vitest";
import { decodeImage } from "../../../src/data/decode.ts";
import { times } from "../../../src/data/drawings/dice.ts";
import { around, drawFrame, drawOutline, OUTLINES } from "../../../src/data/drawings/outlines.ts";
import { placed, svgFile } from "../../../src/data/drawings/svg.ts";
import { svgToJpeg } from "../../../src/data/encode.ts";
import { rng } from "../../../src/random.ts";

/** Share of the square around the unit circle that a path covers, and whether it reaches out of that square. */
async function covered(path: string): Promise<{ readonly share: number; readonly outside: number }> {
  const form = placed(`<path d="${path}" fill-rule="evenodd"/>`, { x: 50, y: 50, scale: 25 });
  const { data, width } = await decodeImage(await svgToJpeg(svgFile([], form, 80), { quality: 95 }));
  const dark = times(width * width, (i) => data[3 * i]! < 128);
  const inside = (i: number): boolean => [i % width, Math.floor(i / width)].every((at) => at >= 18 && at < 62);
  const within = dark.filter((is, i) => is && inside(i)).length;
  return { share: within / 1600, outside: dark.filter(Boolean).length - within };
}

test.each(Object.keys(OUTLINES) as (keyof typeof OUTLINES)[])(
  "%s is a form about the size of a circle",
  async (kind) => {
    for (const seed of [1, 2, 3]) {
      const { share, outside } = await covered(OUTLINES[kind](rng(seed)));
      expect(share).toBeGreaterThan(0.04);
      expect(outside).toBe(0);
    }
  },
);

test("every drawing of a kind that has sizes is another one", () => {
  const source = rng(4);
  expect(new Set(times(50, () => drawOutline(source))).size).toBeGreaterThan(40);
  expect(new Set(times(20, () => OUTLINES.blob(source))).size).toBe(20);
});

test("a frame has a hole in its middle", async () => {
  for (const seed of [1, 2, 3, 4]) {
    const path = drawFrame(rng(seed));
    const form = placed(`<path d="${path}" fill-rule="evenodd"/>`, { x: 50, y: 50, scale: 25 });
    const { data } = await decodeImage(await svgToJpeg(svgFile([], form, 80), { quality: 95 }));
    expect(data[3 * (40 * 80 + 40)]).toBeGreaterThan(200);
    expect((await covered(path)).share).toBeGreaterThan(0.1);
  }
});

test("points around the origin keep their distance", () => {
  const distances = around(rng(7), 200, 0.5).map(([x, y]) => Math.hypot(x, y));
  expect(Math.min(...distances)).toBeGreaterThanOrEqual(0.5);
  expect(Math.max(...distances)).toBeLessThanOrEqual(1);
});
