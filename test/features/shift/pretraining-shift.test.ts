import { expect, test } from "vitest";
import { confidenceShift, normalizationShift } from "../../../src/features/shift/pretraining-shift.ts";
import { rng } from "../../../src/random.ts";

const layer = (channels: number) => ({
  node: "norm",
  variance: new Float32Array(channels).fill(1),
  epsilon: 1e-5,
});

/** Moments of images whose channels have this mean and deviation, and whose own means scatter by `scatter`. */
function moments(images: number, channels: number, { mean = 0, deviation = 1, scatter = 0 }): Float32Array {
  const random = rng(`${images} ${mean}`);
  return Float32Array.from({ length: images }, () => 0).reduce(
    (rows, _, i) => {
      for (let c = 0; c < channels; c++) {
        const own = mean + scatter * random.normal();
        rows[i * 2 * channels + c] = own;
        rows[i * 2 * channels + channels + c] = own ** 2 + deviation ** 2 - scatter ** 2;
      }
      return rows;
    },
    new Float32Array(images * 2 * channels),
  );
}

test("the distance combines the differences of means and of deviations", () => {
  const shift = (options: Parameters<typeof moments>[2]) => normalizationShift(moments(20, 6, options), [layer(6)])!;
  expect(shift({}).distance).toBeCloseTo(0, 5);
  expect(shift({ mean: 0.3 }).distance).toBeCloseTo(0.3, 5);
  expect(shift({ deviation: 0.5 }).distance).toBeCloseTo(0.5, 5);
  expect(shift({ mean: 0.3, deviation: 1.4 }).distance).toBeCloseTo(0.5, 5);
  expect(shift({ deviation: 0.5 }).contrast).toBeCloseTo(0.25, 5);
});

test("few images are not taken for a shift because they scatter", () => {
  const few = normalizationShift(moments(8, 200, { scatter: 0.6 }), [layer(200)])!;
  expect(few.meanDifference).toBeGreaterThan(0.1); // as measured
  expect(few.distance).toBeLessThan(0.15);
});

test("channels that never varied do not count", () => {
  const rows = moments(10, 4, { mean: 0.2 });
  for (let i = 0; i < 10; i++) rows[i * 8 + 3] = 1e6;
  const variance = Float32Array.of(1, 1, 1, 0);
  expect(normalizationShift(rows, [{ ...layer(4), variance }])!.distance).toBeCloseTo(0.2, 4);
  expect(normalizationShift(rows, [{ ...layer(4), variance: new Float32Array(4) }])).toBeUndefined();
});

test("the farthest image has the largest distance of its own", () => {
  const rows = moments(10, 4, {});
  for (let c = 0; c < 4; c++) rows[6 * 8 + c] = 2;
  const { perImage } = normalizationShift(rows, [layer(4)])!;
  expect(perImage.indexOf(Math.max(...perImage))).toBe(6);
});

test("fewer than 8 images tell nothing", () => {
  expect(normalizationShift(moments(7, 4, {}), [layer(4)])).toBeUndefined();
  expect(confidenceShift(new Float32Array(70), 10)).toBeUndefined();
});

/** Logits of images that are each of one class for sure. */
const sure = (classes: readonly number[], numClasses: number, height = 20) =>
  Float32Array.from(
    classes.flatMap((label) => Array.from({ length: numClasses }, (_, j) => (j === label ? height : 0))),
  );

test("diversity counts the kinds of images that a classifier tells apart", () => {
  expect(confidenceShift(sure([0, 1, 2, 3, 0, 1, 2, 3], 10), 10)!.diversity).toBeCloseTo(4, 3);
  expect(confidenceShift(sure(new Array(8).fill(5), 10), 10)!.diversity).toBeCloseTo(1, 5);
  const undecided = confidenceShift(new Float32Array(80), 10)!;
  expect([undecided.diversity, undecided.confidence]).toEqual([1, expect.closeTo(0.1, 6)]);
});

test("probabilities are taken as they are, and have no spread", () => {
  const logits = sure([0, 1, 2, 3, 0, 1, 2, 3], 4, 2);
  const probabilities = logits.map((value) => Math.exp(value) / (Math.exp(2) + 3));
  const [a, b] = [confidenceShift(logits, 4)!, confidenceShift(probabilities, 4)!];
  expect(b.diversity).toBeCloseTo(a.diversity, 5);
  expect(b.confidence).toBeCloseTo(a.confidence, 5);
  expect(a.spread).toBeCloseTo(2 * Math.sqrt(3 / 16), 5);
  expect(b.spread).toBeUndefined();
});
