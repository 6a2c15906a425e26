import { describe, expect, test } from "vitest";
import { decodeImage } from "../../../src/data/decode.ts";
import { ANIMALS } from "../../../src/data/drawings/animals.ts";
import { drawBackground, PLACES, PLAIN_BACKGROUNDS } from "../../../src/data/drawings/backgrounds.ts";
import { newBrush, type Shade, shadeFill, type Thing } from "../../../src/data/drawings/brush.ts";
import { drawCoat, paint } from "../../../src/data/drawings/coats.ts";
import { drawFinish } from "../../../src/data/drawings/finish.ts";
import { MADE } from "../../../src/data/drawings/made.ts";
import { patternFill, TILES } from "../../../src/data/drawings/patterns.ts";
import { PLANTS } from "../../../src/data/drawings/plants.ts";
import { form, LAYOUTS, sceneDrawing } from "../../../src/data/drawings/scene.ts";
import { ellipsePath, placed, svgFile } from "../../../src/data/drawings/svg.ts";
import { frayedFilter, GRAINS, noiseFilter, puffedFilter, roughFilter } from "../../../src/data/drawings/textures.ts";
import { svgToJpeg } from "../../../src/data/encode.ts";
import { rng } from "../../../src/random.ts";
import type { Image } from "../../../src/transforms/image.ts";

const SIDE = 80;

/** Draws a thing in the middle of a white picture. */
async function portrait(thing: Thing, seed: number, scale = 24): Promise<Image> {
  const brush = newBrush(rng(seed));
  const markup = placed(thing(brush), { x: 50, y: 50, scale });
  const svg = svgFile(brush.definitions, markup, SIDE);
  expect(svg).not.toMatch(/NaN|undefined|Infinity|url\(#undefined/);
  return await decodeImage(await svgToJpeg(svg, { quality: 95 }));
}

/** Share of pixels that are not white. */
function inked({ data }: Image): number {
  let count = 0;
  for (let i = 0; i < data.length; i += 3) if (Math.min(data[i]!, data[i + 1]!, data[i + 2]!) < 235) count++;
  return (3 * count) / data.length;
}

/** Standard deviation of the green channel. */
function deviation({ data }: Image): number {
  const green = Array.from({ length: data.length / 3 }, (_, i) => data[3 * i + 1]!);
  const mean = green.reduce((sum, value) => sum + value, 0) / green.length;
  return Math.sqrt(green.reduce((sum, value) => sum + (value - mean) ** 2, 0) / green.length);
}

const THINGS: Readonly<Record<string, Thing>> = { ...PLANTS, ...ANIMALS, ...MADE, form };

describe("things", () => {
  test.each(Object.keys(THINGS))("%s can be seen, and stays about within its radius", async (name) => {
    for (const seed of [11, 12, 13]) {
      const image = await portrait(THINGS[name]!, seed);
      expect(inked(image)).toBeGreaterThan(0.01);
      const border = Array.from({ length: SIDE }, (_, x) => [...image.data.subarray(3 * x, 3 * x + 3)]).flat();
      expect(Math.min(...border)).toBeGreaterThan(200); // the top row is still white
    }
  });

  test.each(Object.keys(THINGS))("%s is another one each time", (name) => {
    const markup = [1, 2, 3, 4].map((seed) => THINGS[name]!(newBrush(rng(seed))));
    expect(new Set(markup).size).toBe(4);
  });
});

describe("backgrounds", () => {
  const all = { ...PLAIN_BACKGROUNDS, ...PLACES };
  test.each(Object.keys(all) as (keyof typeof all)[])("%s covers the picture", async (name) => {
    const brush = { ...newBrush(rng(21)), lightness: [0.1, 0.4] as const };
    const svg = svgFile(brush.definitions, `<rect width="100" height="100" fill="#f0f"/>${all[name](brush)}`, SIDE);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    const { data } = await decodeImage(await svgToJpeg(svg, { quality: 95 }));
    let bare = 0;
    for (let i = 0; i < data.length; i += 3) if (data[i]! > 245 && data[i + 1]! < 12 && data[i + 2]! > 245) bare++;
    expect(bare).toBe(0);
  });

  test("places come as often as asked for", () => {
    const has = (places: number, seed: number): string => drawBackground(newBrush(rng(seed)), places);
    expect(has(0, 5)).not.toBe(has(1, 5));
  });
});

describe("surfaces", () => {
  const disc = ellipsePath([0, 0], 1);
  const filters = { noiseFilter, roughFilter, puffedFilter, frayedFilter };
  test.each(Object.keys(filters) as (keyof typeof filters)[])("%s changes how a disc looks", async (name) => {
    const plain = await portrait(() => `<path d="${disc}" fill="#888"/>`, 31);
    const look = await portrait((brush) => `<path d="${disc}" fill="#888" filter="${filters[name](brush, 1)}"/>`, 31);
    const change = look.data.reduce((sum, value, i) => sum + Math.abs(value - plain.data[i]!), 0) / look.data.length;
    expect(change).toBeGreaterThan(0.8);
    expect(inked(look)).toBeGreaterThan(0.05);
  });

  test.each(Object.keys(GRAINS) as (keyof typeof GRAINS)[])("%s has a texture", async (name) => {
    const colors: Parameters<typeof noiseFilter>[3] = [
      [0.1, 0.2, 0.1],
      [0.7, 0.6, 0.4],
      [0.2, 0.8, 0.5],
    ];
    const draw: Thing = (brush) => `<path d="${disc}" filter="${noiseFilter(brush, 1, GRAINS[name], colors)}"/>`;
    const { data, width } = await portrait(draw, 32, 45);
    const middle = Array.from(
      { length: 30 * 30 },
      (_, i) => data[3 * ((25 + Math.floor(i / 30)) * width + 25 + (i % 30)) + 1]!,
    );
    expect(Math.max(...middle) - Math.min(...middle)).toBeGreaterThan(40);
  });

  test("patterns repeat tiles of more than one kind", async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const brush = newBrush(rng(seed));
      patternFill(brush, 0.3);
      seen.add(brush.definitions.join().replace(/#[0-9a-f]{6}|-?[\d.]+/g, ""));
    }
    expect(seen.size).toBeGreaterThan(Object.keys(TILES).length / 2);
  });

  test("light falls on the side where it comes from", async () => {
    for (const shade of ["ball", "slope", "pipe"] as const satisfies readonly Shade[]) {
      const look = await portrait((brush) => {
        const fill = shadeFill({ ...brush, light: Math.PI }, shade);
        return `<path d="${disc}" fill="#888"/><path d="${disc}" fill="${fill}"/>`;
      }, 33);
      const at = (x: number): number => look.data[3 * (40 * SIDE + x) + 1]!;
      expect(at(30), shade).toBeGreaterThan(at(56) + 10);
    }
    expect(shadeFill(newBrush(rng(1)), "none")).toBeUndefined();
  });

  test("a coat can cover a form with a hole, with an edge", async () => {
    const ring = ellipsePath([0, 0], 1) + ellipsePath([0, 0], 0.6);
    const draw =
      (holes: boolean): Thing =>
      (brush) =>
        paint(brush, ring, { ...drawCoat(brush, [0.2, 0.2, 0.6]), filter: undefined }, { edge: 0.05, holes });
    const [open, closed] = [await portrait(draw(true), 34), await portrait(draw(false), 34)];
    expect(inked(open)).toBeLessThan(inked(closed) - 0.03);
  });
});

test("layouts keep the things in sight", () => {
  for (const layout of Object.values(LAYOUTS))
    for (const { x, y, scale } of layout(rng(41))) {
      expect(Math.min(x, y) + scale).toBeGreaterThan(0);
      expect(Math.max(x, y) - scale).toBeLessThan(100);
    }
});

test("a camera blurs some pictures and leaves others sharp", () => {
  const finishes = Array.from({ length: 60 }, (_, seed) => drawFinish(newBrush(rng(seed))));
  const blurred = finishes.filter(({ blur }) => blur > 0).length;
  expect(blurred).toBeGreaterThan(5);
  expect(blurred).toBeLessThan(30);
  expect(finishes.some(({ overlay }) => overlay === "")).toBe(true);
  expect(finishes.some(({ overlay }) => overlay.includes("filter"))).toBe(true);
});

test("scenes are pictures with something in them, and no two are alike", async () => {
  const drawings = Array.from({ length: 40 }, (_, i) => sceneDrawing(rng(9).fork(`${i}`), 64));
  expect(new Set(drawings.map(({ svg }) => svg)).size).toBe(40);
  const images = await Promise.all(drawings.map(async ({ svg }) => await decodeImage(await svgToJpeg(svg))));
  const spreads = images.map(deviation).sort((a, b) => a - b);
  expect(spreads[2]).toBeGreaterThan(4);
  expect(spreads[20]).toBeGreaterThan(25);
});
