/** Every geometric transform: against torchvision where it has the same one, and the properties that all share. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { rng } from "../../../src/random.ts";
import { applyTransforms } from "../../../src/transforms/compose.ts";
import { affine, rotate, shear, shift, zoom } from "../../../src/transforms/geometric/affine.ts";
import { centerCrop, randomCrop, randomResizedCrop, resizePicture } from "../../../src/transforms/geometric/crop.ts";
import { horizontalFlip, verticalFlip } from "../../../src/transforms/geometric/flip.ts";
import {
  GEOMETRIC,
  type GeometricName,
  type GeometricSpec,
} from "../../../src/transforms/geometric/geometric-table.ts";
import { perspective, perspectiveMatrix } from "../../../src/transforms/geometric/perspective.ts";
import type { Image } from "../../../src/transforms/image.ts";
import { resize } from "../../../src/transforms/resampling/resize.ts";
import { warp } from "../../../src/transforms/resampling/warp.ts";
import { difference, unpacked } from "../golden.ts";
import { picture } from "../picture.ts";

type Pair = readonly [number, number];
const same = (value: number): Pair => [value, value];
const pair = z.tuple([z.number(), z.number()]);
const corners = z.tuple([pair, pair, pair, pair]);
const interpolation = z.enum(["nearest", "bilinear"]);
const filter = z.enum(["nearest", "bilinear", "bicubic"]);
const color = z.union([z.number(), z.tuple([z.number(), z.number(), z.number()])]);

const regionRow = z.object({ size: pair, scale: pair });
const golden = z
  .object({
    cases: z.array(
      z.object({
        name: z.string(),
        from: pair,
        options: z.record(z.string(), z.unknown()),
        width: z.number(),
        height: z.number(),
        pixels: z.string().optional(),
        sha256: z.string().optional(),
      }),
    ),
    regions: z.array(
      z.union([
        regionRow.extend({ fallback: z.tuple([z.number(), z.number(), z.number(), z.number()]) }),
        regionRow.extend({
          means: z.record(z.string(), z.number()),
          deviations: z.record(z.string(), z.number()),
        }),
      ]),
    ),
  })
  .parse(JSON.parse(readFileSync("test/golden/transforms/torchvision.json", "utf8")));

const still = rng(0);

/** Our result for the options that make_torchvision.py writes. */
const OURS: { readonly [name: string]: (image: Image, options: unknown) => Image } = {
  rotate: (image, options) => {
    const given = z.object({ degrees: z.number(), interpolation, value: color }).parse(options);
    return rotate({ image }, { ...given, degrees: same(given.degrees) }, still).image;
  },
  affine: (image, options) => {
    const {
      degrees,
      shift: [x, y],
      zoom: factor,
      shear: lean,
      interpolation: how,
    } = z.object({ degrees: z.number(), shift: pair, zoom: z.number(), shear: pair, interpolation }).parse(options);
    const spec = {
      degrees: same(degrees),
      shift: [same(x / image.width), same(y / image.height)] as const,
      zoom: same(factor),
      shear: [same(lean[0]), same(lean[1])] as const,
      interpolation: how,
    };
    return affine({ image }, spec, still).image;
  },
  perspective: (image, options) => {
    const given = z.object({ from: corners, to: corners, interpolation }).parse(options);
    return warp(image, perspectiveMatrix(given.from, given.to), given);
  },
  "random-resized-crop": (image, options) => {
    const given = z.object({ region: z.array(z.number()), size: pair, interpolation: filter }).parse(options);
    const [left, top, width, height] = given.region;
    const source = { left: left!, top: top!, width: width!, height: height! };
    return resize(image, { width: given.size[0], height: given.size[1], interpolation: given.interpolation, source });
  },
  resize: (image, options) =>
    resizePicture({ image }, z.object({ interpolation: filter }).loose().parse(options), still).image,
  "center-crop": (image, options) =>
    centerCrop({ image }, z.object({ width: z.number(), height: z.number() }).parse(options), still).image,
  "random-crop": (image, options) => {
    const fill = z.enum(["constant", "nearest", "reflect"]);
    const shape = z.object({ padding: pair, fill, value: z.number(), width: z.number(), height: z.number() });
    return randomCrop({ image }, shape.parse(options), still).image;
  },
  "horizontal-flip": (image) => horizontalFlip({ image }, { probability: 1 }, still).image,
  "vertical-flip": (image) => verticalFlip({ image }, { probability: 1 }, still).image,
};

describe("torchvision 0.29 on PIL images", () => {
  test.each(golden.cases)("$name $options of $from", ({ name, from, options, width, height, pixels, sha256 }) => {
    const ours = OURS[name]!(picture(...from), options);
    expect([ours.width, ours.height]).toEqual([width, height]);
    if (sha256 !== undefined) {
      expect(createHash("sha256").update(ours.data).digest("hex")).toBe(sha256);
      return;
    }
    const { most, mean, share } = difference(ours.data, unpacked(pixels!));
    if (name === "random-resized-crop") {
      expect(most).toBeLessThanOrEqual(1); // Pillow from 12 on may resize down before across, which rounds differently
      expect(mean).toBeLessThanOrEqual(0.1);
    } else if (options["interpolation"] === "nearest") {
      expect(share).toBeLessThanOrEqual(0.005); // a position on the edge between two pixels
    } else {
      expect(most).toBeLessThanOrEqual(1); // Pillow truncates, we round
      expect(mean).toBeLessThanOrEqual(0.5);
    }
  });

  test("rows of every transform that both have", () => {
    const ofKeras: readonly string[] = ["keras-affine"];
    const parts: readonly string[] = ["shift", "shear", "zoom"]; // rows of affine have each alone; compared below
    const names = Object.keys(GEOMETRIC).filter((name) => ![...ofKeras, ...parts].includes(name));
    expect([...new Set(golden.cases.map(({ name }) => name))].toSorted()).toEqual(names.toSorted());
  });

  test("shift, shear and zoom are what affine does with the same numbers", () => {
    const image = picture(24, 18);
    const byAffine = (options: Parameters<typeof affine>[1]) => affine({ image }, options, still);
    expect(shift({ image }, { x: same(0.1), y: same(-0.2) }, still)).toEqual(
      byAffine({ shift: [same(0.1), same(-0.2)] }),
    );
    expect(shift({ image }, { x: same(2.4), y: same(-3.6), unit: "pixels" }, still)).toEqual(
      byAffine({ shift: [same(0.1), same(-0.2)] }),
    );
    expect(shear({ image }, { x: same(10), y: same(-20) }, still)).toEqual(byAffine({ shear: [same(10), same(-20)] }));
    expect(zoom({ image }, { factor: same(1.25) }, still)).toEqual(byAffine({ zoom: same(1.25) }));
  });
});

describe("random-resized-crop draws its region as torchvision", () => {
  /** Where a region was, from a box of the whole picture. */
  function region([width, height]: Pair, scale: Pair, seed: number) {
    const image = { width, height, data: new Uint8Array(width * height * 3) };
    const boxes = [{ left: 0, top: 0, right: width, bottom: height, label: 0 }];
    const keypoints = [
      { x: 0, y: 0 },
      { x: width, y: height },
    ];
    const moved = randomResizedCrop(
      { image, boxes, keypoints },
      { scale, width: 10, height: 10, interpolation: "nearest" },
      rng(seed),
    );
    const [a, b] = [moved.keypoints![0]!, moved.keypoints![1]!];
    const [w, h] = [(width * 10) / (b.x - a.x), (height * 10) / (b.y - a.y)];
    return { left: (-a.x * w) / 10, top: (-a.y * h) / 10, width: w, height: h };
  }

  const fallbacks = golden.regions.filter((row) => "fallback" in row);
  test.each(fallbacks)("the middle of $size, which has no region of an allowed shape", ({ size, scale, fallback }) => {
    const { left, top, width, height } = region(size, scale, 1);
    for (const [i, value] of [left, top, width, height].entries()) expect(value).toBeCloseTo(fallback[i]!, 6);
  });

  const distributions = golden.regions.filter((row) => "means" in row);
  test.each(distributions)("in distribution, $size", ({ size, scale, means, deviations }) => {
    const draws = Array.from({ length: 2000 }, (_, seed) => region(size, scale, seed));
    for (const key of ["left", "top", "width", "height", "area"] as const) {
      const values = draws.map((draw) => (key === "area" ? draw.width * draw.height : draw[key]));
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      // Five standard errors of 2,000 draws.
      expect(Math.abs(mean - means[key]!)).toBeLessThan((5 * deviations[key]!) / Math.sqrt(2000));
    }
  });
});

/** One row for each transform, with options that change the picture for every seed. */
const ROWS: { readonly [Name in GeometricName]: GeometricSpec & { readonly name: Name } } = {
  resize: { name: "resize", width: 20, height: 15 },
  "center-crop": { name: "center-crop", width: 20, height: 15 },
  "random-crop": { name: "random-crop", width: 20, height: 15 },
  "random-resized-crop": { name: "random-resized-crop", scale: [0.1, 0.5], width: 20, height: 15 },
  "horizontal-flip": { name: "horizontal-flip", probability: 1 },
  "vertical-flip": { name: "vertical-flip", probability: 1 },
  rotate: { name: "rotate", degrees: [10, 60] },
  shift: { name: "shift", x: [0.1, 0.4], y: 0.2 },
  shear: { name: "shear", x: [5, 30], y: 10 },
  zoom: { name: "zoom", factor: [1.2, 2] },
  affine: { name: "affine", degrees: [10, 60], shift: [0.1, 0.1], zoom: 0.2, shear: [10, 10] },
  perspective: { name: "perspective", distortion: 0.8, probability: 1 },
  "keras-affine": {
    name: "keras-affine",
    rotationRange: 40,
    widthShiftRange: 0.2,
    shearRange: 10,
    zoomRange: [1.2, 1.5],
  },
};

const random: readonly string[] = Object.keys(ROWS).filter(
  (name) => !["resize", "center-crop"].includes(name) && !name.endsWith("flip"),
);

describe.each(Object.values(ROWS))("$name", (spec) => {
  const image = picture(40, 30);
  const copy = picture(40, 30);
  const run = (seed: number, options: object = {}) =>
    applyTransforms({ image }, [{ ...spec, ...options }], rng(seed)).image;

  test("gives the same pixels for the same seed, and leaves its input alone", () => {
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(image);
    expect(image).toEqual(copy);
  });

  test("gives other pixels for another seed, if it is random", () => {
    const results = new Set([1, 2, 3, 4, 5, 6].map((seed) => Buffer.from(run(seed).data).toString("base64")));
    if (random.includes(spec.name)) expect(results.size).toBeGreaterThan(4);
    else expect(results.size).toBe(1);
  });

  test("with probability 0 returns the same image object, with probability 1 always acts", () => {
    if (!PROBABLE.includes(spec.name)) return;
    for (let seed = 0; seed < 40; seed++) {
      expect(run(seed, { probability: 0 })).toBe(image);
      expect(run(seed, { probability: 1 })).not.toEqual(image);
    }
    const hits = Array.from({ length: 400 }, (_, seed) => run(seed, { probability: 0.3 }) !== image).filter(Boolean);
    expect(hits.length).toBeGreaterThan(80);
    expect(hits.length).toBeLessThan(160);
  });
});

/** The transforms that take a probability: those that keep the size, except Keras's, which has none. */
const PROBABLE: readonly string[] = [
  "horizontal-flip",
  "vertical-flip",
  "rotate",
  "shift",
  "shear",
  "zoom",
  "affine",
  "perspective",
];

test("the table has a row here for every name", () => {
  expect(Object.keys(ROWS)).toEqual(Object.keys(GEOMETRIC));
});

describe("options that cannot be used are refused where they are", () => {
  const image = picture(8, 8);
  test.each<[GeometricSpec, RegExp]>([
    [{ name: "rotate", degrees: [20, -20] }, /rotate's degrees requires .* got \[20,-20\]/],
    [{ name: "rotate", degrees: Number.NaN }, /rotate's degrees/],
    [{ name: "rotate", degrees: 5, probability: 2 }, /probability in \[0, 1\], got 2/],
    [{ name: "rotate", degrees: 5, value: 300 }, /rotate's value requires a grey level from 0 to 255/],
    [{ name: "shear", x: 90 }, /shear's x .* from -89 to 89/],
    [{ name: "zoom", factor: [0, 1] }, /zoom's factor .* from 0.01 to 100/],
    [{ name: "zoom", factor: 1 }, /zoom's factor/],
    [{ name: "affine", zoom: [2, 1] }, /affine's zoom/],
    [{ name: "perspective", distortion: 1.5 }, /distortion requires a fraction/],
    [{ name: "resize", width: 0 }, /resize's width requires 1 to 8192/],
    [{ name: "resize", shorterSide: 5, width: 5 }, /a shorterSide or a width and height, got both/],
    [{ name: "random-crop", width: 20, padIfNeeded: false }, /random-crop requires 20 pixels or padIfNeeded, got 8/],
    [{ name: "random-crop", padding: -1 }, /padding requires 0 to 8192/],
    [{ name: "random-resized-crop", scale: [0, 1] }, /scale/],
    [{ name: "keras-affine", zoomRange: 1 }, /zoomRange/],
    [{ name: "keras-affine", widthShiftRange: [] }, /widthShiftRange requires a finite number or a list/],
  ])("%o", (spec, message) => {
    expect(() => applyTransforms({ image }, [spec], rng(0))).toThrow(message);
  });
});

test("a perspective with distortion 1 still has an inverse, and every corner moves inwards", () => {
  const image = picture(20, 16);
  for (let seed = 0; seed < 200; seed++) {
    const keypoints = [
      { x: 0, y: 0 },
      { x: 20, y: 16 },
    ];
    const moved = perspective({ image, keypoints }, { distortion: 1, probability: 1 }, rng(seed)).keypoints!;
    expect(moved[0]!.x).toBeGreaterThanOrEqual(-1e-9);
    expect(moved[0]!.x).toBeLessThanOrEqual(10);
    expect(moved[1]!.y).toBeGreaterThanOrEqual(8);
    expect(moved[1]!.y).toBeLessThanOrEqual(16 + 1e-9);
  }
});

test("corners on one line are refused", () => {
  const square = [
    [0, 0],
    [9, 0],
    [9, 9],
    [0, 9],
  ] as const;
  expect(() =>
    perspectiveMatrix(square, [
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 3],
    ]),
  ).toThrow(/not on one line/);
});
