import { expect, test } from "vitest";
import { improves, monitored } from "../../../src/train/callbacks/monitored.ts";

test("an improvement is a change in the right direction, beyond minDelta", () => {
  const [min, max] = [{ measure: "a", mode: "min" } as const, { measure: "a", mode: "max" } as const];
  expect([improves(min, 1, 2, 0), improves(min, 2, 2, 0), improves(min, 1, 2, 1)]).toEqual([true, false, false]);
  expect([improves(max, 3, 2, 0), improves(max, 2, 2, 0), improves(max, 3, 2, 1)]).toEqual([true, false, false]);
  expect(improves(max, -5, undefined, 3)).toBe(true);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) expect(improves(max, value, undefined, 0)).toBe(false);
});

test("a measure is read by its name, and a missing one is an error that says which there are", () => {
  expect(monitored("me", { measure: "f1", mode: "max" }, { loss: 1, f1: 0 })).toBe(0);
  expect(() => monitored("me", { measure: "f2", mode: "max" }, { loss: 1, f1: 0 })).toThrow(
    expect.objectContaining({
      code: "BAD_CONFIG",
      message: 'me monitors "f2"; there is only loss, f1. Name one of these as its monitor.',
    }),
  );
});
