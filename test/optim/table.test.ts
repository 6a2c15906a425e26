/** What every optimizer must do, as a table over all of them; the golden file comes from PyTorch. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Optimizer, zeroSlots } from "../../src/optim/optimizer.ts";
import { OPTIMIZERS, type OptimizerName, type OptimizerOptions } from "../../src/optim/table.ts";

interface Case {
  readonly optimizer: OptimizerName;
  readonly options: OptimizerOptions;
  readonly learningRate: number;
  /** After each of the steps in `recorded`. */
  readonly parameters: readonly (readonly number[])[];
}

interface Golden {
  readonly recorded: readonly number[];
  /** What the learning rate is multiplied by at each step. */
  readonly learningRateFactors: readonly number[];
  readonly initial: readonly number[];
  readonly gradients: readonly (readonly number[])[];
  readonly cases: readonly Case[];
}

// The file is made by make.py beside it, in this form.
const golden = JSON.parse(readFileSync(new URL("../golden/optim/updates.json", import.meta.url), "utf8")) as Golden;

/** Largest error, as a share of the largest value that a parameter has had: 16 units in the last place of float32. */
const TOLERANCE = 2e-6;

/** Curvatures of a bowl, sum of c w^2 / 2, whose minimum is 0. */
const CURVATURES = Float32Array.of(0.1, 1, 5);

const STEPS = 4000;

function slope(parameter: Float32Array): Float32Array {
  return parameter.map((w, i) => CURVATURES[i]! * w);
}

function descend(optimizer: Optimizer, parameter: Float32Array, slots: Float32Array[], first: number, last: number) {
  for (let step = first; step <= last; step++) {
    const learningRate = 0.1 * (1 - step / (STEPS + 1)); // falls to 0: steps of one size never come to rest
    optimizer.update(parameter, slope(parameter), slots, { learningRate, step, decay: false });
  }
}

const names = Object.keys(OPTIMIZERS) as OptimizerName[]; // the keys of a literal

describe("agreement with PyTorch", () => {
  test.each(golden.cases.map((row) => [row.optimizer, JSON.stringify(row.options), row] as const))(
    "%s %s takes the same 50 steps",
    (name, _options, row) => {
      const optimizer = OPTIMIZERS[name].create(row.options);
      const parameter = Float32Array.from(golden.initial);
      const largest = parameter.map(Math.abs);
      const slots = zeroSlots(optimizer, parameter.length);
      for (const [i, gradient] of golden.gradients.entries()) {
        const learningRate = row.learningRate * golden.learningRateFactors[i]!;
        optimizer.update(parameter, Float32Array.from(gradient), slots, { learningRate, step: i + 1, decay: true });
        for (const [j, w] of parameter.entries()) largest[j] = Math.max(largest[j]!, Math.abs(w));
        const expected = row.parameters[golden.recorded.indexOf(i + 1)] ?? [];
        for (const [j, value] of expected.entries()) {
          const error = Math.abs(parameter[j]! - value);
          expect(error, `step ${i + 1}, element ${j}`).toBeLessThan(TOLERANCE * largest[j]!);
        }
      }
    },
  );

  test("is tested for 50 steps, up to the last", () => {
    expect(golden.gradients).toHaveLength(50);
    expect(golden.recorded.at(-1)).toBe(50);
    for (const row of golden.cases) expect(row.parameters).toHaveLength(golden.recorded.length);
  });

  test("is tested for every optimizer", () => {
    expect(new Set(golden.cases.map((row) => row.optimizer))).toEqual(new Set(names));
  });

  test("is tested for every option", () => {
    for (const name of names) {
      const used = golden.cases.filter((row) => row.optimizer === name).flatMap((row) => Object.keys(row.options));
      expect(new Set(used), name).toEqual(new Set(Object.keys(OPTIMIZERS[name].create().options)));
    }
  });
});

describe.each(names)("%s", (name) => {
  const { create, learningRate } = OPTIMIZERS[name];

  test("reaches the minimum of a quadratic bowl", () => {
    const optimizer = create();
    const parameter = Float32Array.of(3, -2, 1);
    descend(optimizer, parameter, zeroSlots(optimizer, 3), 1, STEPS);
    for (const w of parameter) expect(Math.abs(w)).toBeLessThan(1e-3);
  });

  test("takes the same steps after its slots were saved and restored", () => {
    const optimizer = create();
    const parameter = Float32Array.of(3, -2, 1);
    const slots = zeroSlots(optimizer, 3);
    descend(optimizer, parameter, slots, 1, 7);
    const saved = { parameter: parameter.slice(), slots: slots.map((slot) => slot.slice()) };
    descend(optimizer, parameter, slots, 8, 12);
    descend(create(), saved.parameter, saved.slots, 8, 12);
    expect(saved.parameter).toEqual(parameter);
    expect(saved.slots).toEqual(slots);
  });

  test("leaves the gradient as it is", () => {
    const optimizer = create();
    const gradient = Float32Array.of(0.5, -0.25);
    const at = { learningRate, step: 1, decay: true };
    optimizer.update(Float32Array.of(1, 2), gradient, zeroSlots(optimizer, 2), at);
    expect(gradient).toEqual(Float32Array.of(0.5, -0.25));
  });

  test("refuses slots of another length", () => {
    const at = { learningRate, step: 1, decay: true };
    const slots = zeroSlots(create(), 3);
    expect(() => create().update(new Float32Array(2), new Float32Array(2), slots, at)).toThrow(
      expect.objectContaining({ code: "SHAPE_MISMATCH" }),
    );
  });

  test("is named as in the table, and keeps JSON-safe options under the names there", () => {
    const { name: own, options } = create();
    expect(Object.keys(options).toSorted()).toEqual([...OPTIMIZERS[name].optionNames].toSorted());
    expect(own).toBe(name);
    expect(JSON.parse(JSON.stringify(options))).toEqual(options);
  });
});
