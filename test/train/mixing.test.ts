import { describe, expect, test } from "vitest";
import { crossEntropy } from "../../src/losses/cross-entropy.ts";
import { classTargets, selectTargets, type Targets, totalWeight } from "../../src/losses/targets.ts";
import { HEAD } from "../../src/models/head.ts";
import { rng } from "../../src/random.ts";
import { batchMixer } from "../../src/train/mixing.ts";
import { cutMix, mixup } from "../../src/transforms/mix.ts";
import { CLASSES, clusters, headStep, WIDTH } from "./made.ts";

const sampleShape = [2, 4, 5];
const samples = Float32Array.from({ length: 120 }, (_, i) => i);
const labels = classTargets([0, 2, 1]);
const oneHot = Float32Array.of(1, 0, 0, 0, 0, 1, 0, 1, 0);
const both = { mixup: 0.4, cutMix: 1, sampleShape, numClasses: 3 };

describe("a batch is mixed", () => {
  test("as mixup does, targets of one label made soft", () => {
    const mix = batchMixer({ mixup: 0.4, sampleShape, numClasses: 3 });
    const mixed = mix(samples, labels, rng(5));
    const wanted = mixup({ count: 3, inputs: samples, targets: oneHot }, { alpha: 0.4 }, rng(5));
    expect(mixed).toEqual({
      samples: wanted.inputs,
      targets: { task: "single-label", values: wanted.targets, width: 3 },
    });
    expect(wanted.lambda).toBeLessThan(1);
  });

  test.each([
    ["NCHW", [2, 4, 5]],
    ["NHWC", [4, 5, 2]],
  ] as const)("as CutMix does, in %s", (layout, shape) => {
    const mix = batchMixer({ cutMix: 1, sampleShape: shape, layout, numClasses: 3 });
    const wanted = cutMix({ count: 3, inputs: samples, targets: oneHot }, { size: [4, 5], layout }, rng(5));
    const mixed = mix(samples, labels, rng(5));
    expect(mixed.samples).toEqual(wanted.inputs);
    expect(mixed.targets.values).toEqual(wanted.targets);
  });

  test("by one of the two where both are asked for, each about as often", () => {
    const mix = batchMixer(both);
    let cut = 0;
    for (let seed = 0; seed < 400; seed++) {
      const { samples: mixed } = mix(samples, labels, rng(seed));
      if (mixed.every((value) => Number.isInteger(value))) cut++; // pasted, not blended
    }
    expect(cut).toBeGreaterThan(160);
    expect(cut).toBeLessThan(240);
  });

  test("the same way for the same seed, and as new arrays", () => {
    const before = samples.slice();
    expect(batchMixer(both)(samples, labels, rng(9))).toEqual(batchMixer(both)(samples, labels, rng(9)));
    expect(samples).toEqual(before);
    expect(labels.values).toEqual(Float32Array.of(0, 2, 1));
  });

  test("as often as asked for; otherwise its samples stay, and its targets are soft all the same", () => {
    const mix = batchMixer({ ...both, probability: 0.25 });
    let kept = 0;
    for (let seed = 0; seed < 400; seed++) {
      const mixed = mix(samples, labels, rng(seed));
      expect(mixed.targets.width).toBe(3);
      if (mixed.samples === samples) {
        kept++;
        expect(mixed.targets.values).toEqual(oneHot);
      }
    }
    expect(kept).toBeGreaterThan(260);
    expect(kept).toBeLessThan(340);
  });
});

test("weights are mixed by the same share, so a batch weighs what it weighed", () => {
  const mix = batchMixer({ mixup: 1, sampleShape, numClasses: 3 });
  const weights = Float32Array.of(1, 5, 10);
  const { lambda } = mixup({ count: 3, inputs: samples, targets: oneHot }, { alpha: 1 }, rng(2));
  const mixed = mix(samples, { ...labels, weights }, rng(2)).targets;
  const wanted = [1 * lambda + 10 * (1 - lambda), 5 * lambda + (1 - lambda), 10 * lambda + 5 * (1 - lambda)];
  for (const [i, weight] of wanted.entries()) expect(mixed.weights![i]).toBeCloseTo(weight, 5);
  expect(totalWeight(mixed)).toBeCloseTo(16, 4);
});

test("several labels and values are mixed as they are", () => {
  const several: Targets = { task: "multi-label", values: oneHot, width: 3 };
  const values: Targets = { task: "regression", values: Float32Array.of(1, 2, 4), width: 1 };
  const mix = batchMixer({ mixup: 1, sampleShape, numClasses: 3 });
  const { lambda } = mixup({ count: 3, inputs: samples, targets: oneHot }, { alpha: 1 }, rng(2));
  expect(mix(samples, several, rng(2)).targets.values[0]).toBeCloseTo(lambda, 6);
  expect(mix(samples, values, rng(2)).targets.values[1]).toBeCloseTo(2 * lambda + (1 - lambda), 6);
});

test("a head learns its classes from mixed batches alone", async () => {
  const { features, targets } = clusters(60);
  const mix = batchMixer({ mixup: 0.5, sampleShape: [WIDTH], numClasses: CLASSES.length });
  await using step = await headStep({ loss: crossEntropy({ soft: true }) });
  const source = rng(1);
  for (let i = 0; i < 120; i++) {
    const rows = Array.from({ length: 12 }, () => Math.floor(source.next() * 60));
    const some = Float32Array.from(rows.flatMap((row) => [...features.subarray(row * WIDTH, (row + 1) * WIDTH)]));
    const mixed = mix(some, selectTargets(targets, rows), source.fork(`mix ${i}`));
    await step.run(mixed.samples, mixed.targets, 0.05);
  }
  const logits = await step.logits(features);
  const right = targets.values.filter((label, i) => {
    const row = [...logits.subarray(i * 3, (i + 1) * 3)];
    return row.indexOf(Math.max(...row)) === label;
  });
  expect(right.length).toBeGreaterThan(57);
  expect((await step.parameters()).get(HEAD.bias)!.data.every(Number.isFinite)).toBe(true);
});

test.each<[Partial<Parameters<typeof batchMixer>[0]>, RegExp]>([
  [{ mixup: 0, cutMix: 0 }, /a mixup or cutMix alpha above 0, got 0 and 0/],
  [{ mixup: -1 }, /alpha above 0, got -1 and 1/],
  [{ cutMix: Number.NaN }, /alpha above 0, got 0.4 and NaN/],
  [{ probability: 1.5 }, /a probability in \[0, 1\], got 1.5/],
  [{ sampleShape: [1280] }, /3 dimensions, got samples \[1280\]. Use mixup/],
])("refuses %j", (options, message) => {
  expect(() => batchMixer({ ...both, ...options })).toThrow(
    expect.objectContaining({ code: "BAD_CONFIG", message: expect.stringMatching(message) }),
  );
});

test("refuses batches that it cannot mix", () => {
  const values: Targets = { task: "regression", values: Float32Array.of(1, 2, 4), width: 1 };
  expect(() => batchMixer(both)(samples, values, rng(1))).toThrow(/cutMix requires classes, got a regression/);
  expect(() => batchMixer(both)(samples.subarray(1), labels, rng(1))).toThrow(/3 samples \[2, 4, 5\], got 119 numbers/);
});
