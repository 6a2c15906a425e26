import { describe, expect, test } from "vitest";
import { ROW_LOSSES, shownLoss } from "../../../src/train/probe/row-losses.ts";

const targets = Float32Array.of(9, 9, 0.25, 0, 0.75, 9);
const START = 2;

describe.each(Object.entries(ROW_LOSSES))("%s", (_, loss) => {
  test.each([[[0.3, -1, 2]], [[0, 0, 0]], [[5, -7, 30]]])("has the slope of its value at %j", (z) => {
    const residual = new Float64Array(6);
    loss(Float64Array.from(z), targets, residual, START);
    for (const c of [0, 1, 2]) {
      const at = (change: number): number =>
        loss(
          Float64Array.from(z, (value, i) => value + (i === c ? change : 0)),
          targets,
          new Float64Array(6),
          START,
        );
      expect(residual[START + c]).toBeCloseTo((at(1e-5) - at(-1e-5)) / 2e-5, 7);
    }
    expect([residual[0], residual[1], residual[5]]).toEqual([0, 0, 0]);
  });

  test("is finite for outputs of any size", () => {
    const residual = new Float64Array(6);
    expect(loss(Float64Array.of(1e5, -1e5, 0), targets, residual, START)).toBeLessThan(Infinity);
    expect(residual.every(Number.isFinite)).toBe(true);
  });
});

test("is what training shows", () => {
  const z = Float64Array.of(0.5, -1);
  const t = Float32Array.of(1, 0);
  const shown = (activation: keyof typeof ROW_LOSSES): number =>
    ROW_LOSSES[activation](z, t, new Float64Array(2), 0) * shownLoss(activation, 2);
  expect(shown("softmax")).toBeCloseTo(Math.log(1 + Math.exp(-1.5)), 12);
  expect(shown("sigmoid")).toBeCloseTo((Math.log(1 + Math.exp(-0.5)) + Math.log(1 + Math.exp(-1))) / 2, 12);
  expect(shown("identity")).toBeCloseTo((0.25 + 1) / 2, 12);
});
