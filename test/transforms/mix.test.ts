import { describe, expect, test } from "vitest";
import { rng } from "../../src/random.ts";
import { cutMix, type MixBatch, mixSamples, mixup, pasteRegion } from "../../src/transforms/mix.ts";
import { cases } from "./pixels/color-golden.ts";

/** The batch of test/golden/color/make.py: three inputs [2, 4, 5] that count up. */
const batch: MixBatch = {
  count: 3,
  inputs: Float32Array.from({ length: 120 }, (_, i) => i),
  targets: Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0.5, 0.5),
};
const size = [4, 5] as const;
const sums = ({ count, targets }: MixBatch) =>
  Array.from({ length: count }, (_, i) =>
    targets.subarray((i * targets.length) / count, ((i + 1) * targets.length) / count).reduce((sum, x) => sum + x, 0),
  );

/** Three inputs [2, 4, 5] as [4, 5, 2]. */
function asPixels(planes: Float32Array): Float32Array {
  return planes.map((_, i) => planes[Math.floor(i / 40) * 40 + (i % 2) * 20 + Math.floor((i % 40) / 2)]!);
}

describe("equals torchvision's MixUp and CutMix", () => {
  test.each(cases.mixing)("lambda $lambda, box $box", ({ lambda, box, inputs, targets }) => {
    const [left, top, right, bottom] = box ?? [];
    const mixed =
      left === undefined
        ? mixSamples(batch, lambda)
        : pasteRegion(
            batch,
            { left, top: top!, width: right! - left, height: bottom! - top! },
            { size, layout: "NCHW" },
          );
    expect(mixed.lambda).toBeCloseTo(lambda, 12);
    for (const [i, value] of inputs.entries()) expect(mixed.inputs[i]).toBeCloseTo(value, 4);
    for (const [i, value] of targets.entries()) expect(mixed.targets[i]).toBeCloseTo(value, 6);
  });
});

describe("mixing", () => {
  test("keeps the sum of each target", () => {
    for (let seed = 0; seed < 100; seed++) {
      for (const mixed of [mixup(batch, {}, rng(seed)), cutMix(batch, { size }, rng(seed))]) {
        for (const sum of sums(mixed)) expect(sum).toBeCloseTo(1, 5);
      }
    }
  });

  test("draws another share each time, the same for the same seed", () => {
    const shares = Array.from({ length: 50 }, (_, i) => mixup(batch, { alpha: 1 }, rng(i)).lambda);
    expect(new Set(shares).size).toBe(50);
    expect(mixup(batch, { alpha: 1 }, rng(7))).toEqual(mixup(batch, { alpha: 1 }, rng(7)));
    expect(cutMix(batch, { size }, rng(7))).toEqual(cutMix(batch, { size }, rng(7)));
  });

  test("leaves its arguments as they are", () => {
    const before = structuredClone(batch);
    mixup(batch, {}, rng(1));
    cutMix(batch, { size }, rng(1));
    expect(batch).toEqual(before);
  });

  test("of one sample is that sample", () => {
    const one = { count: 1, inputs: batch.inputs.slice(0, 40), targets: Float32Array.of(0, 1) };
    expect(mixup(one, { alpha: 1 }, rng(1)).targets).toEqual(one.targets);
    expect(cutMix(one, { size }, rng(1)).inputs).toEqual(one.inputs);
  });

  test("shares targets by the area that was really pasted", () => {
    for (let seed = 0; seed < 200; seed++) {
      const { inputs, lambda } = cutMix(batch, { size }, rng(seed));
      const own = inputs.subarray(0, 20).filter((value, i) => value === batch.inputs[i]).length;
      expect(lambda).toBeCloseTo(own / 20, 12);
    }
  });

  test("pastes all channels of a pixel in both layouts", () => {
    const planes = cutMix(batch, { size }, rng(5)).inputs;
    const pixels = cutMix({ ...batch, inputs: asPixels(batch.inputs) }, { size, layout: "NHWC" }, rng(5)).inputs;
    expect(pixels).toEqual(asPixels(planes));
  });

  test("refuses arrays of other shapes and alphas that mean nothing", () => {
    expect(() => mixup({ ...batch, count: 7 }, {}, rng(1))).toThrow(/\[count, ...\].*got 120 values for 7 samples/);
    expect(() => mixup({ ...batch, count: 0 }, {}, rng(1))).toThrow(/count of at least 1/);
    expect(() => cutMix(batch, { size: [7, 5] }, rng(1))).toThrow(/whole channels of 7x5 pixels, got 40 values/);
    expect(() => mixup(batch, { alpha: 0 }, rng(1))).toThrow(/alpha/);
  });

  test.each<[unknown, RegExp]>([
    [{}, /cutMix requires size: \[height, width\].*got undefined/],
    [{ size: 4 }, /got 4/],
    [{ size: [4, 0] }, /whole numbers from 1/],
    [{ size, layout: "NWHC" }, /layout requires one of NCHW, NHWC, got "NWHC"/],
  ])("refuses the options %j of CutMix", (options, message) => {
    expect(() => cutMix(batch, options as { size: typeof size }, rng(1))).toThrow(message);
  });

  test("refuses a batch of something else", () => {
    const loaded = { count: 3, images: batch.inputs, targets: { data: batch.targets } } as unknown as MixBatch;
    expect(() => mixup(loaded, {}, rng(1))).toThrow(/as a Float32Array, got undefined/);
    expect(() => cutMix({ ...batch, targets: [1, 0, 0] as unknown as Float32Array }, { size }, rng(1))).toThrow(
      /got a list/,
    );
  });
});
