import { expect, test } from "vitest";
import { type EarlyStoppingOptions, earlyStopping } from "../../../src/train/callbacks/early-stopping.ts";
import { epochReport, phaseReport, recordedControl } from "./reports.ts";

const min = { measure: "loss", mode: "min" } as const;

/** The epoch at which the callback stops a run with these values of the measure, or undefined. */
async function stopsAt(values: readonly number[], options: EarlyStoppingOptions): Promise<number | undefined> {
  const callback = earlyStopping(options);
  for (const [i, value] of values.entries()) {
    const { asked, control } = recordedControl();
    await callback.onEpochEnd?.(epochReport(i + 1, { validation: { [options.monitor.measure]: value } }), control);
    if (asked.stop.length > 0) return i + 1;
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

test("an epoch whose measure is no finite number is never the best one", async () => {
  expect(await stopsAt([Number.NaN, 3, 2, 1], { monitor: min, patience: 2 })).toBeUndefined();
  expect(await stopsAt([Number.NEGATIVE_INFINITY, 3, 2, 1], { monitor: min, patience: 2 })).toBeUndefined();
  expect(await stopsAt([Number.NaN, Number.NaN], { monitor: min, patience: 2 })).toBe(2);
});

test("goes on from its state where a phase is continued, and begins anew with the next", async () => {
  const [first, second] = [
    earlyStopping({ monitor: min, patience: 3 }),
    earlyStopping({ monitor: min, patience: 3 }),
  ] as const;
  const { asked, control } = recordedControl();
  const at = (epoch: number, loss: number) => epochReport(epoch, { validation: { loss } });
  await first.onPhaseStart?.(phaseReport(), control);
  for (const [i, loss] of [1, 2, 2].entries()) await first.onEpochEnd?.(at(i + 1, loss), control);
  second.restore?.(JSON.parse(JSON.stringify(first.state?.())));
  await second.onPhaseStart?.(phaseReport({ epochsDone: 3 }), control);
  expect(asked.stop).toEqual([]);
  await second.onEpochEnd?.(at(4, 1.5), control);
  expect(asked.stop).toEqual(["loss did not improve for 3 epochs"]);
  await second.onPhaseStart?.(phaseReport({ phase: "last" }), control);
  for (const [i, loss] of [9, 8, 7, 7.5].entries()) await second.onEpochEnd?.(at(i + 1, loss), control);
  expect(asked.stop).toHaveLength(1);
});

test("a measure that is not there, options out of range, and a foreign state are named", () => {
  const callback = earlyStopping({ monitor: { measure: "f2", mode: "max" } });
  expect(() => callback.onEpochEnd?.(epochReport(1), recordedControl().control)).toThrow(/"f2".*only loss/);
  const inherited = earlyStopping({ monitor: { measure: "toString", mode: "max" } });
  expect(() => inherited.onEpochEnd?.(epochReport(1), recordedControl().control)).toThrow(/only loss/);
  expect(() => earlyStopping({ monitor: min, patience: 0 })).toThrow("patience requires a whole number from 1, got 0");
  expect(() => earlyStopping({ monitor: min, minDelta: -1 })).toThrow(RangeError);
  for (const state of [null, [], { since: -1 }, { since: 1, best: "2" }, { since: 0, more: 1 }])
    expect(() => callback.restore?.(state)).toThrow(/early-stopping cannot go on from what the checkpoint says/);
});
