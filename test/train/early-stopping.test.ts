import { expect, test } from "vitest";
import type { EpochReport } from "../../src/train/callback.ts";
import { type EarlyStoppingOptions, earlyStopping } from "../../src/train/early-stopping.ts";

const min = { measure: "loss", mode: "min" } as const;

/** The epoch at which the callback stops a run with these values of the measure, or undefined. */
async function stopsAt(values: readonly number[], options: EarlyStoppingOptions): Promise<number | undefined> {
  const callback = earlyStopping(options);
  for (const [i, value] of values.entries()) {
    const reasons: string[] = [];
    const report: EpochReport = {
      epoch: i + 1,
      epochs: 99,
      steps: 0,
      learningRate: 1,
      trainLoss: 0,
      validation: { [options.monitor.measure]: value },
      best: false,
    };
    await callback.onEpochEnd?.(report, { stop: (reason) => reasons.push(reason) });
    if (reasons.length > 0) return i + 1;
  }
  return undefined;
}

test("stops after `patience` epochs without improvement, counted from the best one", async () => {
  expect(await stopsAt([3, 2, 2.5, 2.1, 2.2], { monitor: min, patience: 3 })).toBe(5);
  expect(await stopsAt([3, 2, 2.5, 2.1, 1.9, 2, 2], { monitor: min, patience: 3 })).toBeUndefined();
  expect(await stopsAt([1, 1], { monitor: min, patience: 1 })).toBe(2);
});

test("mode max looks for the largest value", async () => {
  const monitor = { measure: "accuracy", mode: "max" } as const;
  expect(await stopsAt([0.5, 0.6, 0.7, 0.6, 0.6], { monitor, patience: 2 })).toBe(5);
});

test("an improvement must be larger than minDelta", async () => {
  expect(await stopsAt([3, 2.95, 2.9], { monitor: min, patience: 2, minDelta: 0.1 })).toBe(3);
  expect(await stopsAt([3, 2.95, 2.85], { monitor: min, patience: 2, minDelta: 0.1 })).toBeUndefined();
});

test("a measure that is not there, and options out of range, are named", async () => {
  await expect(stopsAt([1], { monitor: min })).resolves.toBeUndefined();
  const callback = earlyStopping({ monitor: { measure: "f2", mode: "max" } });
  const report = { epoch: 1, epochs: 1, steps: 1, learningRate: 1, trainLoss: 1, validation: { loss: 1 }, best: true };
  expect(() => callback.onEpochEnd?.(report, { stop: () => undefined })).toThrow(/"f2".*only loss/);
  expect(() => earlyStopping({ monitor: min, patience: 0 })).toThrow("patience requires a whole number from 1, got 0");
  expect(() => earlyStopping({ monitor: min, minDelta: -1 })).toThrow(RangeError);
});
