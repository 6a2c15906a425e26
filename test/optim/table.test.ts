/** What every optimizer must do, as a table over all of them; the golden file comes from PyTorch. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type AdamOptions, type AdamwOptions, adam, adamw } from "../../src/optim/adam.ts";
import { type Optimizer, zeroSlots } from "../../src/optim/optimizer.ts";
import { type SgdOptions, sgd } from "../../src/optim/sgd.ts";
import { OPTIMIZERS, type OptimizerName } from "../../src/optim/table.ts";

type Case = { readonly learningRates: readonly number[]; readonly parameters: readonly (readonly number[])[] } & (
  | { readonly optimizer: "sgd"; readonly options: SgdOptions }
  | { readonly optimizer: "adam"; readonly options: AdamOptions }
  | { readonly optimizer: "adamw"; readonly options: AdamwOptions }
);

interface Golden {
  readonly initial: readonly number[];
  readonly gradients: readonly (readonly number[])[];
  readonly cases: readonly Case[];
}

// The file is made by make.py beside it, in this form.
const golden = JSON.parse(readFileSync(new URL("../golden/optim/updates.json", import.meta.url), "utf8")) as Golden;

function make(row: Case): Optimizer {
  if (row.optimizer === "sgd") return sgd(row.options);
  return row.optimizer === "adam" ? adam(row.options) : adamw(row.options);
}

/** Curvatures of a bowl, sum of c w^2 / 2, whose minimum is 0. */
const CURVATURES = Float32Array.of(0.1, 1, 5);

function slope(parameter: Float32Array): Float32Array {
  return parameter.map((w, i) => CURVATURES[i]! * w);
}

function descend(optimizer: Optimizer, parameter: Float32Array, slots: Float32Array[], first: number, last: number) {
  for (let step = first; step <= last; step++) {
    optimizer.update(parameter, slope(parameter), slots, { learningRate: 0.02, step, decay: false });
  }
}

const names = Object.keys(OPTIMIZERS) as OptimizerName[]; // the keys of a literal

describe("agreement with PyTorch", () => {
  test.each(golden.cases.map((row) => [row.optimizer, JSON.stringify(row.options), row] as const))(
    "%s %s takes the same 5 steps",
    (_name, _options, row) => {
      const optimizer = make(row);
      const parameter = Float32Array.from(golden.initial);
      const slots = zeroSlots(optimizer, parameter.length);
      for (const [i, gradient] of golden.gradients.entries()) {
        const at = { learningRate: row.learningRates[i]!, step: i + 1, decay: true };
        optimizer.update(parameter, Float32Array.from(gradient), slots, at);
        for (const [j, expected] of row.parameters[i]!.entries()) {
          const error = Math.abs(parameter[j]! - expected);
          expect(error, `step ${i + 1}, element ${j}`).toBeLessThan(1e-6 * Math.abs(expected) + 1e-8);
        }
      }
    },
  );

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
    descend(optimizer, parameter, zeroSlots(optimizer, 3), 1, 4000);
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

  test("is named as in the table and keeps JSON-safe options", () => {
    const { name: own, options } = create();
    expect(own).toBe(name);
    expect(JSON.parse(JSON.stringify(options))).toEqual(options);
  });
});
