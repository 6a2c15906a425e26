import { beforeAll, expect, test } from "vitest";
import { decodeImage } from "../../../src/data/decode.ts";
import { DRAWN_CLASSES } from "../../../src/data/drawings/class-forms.ts";
import { exampleDrawing } from "../../../src/data/drawings/example.ts";
import { svgToJpeg } from "../../../src/data/encode.ts";
import { rng } from "../../../src/random.ts";
import type { Image } from "../../../src/transforms/image.ts";

const PER_CLASS = 80;

interface Labelled {
  readonly label: number;
  readonly image: Image;
}

let drawn: readonly Labelled[] = [];

beforeAll(async () => {
  const jobs = DRAWN_CLASSES.flatMap((name, label) =>
    Array.from({ length: PER_CLASS }, async (_, index): Promise<Labelled> => {
      const { svg } = exampleDrawing(rng(77).fork(`${name}/${index}`), name, 64);
      return { label, image: await decodeImage(await svgToJpeg(svg, { quality: 90 })) };
    }),
  );
  drawn = await Promise.all(jobs);
}, 120_000);

/** Mean and standard deviation of each channel, and shares of 4 x 4 x 4 colors. */
function colorFeatures({ data }: Image): readonly number[] {
  const count = data.length / 3;
  const shares = new Array<number>(64).fill(0);
  const [sums, squares] = [
    [0, 0, 0],
    [0, 0, 0],
  ];
  for (let i = 0; i < data.length; i += 3) {
    let cell = 0;
    for (let c = 0; c < 3; c++) {
      const value = data[i + c]!;
      sums[c]! += value;
      squares[c]! += value * value;
      cell = 4 * cell + (value >> 6);
    }
    shares[cell]! += 1 / count;
  }
  const deviations = sums.map((sum, c) => Math.sqrt(squares[c]! / count - (sum / count) ** 2));
  return [...sums.map((sum) => sum / count), ...deviations, ...shares];
}

/** Accuracy on the second half of each class of the nearest centroid of standardized features of the first half. */
function centroidAccuracy(
  samples: readonly { readonly label: number; readonly features: readonly number[] }[],
): number {
  const isTrain = (i: number): boolean => i % PER_CLASS < PER_CLASS / 2;
  const train = samples.filter((_, i) => isTrain(i));
  const width = samples[0]!.features.length;
  const axes = Array.from({ length: width }, (_, k) => {
    const mean = train.reduce((sum, { features }) => sum + features[k]!, 0) / train.length;
    const variance = train.reduce((sum, { features }) => sum + (features[k]! - mean) ** 2, 0) / train.length;
    return { mean, scale: 1 / Math.sqrt(variance + 1e-12) };
  });
  const standard = (features: readonly number[]): number[] =>
    features.map((value, k) => (value - axes[k]!.mean) * axes[k]!.scale);
  const centroids = DRAWN_CLASSES.map((_, label) => {
    const own = train.filter((sample) => sample.label === label).map(({ features }) => standard(features));
    return Array.from({ length: width }, (_, k) => own.reduce((sum, row) => sum + row[k]!, 0) / own.length);
  });
  const test = samples.filter((_, i) => !isTrain(i));
  const right = test.filter(({ label, features }) => {
    const row = standard(features);
    const far = centroids.map((center) => center.reduce((sum, value, k) => sum + (value - row[k]!) ** 2, 0));
    return far.indexOf(Math.min(...far)) === label;
  });
  return right.length / test.length;
}

test("classes cannot be told by color", () => {
  const accuracy = centroidAccuracy(drawn.map(({ label, image }) => ({ label, features: colorFeatures(image) })));
  expect(accuracy).toBeLessThan(0.3); // chance is 0.17, with a standard deviation of 0.024
});

test("the same measure finds a difference in color where there is one", () => {
  const accuracy = centroidAccuracy(
    drawn.map(({ label, image }) => {
      const data = image.data.map((value, i) => (i % 3 === label % 3 ? value / (label < 3 ? 2 : 4) : value));
      return { label, features: colorFeatures({ ...image, data }) };
    }),
  );
  expect(accuracy).toBeGreaterThan(0.6);
});

test("the form stands out from what is behind it, light on dark as often as dark on light", () => {
  const brighter = drawn.filter(({ image: { data, width, height } }) => {
    const corners = [0, width - 1, (height - 1) * width, height * width - 1].map((i) => data[3 * i + 1]!);
    return corners.reduce((sum, value) => sum + value, 0) / 4 > 110;
  });
  expect(brighter.length / drawn.length).toBeGreaterThan(0.3);
  expect(brighter.length / drawn.length).toBeLessThan(0.7);
});
