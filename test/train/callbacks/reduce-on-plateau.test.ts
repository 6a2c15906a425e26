import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type ReduceOnPlateauOptions, reduceOnPlateau } from "../../../src/train/callbacks/reduce-on-plateau.ts";
import { epochReport, phaseReport, recordedControl } from "./reports.ts";

interface Case extends Omit<Required<ReduceOnPlateauOptions>, "monitor"> {
  readonly mode: "min" | "max";
  readonly values: readonly (number | null)[];
  readonly torch: readonly number[];
  readonly keras: readonly number[] | null;
}

const golden = JSON.parse(readFileSync(new URL("../../golden/callbacks/plateau.json", import.meta.url), "utf8")) as {
  learningRate: number;
  cases: Case[];
}; // as make_plateau.py writes it

const optionsOf = ({ mode, factor, patience, minDelta, cooldown, minimum }: Case): ReduceOnPlateauOptions => ({
  monitor: { measure: "value", mode },
  factor,
  patience,
  minDelta,
  cooldown,
  minimum,
});

/** Learning rates after each epoch of a run whose schedule is constant, in parts that are each continued by the next. */
async function rates({ values, ...one }: Case, start: number, parts: readonly number[]): Promise<number[]> {
  const after: number[] = [];
  let rate = start;
  let state: unknown;
  for (const end of parts) {
    const callback = reduceOnPlateau(optionsOf({ values, ...one }));
    const { asked, control } = recordedControl();
    if (state !== undefined) callback.restore?.(JSON.parse(JSON.stringify(state)));
    await callback.onPhaseStart?.(phaseReport({ epochsDone: after.length }), control);
    while (after.length < end) {
      const value = values[after.length] ?? Number.NaN;
      const report = epochReport(after.length + 1, { validation: { value }, learningRate: rate });
      await callback.onEpochEnd?.(report, control);
      for (const factor of asked.factors.splice(0)) rate *= factor;
      after.push(rate);
    }
    state = callback.state?.();
  }
  return after;
}

describe.each(golden.cases.map((one) => [JSON.stringify(optionsOf(one)), one] as const))("with %s", (_name, one) => {
  test("lowers the rate after the same epochs as PyTorch, by as much", async () => {
    const ours = await rates(one, golden.learningRate, [50]);
    expect(ours).toHaveLength(50);
    expect(new Set(one.torch).size).toBeGreaterThan(2); // the case has reductions
    for (const [i, rate] of one.torch.entries()) expect(Math.abs(ours[i]! / rate - 1)).toBeLessThan(1e-12);
  });

  test("gives the same where the run is broken off and continued", async () => {
    const whole = await rates(one, golden.learningRate, [50]);
    expect(await rates(one, golden.learningRate, [7, 13, 14, 50])).toEqual(whole);
  });
});

test("lowers the rate after the same epochs as Keras, which has it in float32", async () => {
  const cases = golden.cases.flatMap((one) => (one.keras ? [{ ...one, keras: one.keras }] : []));
  expect(cases).toHaveLength(4);
  for (const one of cases) {
    const ours = await rates(one, golden.learningRate, [50]);
    for (const [i, rate] of one.keras.entries()) expect(Math.abs(ours[i]! / rate - 1)).toBeLessThan(1e-6);
  }
});

test("works on the rate that a schedule gives, down to the minimum and not below", async () => {
  const monitor = { measure: "loss", mode: "min" } as const;
  const callback = reduceOnPlateau({ monitor, factor: 0.5, patience: 1, minimum: 0.02 });
  const { asked, control } = recordedControl();
  const at = (learningRate: number) => callback.onEpochEnd?.(epochReport(1, { learningRate }), control);
  for (const rate of [0.1, 0.1, 0.03, 0.02, 0.01, 0]) await at(rate);
  expect(asked.factors).toEqual([0.5, 0.02 / 0.03]);
});

test("a phase begins with the count at zero", async () => {
  const monitor = { measure: "loss", mode: "min" } as const;
  const callback = reduceOnPlateau({ monitor, patience: 2 });
  const { asked, control } = recordedControl();
  const loss = (value: number) => callback.onEpochEnd?.(epochReport(1, { validation: { loss: value } }), control);
  for (const value of [1, 2]) await loss(value);
  await callback.onPhaseStart?.(phaseReport({ phase: "last" }), control);
  for (const value of [3, 2.5, 2.6]) await loss(value);
  expect(asked.factors).toEqual([]);
  await loss(2.6);
  expect(asked.factors).toEqual([0.1]);
});

test.each([
  [{ factor: 1 }, "factor requires a number above 0 and below 1, got 1."],
  [{ factor: 0 }, "factor requires"],
  [{ patience: 0 }, "patience requires a whole number from 1, got 0."],
  [{ minDelta: Number.NaN }, "minDelta requires a number from 0, got NaN."],
  [{ cooldown: 1.5 }, "cooldown requires a whole number from 0, got 1.5."],
  [{ minimum: -1 }, "minimum requires a number from 0, got -1."],
])("refuses %o", (options, message) => {
  expect(() => reduceOnPlateau({ monitor: { measure: "loss", mode: "min" }, ...options })).toThrow(message);
});
