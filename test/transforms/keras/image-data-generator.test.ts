import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { rng } from "../../../src/random.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import { parseAugmentation } from "../../../src/transforms/augmentation-schema.ts";
import { applyTransforms } from "../../../src/transforms/compose.ts";
import type { ImageDataGeneratorOptions } from "../../../src/transforms/keras/generator-arguments.ts";
import { imageDataGenerator } from "../../../src/transforms/keras/image-data-generator.ts";
import type { KerasTransform } from "../../../src/transforms/keras/keras-apply.ts";
import { FILL_MODES } from "../../../src/transforms/resampling/warp.ts";
import { difference, unpackedNumbers } from "../golden.ts";
import { picture } from "../picture.ts";

const size = z.tuple([z.number(), z.number()]);
const packed = { type: z.enum(["uint8", "uint16", "float32"]), data: z.string() };
const named = z.record(z.string(), z.unknown());
const golden = z
  .object({
    transforms: z.array(z.object({ size, generator: named, parameters: named, ...packed })),
    outsideBytes: z.array(z.object({ factor: z.number(), ...packed })),
    standardize: z.array(z.object({ arguments: named, images: z.number(), ...packed })),
  })
  .parse(JSON.parse(readFileSync("test/golden/transforms/keras.json", "utf8")));

/** Python's names as ours. The values are the golden file's, whose script is beside it. */
function camel<T>(record: Readonly<Record<string, unknown>>): T {
  const entries = Object.entries(record).map(([key, value]) => [
    key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  return Object.fromEntries(entries) as T;
}

describe("applyTransform equals Keras 3.15.1", () => {
  test.each(golden.transforms)("$generator $parameters of $size", (row) => {
    const generator = imageDataGenerator(camel<ImageDataGeneratorOptions>(row.generator));
    const ours = generator.applyTransform(picture(...row.size), camel<Partial<KerasTransform>>(row.parameters));
    const { most, mean } = difference(ours.data, unpackedNumbers(row.type, row.data));
    expect(most).toBeLessThanOrEqual(0.005); // grey levels; the file has 128ths
    expect(mean).toBeLessThanOrEqual(0.002);
  });

  test("every fill mode has rows for rotation, shift, shear, zoom and all together", () => {
    for (const fill of FILL_MODES) {
      const rows = golden.transforms.filter(({ generator }) => generator["fill_mode"] === fill);
      for (const parameter of ["theta", "tx", "ty", "shear", "zx", "zy"]) {
        expect(rows.some(({ parameters }) => parameter in parameters)).toBe(true);
      }
      expect(rows.length).toBe(11);
    }
  });

  test.each(golden.outsideBytes)("brightness $factor of values outside 0 to 255", ({ factor, type, data }) => {
    const generator = imageDataGenerator();
    const wide = float32(
      [7, 9, 3],
      generator.applyTransform(picture(9, 7), {}).data.map((value) => value * 2 - 100),
    );
    expect(
      difference(generator.applyTransform(wide, { brightness: factor }).data, unpackedNumbers(type, data)).most,
    ).toBeLessThan(1e-4);
  });
});

describe("standardize equals Keras 3.15.1 after fit", () => {
  /** The images of make_keras.py: the picture rolled down and, flipped and scaled, rolled to the right. */
  const images = Array.from({ length: 90 }, (_, k) => {
    const { data } = picture(5, 4);
    const at = (row: number, column: number, channel: number) =>
      data[(((row + 400) % 4) * 5 + ((column + 500) % 5)) * 3 + channel]!;
    const values = Float32Array.from({ length: 60 }, (_, i) => {
      const [row, column, channel] = [Math.floor(i / 15), Math.floor(i / 3) % 5, i % 3];
      return at(row - k, column, channel) + ((k * k) % 17) + at(3 - row, column - k, channel) * (k % 5);
    });
    return float32([4, 5, 3], values);
  });

  test.each(golden.standardize)("$arguments", (row) => {
    const generator = imageDataGenerator(camel<ImageDataGeneratorOptions>(row.arguments));
    generator.fit(images);
    const theirs = unpackedNumbers(row.type, row.data);
    const span = Math.max(...theirs.map(Math.abs));
    expect(difference(generator.standardize(images[7]!).data, theirs).most).toBeLessThan(span * 2e-4);
  });

  test("leaves its argument alone", () => {
    const before = images[7]!.data.slice();
    imageDataGenerator({
      rescale: 0.5,
      samplewiseCenter: true,
      preprocessingFunction: (x) => float32(x.shape, x.data.fill(1)),
    }).standardize(images[7]!);
    expect(images[7]!.data).toEqual(before);
  });

  test("calls the preprocessing function before rescaling", () => {
    const generator = imageDataGenerator({
      rescale: 2,
      preprocessingFunction: (x) =>
        float32(
          x.shape,
          x.data.map(() => 5),
        ),
    });
    expect(new Set(generator.standardize(images[0]!).data)).toEqual(new Set([10]));
  });

  test("fits on transformed copies, the same for the same seed", () => {
    const fitted = (seed: number, rounds: number) => {
      const generator = imageDataGenerator({ featurewiseCenter: true, brightnessRange: [0.2, 0.6] });
      generator.fit(images.slice(0, 5), { augment: true, seed, rounds });
      return generator.standardize(images[0]!).data;
    };
    expect(fitted(1, 1)).toEqual(fitted(1, 1));
    expect(fitted(1, 1)).not.toEqual(fitted(2, 1));
    expect(fitted(1, 2)).not.toEqual(fitted(1, 1));
  });

  test("asks for fit, and for images of one size", () => {
    const generator = imageDataGenerator({ featurewiseCenter: true });
    expect(() => generator.standardize(images[0]!)).toThrow(/was not fitted. Call fit first/);
    expect(() => generator.fit([])).toThrow(/at least one, got 0 images/);
    expect(() => generator.fit([picture(4, 5), picture(5, 4)])).toThrow(/got 2 images of 4x5x3, 5x4x3/);
    const whitening = imageDataGenerator({ zcaWhitening: true });
    whitening.fit([picture(4, 4), picture(4, 4)]);
    expect(() => whitening.standardize(picture(5, 4))).toThrow(/fitted to images of another size/);
  });
});

describe("getRandomTransform", () => {
  const square = { width: 100, height: 50 };
  const draws = (options: ImageDataGeneratorOptions) =>
    Array.from({ length: 300 }, (_, seed) => imageDataGenerator(options).getRandomTransform(square, seed));
  const ends = (values: readonly (number | undefined)[]) => [
    Math.min(...values.map(Number)),
    Math.max(...values.map(Number)),
  ];

  test("without ranges changes nothing", () => {
    const nothing = { theta: 0, tx: 0, ty: 0, shear: 0, zx: 1, zy: 1, flipHorizontal: false, flipVertical: false };
    expect(imageDataGenerator().getRandomTransform(square, 1)).toEqual(nothing);
  });

  test.each<[ImageDataGeneratorOptions, keyof KerasTransform, number, number]>([
    [{ rotationRange: 40 }, "theta", -40, 40],
    [{ widthShiftRange: 0.2 }, "tx", -20, 20], // a fraction of the width
    [{ heightShiftRange: 0.2 }, "ty", -10, 10],
    [{ widthShiftRange: 7.5 }, "tx", -7.5, 7.5], // pixels
    [{ shearRange: 15 }, "shear", -15, 15],
    [{ zoomRange: 0.3 }, "zx", 0.7, 1.3],
    [{ zoomRange: [0.5, 0.9] }, "zy", 0.5, 0.9],
    [{ channelShiftRange: 30 }, "channelShiftIntensity", -30, 30],
    [{ brightnessRange: [0.5, 1.5] }, "brightness", 0.5, 1.5],
  ])("%o draws %s from %f to %f, uniformly", (options, parameter, low, high) => {
    const values = draws(options).map((drawn) => Number(drawn[parameter]));
    const [least, most] = ends(values) as [number, number];
    expect(least).toBeGreaterThanOrEqual(low);
    expect(most).toBeLessThanOrEqual(high);
    expect(least).toBeLessThan(low + (high - low) * 0.05);
    expect(most).toBeGreaterThan(high - (high - low) * 0.05);
    const below = values.filter((value) => value < (low + high) / 2).length;
    expect(Math.abs(below - 150)).toBeLessThan(45); // five deviations
  });

  test("whole numbers and lists of shifts are chosen from, to both sides, as in Keras", () => {
    const seen = (options: ImageDataGeneratorOptions, key: "tx" | "ty") =>
      new Set(draws(options).map((drawn) => Math.abs(drawn[key])));
    expect([...seen({ widthShiftRange: 4 }, "tx")].toSorted()).toEqual([0, 1, 2, 3]);
    expect([...seen({ heightShiftRange: [2, 9] }, "ty")].toSorted()).toEqual([2, 9]);
    expect([...seen({ heightShiftRange: [0.1, 0.5] }, "ty")].toSorted((a, b) => a - b)).toEqual([5, 25]);
    expect(ends(draws({ heightShiftRange: [2, 9] }).map(({ ty }) => ty))).toEqual([-9, 9]);
  });

  test("flips half of the images, and one argument does not move the draws of another", () => {
    const flipped = draws({ horizontalFlip: true, verticalFlip: true });
    for (const key of ["flipHorizontal", "flipVertical"] as const) {
      expect(Math.abs(flipped.filter((drawn) => drawn[key]).length - 150)).toBeLessThan(45);
    }
    const both = draws({ rotationRange: 20, zoomRange: 0.2, horizontalFlip: true });
    expect(both.map(({ theta }) => theta)).toEqual(draws({ rotationRange: 20 }).map(({ theta }) => theta));
  });

  test("widthShiftRange moves the picture horizontally", () => {
    const generator = imageDataGenerator({ widthShiftRange: [2], fillMode: "constant" });
    const dot = picture(7, 5);
    dot.data.fill(0);
    dot.data.fill(255, (2 * 7 + 3) * 3, (2 * 7 + 3) * 3 + 3);
    const { data } = generator.randomTransform(dot, 1);
    const [at] = [...data.keys()].filter((i) => data[i] === 255);
    expect(Math.floor(at! / 3 / 7)).toBe(2); // the same row
    expect([1, 5]).toContain(Math.floor(at! / 3) % 7);
    const trained = applyTransforms({ image: dot }, generator.augmentation.transforms, rng(1)).image;
    const [pixel] = [...trained.data.keys()].filter((i) => trained.data[i] === 255);
    expect(Math.floor(pixel! / 3 / 7)).toBe(2);
  });
});

describe("augmentation", () => {
  test("lists what training can do, in Keras's order, JSON-safe and accepted by the parser", () => {
    const { augmentation, notes } = imageDataGenerator({
      rescale: 1 / 255,
      rotationRange: 40,
      widthShiftRange: 0.2,
      heightShiftRange: 0.2,
      shearRange: 0.2,
      zoomRange: 0.2,
      horizontalFlip: true,
      channelShiftRange: 10,
      brightnessRange: [0.8, 1.2],
      fillMode: "nearest",
    });
    expect(augmentation.transforms.map(({ name }) => name)).toEqual([
      "keras-affine",
      "horizontal-flip",
      "channel-shift",
      "brightness",
    ]);
    expect(parseAugmentation(JSON.parse(JSON.stringify(augmentation)))).toEqual(augmentation);
    expect(notes.filter((note) => note.includes("rescale")).length).toBe(1);
    expect(notes.filter((note) => note.includes("channel shift")).length).toBe(1);
  });

  test("without random arguments is empty", () => {
    expect(imageDataGenerator({ rescale: 1 / 255 }).augmentation.transforms).toEqual([]);
  });

  test("makes the same maps as applyTransform, within rounding to 8 bits", () => {
    const image = picture(30, 30);
    const generator = imageDataGenerator({
      rotationRange: 30,
      zoomRange: 0.2,
      shearRange: 10,
      widthShiftRange: 0.1,
      fillMode: "reflect",
    });
    for (let seed = 0; seed < 10; seed++) {
      // The first transform of a list draws from fork "0".
      const trained = applyTransforms({ image }, generator.augmentation.transforms, rng(seed)).image;
      const { most } = difference(trained.data, generator.randomTransform(image, rng(seed).fork("0")).data);
      expect(most).toBeLessThanOrEqual(0.75);
    }
  });

  test("names what acts in standardize only, and what switches what", () => {
    const { notes } = imageDataGenerator({
      zcaWhitening: true,
      featurewiseStdNormalization: true,
      samplewiseStdNormalization: true,
      preprocessingFunction: (x) => x,
      fillMode: "wrap",
    });
    for (const part of [
      /ZCA act in standardize only/,
      /preprocessingFunction is code/,
      /switches featurewiseCenter on/,
      /featurewiseStdNormalization off/,
      /samplewiseCenter on/,
      /wrap tiles/,
    ]) {
      expect(notes.some((note) => part.test(note))).toBe(true);
    }
  });
});

test.each<[ImageDataGeneratorOptions, RegExp]>([
  [{ rotationRange: -1 }, /rotationRange requires degrees from 0, got -1/],
  [{ zoomRange: 1 }, /zoomRange requires/],
  [{ zoomRange: [1.2, 0.8] }, /zoomRange requires/],
  [{ widthShiftRange: Number.NaN }, /widthShiftRange requires a finite number/],
  [{ brightnessRange: [-1, 2] }, /brightnessRange requires/],
  [{ validationSplit: 1 }, /validationSplit requires a share from 0 to below 1, got 1/],
  [{ channelShiftRange: -3 }, /channelShiftRange requires at least 0/],
  [{ rescale: Number.POSITIVE_INFINITY }, /rescale requires a finite factor/],
])("refuses %o", (options, message) => {
  expect(() => imageDataGenerator(options)).toThrow(message);
});

test("refuses arguments that only JavaScript lets through, and images of other shapes", () => {
  const odd = (options: object) => () => imageDataGenerator(options);
  expect(odd({ fillMode: "mirror" })).toThrow(/fillMode requires one of constant, nearest, reflect, wrap, got mirror/);
  expect(odd({ interpolationOrder: 3 })).toThrow(/interpolationOrder requires 0 or 1, got 3/);
  expect(odd({ dtype: "float16" })).toThrow(/dtype requires "float32"/);
  expect(odd({ dataFormat: "NCHW" })).toThrow(/dataFormat requires "channels_last" or "channels_first"/);
  const generator = imageDataGenerator();
  expect(() => generator.standardize(float32([2, 2], [1, 2, 3, 4]))).toThrow(
    /shape \[h, w, c\] with 1, 3 or 4 channels, got \[2,2\]/,
  );
  expect(() => generator.applyTransform(float32([3, 2, 2], new Float32Array(12)), {})).toThrow(/See dataFormat/);
  expect(() => generator.applyTransform(picture(3, 3), { theta: Number.NaN })).toThrow(/finite parameters/);
});

test.each<[unknown, RegExp]>([
  [{ rotation_range: 20 }, /imageDataGenerator has no option "rotation_range"\. Did you mean rotationRange\?/],
  [{ horizontalflip: true, zoom: 1 }, /Did you mean horizontalFlip or zoomRange\?/],
  [{ batchSize: 3 }, /It takes featurewiseCenter, .*dtype\./],
  ["light", /requires an object of options, got "light"/],
])("the arguments %j are refused", (options, message) => {
  expect(() => imageDataGenerator(options as ImageDataGeneratorOptions)).toThrow(message);
});
