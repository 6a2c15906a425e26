import { describe, expect, test } from "vitest";
import { RootstockError } from "../../src/errors.ts";
import type { Callback } from "../../src/train/callback.ts";
import {
  type Asked,
  controlOf,
  endsRun,
  restoreStates,
  statesOf,
  tellAll,
  tellEnd,
} from "../../src/train/listeners.ts";

function asking() {
  const asked: Asked = { rate: 1, stopped: undefined, endsRun: false, save: false };
  return { asked, control: controlOf(asked, async () => new Map()) };
}

describe("stop", () => {
  test("has a reason of its own where it is given none, and the first one counts", () => {
    const { asked, control } = asking();
    control.stop();
    control.stop("late");
    expect([asked.stopped, asked.endsRun]).toEqual(["a callback asked for it", false]);
    control.stop("all of it", { all: true });
    control.stop("again", { all: false });
    expect([asked.stopped, asked.endsRun]).toEqual(["a callback asked for it", true]);
  });

  test.each<[unknown, unknown, string]>([
    [new Error("why"), {}, "stop requires a reason as text, got an error. Pass its message."],
    [5, {}, "stop requires a reason as text, got 5. Options come second"],
    [{ all: true }, undefined, "got an object. Options come second: stop(reason, { all: true })."],
    ["why", { al: true }, 'stop has no option "al". Did you mean all?'],
    ["why", null, "stop requires an object of options, got null."],
    ["why", { all: "phases" }, 'all requires true or false, got "phases".'],
  ])("of %o with %o is refused", (reason, options, message) => {
    const { asked, control } = asking();
    expect(() => control.stop(reason as string, options as object)).toThrow(message);
    expect([asked.stopped, asked.endsRun]).toEqual([undefined, false]);
  });
});

describe("an error of a callback", () => {
  const failing = (error: unknown): Callback => ({
    name: "mine",
    onPhaseEnd: () => {
      throw error;
    },
  });

  test.each<[unknown, string, string]>([
    [new Error("no disk"), "BAD_CONFIG", 'the callback "mine" failed in onPhaseEnd: no disk.'],
    [
      new RootstockError("CANNOT_WRITE", "it is full."),
      "CANNOT_WRITE",
      'the callback "mine" failed in onPhaseEnd: it is full.',
    ],
    [new TypeError(), "BAD_CONFIG", 'the callback "mine" failed in onPhaseEnd: TypeError.'],
    ["text", "BAD_CONFIG", 'the callback "mine" failed in onPhaseEnd: text.'],
  ])("%o has its name, and is kept", async (cause, code, message) => {
    const told = tellAll([failing(cause)], "onPhaseEnd", (callback) => callback.onPhaseEnd?.());
    await expect(told).rejects.toMatchObject({ code, message, cause });
  });

  test("at the end keeps no other from being told", async () => {
    let told = 0;
    const counting: Callback = { name: "count", onPhaseEnd: () => void told++ };
    const all = [counting, failing(new Error("first")), failing(new Error("second")), counting];
    await expect(tellEnd(all)).rejects.toThrow("first");
    expect(told).toBe(2);
  });
});

test("states are kept by place and name, beside the end of the run", () => {
  const seen: unknown[] = [];
  const restore = (state: unknown): void => void seen.push(state);
  const callbacks: Callback[] = [
    { name: "a", state: () => 1, restore },
    { name: "b" },
    { name: "run", state: () => 3, restore },
  ];
  expect(statesOf(callbacks, { endsRun: false })).toEqual({ "0 a": 1, "2 run": 3 });
  const states = statesOf(callbacks, { endsRun: true });
  expect([endsRun(states), endsRun({ "2 run": "ends" }), endsRun(undefined)]).toEqual([true, false, false]);
  restoreStates(callbacks, states);
  expect(seen).toEqual([1, 3]);
});
