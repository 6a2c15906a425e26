import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { zeroSlots } from "../../src/optim/optimizer.ts";
import { sgd } from "../../src/optim/sgd.ts";
import { addStartPenalty } from "../../src/optim/start-penalty.ts";

interface Golden {
  readonly startPenalty: readonly {
    readonly strength: number;
    readonly learningRate: number;
    readonly parameters: readonly (readonly number[])[];
  }[];
}

interface Inputs {
  readonly recorded: readonly number[];
  readonly initial: readonly number[];
  readonly gradients: readonly (readonly number[])[];
}

// The files are made by make.py beside them, in these forms.
const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../golden/optim/${name}.json`, import.meta.url), "utf8"));
const { startPenalty } = read("training") as Golden;
const inputs = read("updates") as Inputs;

describe("addStartPenalty", () => {
  test.each(startPenalty)(
    "takes the 50 steps that PyTorch takes down a loss with the penalty, of strength $strength",
    ({ strength, learningRate, parameters }) => {
      const optimizer = sgd({ momentum: 0.9 });
      const start = Float32Array.from(inputs.initial);
      const parameter = start.slice();
      const largest = parameter.map(Math.abs);
      const slots = zeroSlots(optimizer, parameter.length);
      for (const [i, values] of inputs.gradients.entries()) {
        const gradient = Float32Array.from(values);
        addStartPenalty(gradient, parameter, start, strength);
        optimizer.update(parameter, gradient, slots, { learningRate, step: i + 1, decay: false });
        for (const [j, w] of parameter.entries()) largest[j] = Math.max(largest[j]!, Math.abs(w));
        for (const [j, value] of (parameters[inputs.recorded.indexOf(i + 1)] ?? []).entries())
          expect(Math.abs(parameter[j]! - value), `step ${i + 1}, element ${j}`).toBeLessThan(2e-6 * largest[j]!);
      }
    },
  );

  test("is weight decay where the start is zero", () => {
    const gradient = Float32Array.of(1, -2);
    addStartPenalty(gradient, Float32Array.of(4, 8), new Float32Array(2), 0.25);
    expect(gradient).toEqual(Float32Array.of(2, 0));
  });

  test("adds nothing at the start", () => {
    const gradient = Float32Array.of(1, -2);
    addStartPenalty(gradient, Float32Array.of(0.1, 0.2), Float32Array.of(0.1, 0.2), 100);
    expect(gradient).toEqual(Float32Array.of(1, -2));
  });

  test("refuses arrays of other lengths, and a negative strength", () => {
    const [two, three] = [new Float32Array(2), new Float32Array(3)];
    for (const [gradient, parameter, start] of [
      [three, two, two],
      [two, three, two],
      [two, two, three],
    ] as const)
      expect(() => addStartPenalty(gradient, parameter, start, 1)).toThrow(
        expect.objectContaining({ code: "SHAPE_MISMATCH" }),
      );
    expect(() => addStartPenalty(two, two, two, -1)).toThrow(
      new RangeError("addStartPenalty: strength must be in [0, infinity), got -1."),
    );
  });
});
