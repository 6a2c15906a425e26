/** What every schedule must do, as a table over all of them; the golden file comes from PyTorch. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { SCHEDULES, type ScheduleName, type ScheduleSettings } from "../../src/optim/schedule.ts";
import type { EpochSpan } from "../../src/optim/schedules/span.ts";

interface Golden {
  readonly cases: readonly {
    readonly schedule: ScheduleName;
    readonly options: EpochSpan & ScheduleSettings;
    readonly rates: readonly number[];
  }[];
}

// The file is made by make.py beside it, in this form.
const golden = JSON.parse(readFileSync(new URL("../golden/optim/schedules.json", import.meta.url), "utf8")) as Golden;

const names = Object.keys(SCHEDULES) as ScheduleName[]; // the keys of a literal

/** Another value than the default for every option. */
const OTHER: Required<{ [K in keyof ScheduleSettings]: Exclude<ScheduleSettings[K], undefined> }> = {
  stepSize: 2,
  gamma: 0.3,
  milestones: [1, 2],
  power: 2,
  final: 0.1,
  firstCycle: 1,
  factor: 1,
  warmupShare: 0.5,
  divFactor: 5,
  finalDivFactor: 10,
};

const span: EpochSpan = { peak: 0.7, totalSteps: 60, stepsPerEpoch: 6 };
const ratesOf = (name: ScheduleName, options: EpochSpan & ScheduleSettings, count = options.totalSteps): number[] => {
  const schedule = SCHEDULES[name].create(options);
  return Array.from({ length: count }, (_, i) => schedule(i + 1));
};

describe("agreement with PyTorch", () => {
  test.each(golden.cases.map((row) => [row.schedule, JSON.stringify(row.options), row.rates, row.options] as const))(
    "%s %s has the same 50 rates",
    (name, _text, rates, options) => {
      expect(rates).toHaveLength(50);
      for (const [i, rate] of ratesOf(name, options).entries()) {
        // Both are float64; PyTorch computes some rates from the one before.
        expect(Math.abs(rate - rates[i]!), `step ${i + 1}`).toBeLessThan(1e-12 * options.peak);
      }
    },
  );

  test("is tested for every schedule, with and without a warm-up, and for every option", () => {
    for (const name of names) {
      const rows = golden.cases.filter(({ schedule }) => schedule === name);
      expect(new Set(rows.map(({ options }) => (options.warmupSteps ?? 0) > 0)), name).toEqual(new Set([false, true]));
      const used = new Set(rows.flatMap(({ options }) => Object.keys(options)));
      expect(
        SCHEDULES[name].optionNames.filter((option) => !used.has(option)),
        name,
      ).toEqual([]);
    }
  });
});

describe.each(names)("%s", (name) => {
  const { optionNames } = SCHEDULES[name];

  test("stays between 0 and the peak, and moves at every step", () => {
    for (const totalSteps of [1, 2, 3, 7, 60]) {
      for (const warmupSteps of [0, 1, totalSteps]) {
        for (const rate of ratesOf(name, { ...span, totalSteps, warmupSteps })) {
          expect(rate).toBeGreaterThan(0);
          expect(rate).toBeLessThanOrEqual(span.peak * (1 + 1e-15));
        }
      }
    }
  });

  test("rises in equal steps along a warm-up, and is as without one behind it where that only scales", () => {
    const rates = ratesOf(name, { ...span, warmupSteps: 5 });
    const plain = ratesOf(name, span);
    const falls = name === "cosine" || name === "polynomial"; // behind the warm-up
    for (let i = 0; i < 5; i++) expect(rates[i]).toBeCloseTo(((falls ? span.peak : plain[i]!) * (i + 1)) / 5, 12);
    if (!falls) expect(rates.slice(5)).toEqual(plain.slice(5));
  });

  test("stays finite beyond the last step", () => {
    for (const rate of ratesOf(name, span, 400)) expect(rate).toBeGreaterThanOrEqual(0);
  });

  test("reads every option that it names, and no other", () => {
    const plain = ratesOf(name, span);
    for (const option of Object.keys(OTHER) as (keyof ScheduleSettings)[]) {
      const named = (optionNames as readonly string[]).includes(option);
      const rates = ratesOf(name, { ...span, [option]: OTHER[option] });
      if (named) expect(rates, option).not.toEqual(plain);
      else expect(rates, option).toEqual(plain);
    }
  });

  test.each([
    [{ peak: 0 }, "peak must be in (0, infinity), got 0."],
    [{ peak: Number.NaN }, "peak must be in (0, infinity), got NaN."],
    [{ totalSteps: 0 }, "totalSteps must be a whole number from 1, got 0."],
    [{ totalSteps: 2.5 }, "totalSteps must be a whole number from 1, got 2.5."],
    [{ warmupSteps: -1 }, "warmupSteps must be in [0, totalSteps], got -1."],
    [{ warmupSteps: 61 }, "warmupSteps must be in [0, totalSteps], got 61."],
  ])("refuses %o", (change, message) => {
    expect(() => SCHEDULES[name].create({ ...span, ...change })).toThrow(new RangeError(`${name}: ${message}`));
  });
});
