import { expect, test } from "vitest";
import type { Callback, RunControl } from "../../src/train/callback.ts";
import { earlyStopping } from "../../src/train/callbacks/early-stopping.ts";
import { checkCallbacks } from "../../src/train/check-callbacks.ts";

const NAMED = { name: "mine" } as const;
const hook = (): void => {};

class Counting implements Callback {
  readonly name = "counting";
  onEpochEnd(_: unknown, run: RunControl): void {
    run.save();
  }
}

test("objects with a name and a hook are callbacks, of a class or with data of their own too", () => {
  const own = { ...NAMED, onEpochEnd: hook, best: 3, online: true, state: () => null };
  const watching = earlyStopping({ monitor: { measure: "accuracy", mode: "max" } });
  checkCallbacks([own, new Counting(), { ...NAMED, onPhaseEnd: hook, onStep: undefined }, watching], "single-label");
  checkCallbacks([], "single-label");
  checkCallbacks(undefined, "single-label");
});

test.each<[unknown, string]>([
  [hook, "callbacks requires a list of callbacks, got a function."],
  [[null], 'callbacks[0] requires an object with a name and hooks, such as { name: "mine"'],
  [[hook], "got a function."],
  [[{ onEpochEnd: hook }], "callbacks[0] requires a name as text, got undefined."],
  [
    [new Counting(), NAMED],
    'callbacks[1] ("mine") requires at least one hook of onPhaseStart, onStep, onEpochEnd, onPhaseEnd, got none.',
  ],
  [[{ ...NAMED, onEpochEnd: 3 }], 'callbacks[0] ("mine") requires onEpochEnd as a function, got 3.'],
  [[{ ...NAMED, onStep: hook, restore: {} }], "requires restore as a function, got an object."],
  [
    [{ ...NAMED, on_epoch_end: hook }],
    'has the hook "on_epoch_end", which nothing calls; there are onPhaseStart, onStep, onEpochEnd, onPhaseEnd. Did you mean "onEpochEnd"?',
  ],
  [[{ ...NAMED, onStep: hook, onEpochStart: hook }], 'has the hook "onEpochStart", which nothing calls'],
  [[{ ...NAMED, onEpochEnd: hook, monitor: "loss" }], 'callbacks[0] ("mine"): monitor requires { measure, mode }'],
  [
    [earlyStopping({ monitor: { measure: "acc", mode: "max" } })],
    'callbacks[0] ("early-stopping"): monitor.measure requires what is measured of single-label data',
  ],
  [[earlyStopping({ monitor: { measure: "loss", mode: "max" } })], "of loss, less is better"],
])("%o is refused", (callbacks, message) => {
  expect(() => checkCallbacks(callbacks, "single-label")).toThrow(
    expect.objectContaining({ code: "BAD_CONFIG", message: expect.stringContaining(message) }),
  );
});
