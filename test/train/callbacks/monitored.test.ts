import { expect, test } from "vitest";
import { earlyStopping } from "../../../src/train/callbacks/early-stopping.ts";
import { checkedMonitor, improves, monitored } from "../../../src/train/callbacks/monitored.ts";
import { reduceOnPlateau } from "../../../src/train/callbacks/reduce-on-plateau.ts";

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

test.each<[unknown, string]>([
  [undefined, 'monitor requires { measure, mode }, such as { measure: "loss", mode: "min" }, got undefined.'],
  ["loss", 'got "loss".'],
  [{ measure: "", mode: "min" }, 'monitor.measure requires the name of a measure, got "".'],
  [{ measure: "loss", mode: "auto" }, 'monitor.mode requires one of min, max, got "auto".'],
  [{ measure: "loss" }, "monitor.mode requires one of min, max, got undefined."],
])("the monitor %o is refused, where it is given", (monitor, message) => {
  const refused = expect.objectContaining({ code: "BAD_CONFIG", message: expect.stringContaining(message) });
  expect(() => checkedMonitor("monitor", monitor)).toThrow(refused);
  for (const make of [earlyStopping, reduceOnPlateau]) expect(() => make({ monitor } as never)).toThrow(refused); // as JavaScript calls it
});

test("a monitor is kept without what else was in the object", () => {
  expect(checkedMonitor("monitor", { measure: "accuracy", mode: "max", why: "taste" })).toEqual({
    measure: "accuracy",
    mode: "max",
  });
});
