import { expect, test } from "vitest";
import { decodeImage } from "../../../src/data/decode.ts";
import { DRAWN_CLASSES, type DrawnClass, drawClassForm } from "../../../src/data/drawings/class-forms.ts";
import { placed, svgFile } from "../../../src/data/drawings/svg.ts";
import { svgToJpeg } from "../../../src/data/encode.ts";
import { rng } from "../../../src/random.ts";

const SIDE = 24;

/** Black on white, upright: [SIDE * SIDE] of 0 to 255. */
async function silhouette(name: DrawnClass, seed: number): Promise<readonly number[]> {
  const { outline } = drawClassForm(rng(seed).fork(name), name);
  expect(outline).not.toMatch(/NaN|undefined|Infinity/);
  const form = placed(`<path d="${outline}" fill-rule="evenodd"/>`, { x: 50, y: 50, scale: 42 });
  const { data } = await decodeImage(await svgToJpeg(svgFile([], form, SIDE), { quality: 95 }));
  return Array.from({ length: SIDE * SIDE }, (_, i) => data[3 * i]!);
}

test("there are six classes, sorted, with names of one word", () => {
  expect(DRAWN_CLASSES).toEqual(["arrow", "gear", "leaf", "moon", "spiral", "star"]);
});

test("outlines differ by class: the nearest of others tells nine in ten", async () => {
  const drawn = await Promise.all(
    DRAWN_CLASSES.flatMap((name) =>
      Array.from({ length: 30 }, async (_, seed) => ({ name, pixels: await silhouette(name, seed) })),
    ),
  );
  const distance = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0);
  const right = drawn.filter(({ name, pixels }) => {
    const others = drawn.filter((other) => other.pixels !== pixels);
    const near = others.map((other) => ({ name: other.name, far: distance(pixels, other.pixels) }));
    return near.reduce((best, other) => (other.far < best.far ? other : best)).name === name;
  });
  expect(right.length / drawn.length).toBeGreaterThan(0.9);
});

test.each(DRAWN_CLASSES)("every %s is another one, and fills its radius", async (name) => {
  const outlines = Array.from({ length: 30 }, (_, seed) => drawClassForm(rng(seed), name).outline);
  expect(new Set(outlines).size).toBe(30);
  const pixels = await silhouette(name, 3);
  const dark = pixels.filter((value) => value < 128).length / pixels.length;
  expect(dark).toBeGreaterThan(0.08);
  expect(dark).toBeLessThan(0.7);
});
