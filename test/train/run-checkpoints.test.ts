import { readdir } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import type { Json } from "../../src/json.ts";
import type { Parameters } from "../../src/models/head.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import type { EpochReport } from "../../src/train/callback.ts";
import { CheckpointStore, type Loaded } from "../../src/train/checkpoints/checkpoint-store.ts";
import type { FitState } from "../../src/train/fit-options.ts";
import { type PhaseOutcome, RunCheckpoints, type RunState } from "../../src/train/run-checkpoints.ts";
import { runStateOf } from "../../src/train/run-state.ts";
import { temporaryFolder } from "../data/made.ts";

/** Float32 values that JSON and decimal texts lose: a NaN with a payload, infinities, -0, the smallest number. */
function bits(name: string): Parameters {
  const values = new Uint32Array([0x7fc12345, 0x7f800000, 0xff800000, 0x80000000, 1, 0x3f800001]);
  return new Map([
    [`${name}.weight`, float32([2, 3], new Float32Array(values.buffer))],
    [`${name}.bias`, float32([1], [name.length])],
  ]);
}

const report = (epoch: number, changes: Partial<EpochReport> = {}): EpochReport => ({
  phase: "last",
  epoch,
  epochs: 9,
  steps: 12 * epoch,
  learningRate: 1e-3,
  trainLoss: 0.1 + 0.2,
  validation: { loss: 0.5, accuracy: 1 },
  best: true,
  ...changes,
});

const strange = report(2, {
  learningRate: 0,
  trainLoss: Number.POSITIVE_INFINITY,
  validation: { loss: Number.NaN, r2: Number.NEGATIVE_INFINITY, zero: -0 },
  best: false,
});

const outcome = (phase: string, changes: Partial<PhaseOutcome> = {}): PhaseOutcome => ({
  phase,
  history: [report(1, { phase }), strange],
  bestEpoch: 1,
  averaged: 2,
  stopped: "loss did not improve for 1 epochs",
  callbacks: { "0 early-stopping": { best: Number.NEGATIVE_INFINITY, since: 0 }, "2 mine": [null, "$number", -0] },
  parameters: bits(phase),
  ...changes,
});

const fit: FitState = {
  trainer: {
    steps: 31,
    parameters: bits("now"),
    slots: new Map([["now.weight/momentum", float32([2, 3], [1, 2, 3, 4, 5, 6])]]),
    average: bits("average"),
  },
  epoch: 3,
  done: 24,
  lossSum: Number.POSITIVE_INFINITY,
  weightSum: 0.1 + 0.7,
  rate: 0.25,
  stopped: "enough",
  history: [report(1), strange],
  kept: [
    { epoch: 2, value: Number.NaN, parameters: bits("second") },
    { epoch: 0, value: 1 / 3, parameters: bits("start") },
  ],
  callbacks: { "1 plateau": { $number: "NaN", deep: { list: [1e308, Number.NaN] } } },
};

/** Everything as text, with the bits of every array. */
function exact(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (item instanceof Map) return { map: [...item] };
    if (item instanceof Float32Array) return { bits: [...new Uint32Array(item.slice().buffer)] };
    if (typeof item === "number" && (!Number.isFinite(item) || Object.is(item, -0)))
      return { special: Object.is(item, -0) ? "-0" : String(item) };
    return item === undefined ? { undefined: true } : item;
  });
}

const OPTIONS = { seconds: 0, run: "this one", phases: 3 } as const;

async function saved(fits: readonly FitState[], outcomes: readonly PhaseOutcome[] = []) {
  const folder = await temporaryFolder();
  const checkpoints = new RunCheckpoints(await CheckpointStore.open(folder), OPTIONS);
  for (const ended of outcomes) await checkpoints.ended(ended);
  for (const state of fits) await checkpoints.phase().save(state);
  const read = async (): Promise<RunState> =>
    runStateOf((await (await CheckpointStore.open(folder)).latest()) as Loaded); // something was saved
  return { folder, checkpoints, read };
}

const { stopped: _stopped, ...going } = fit;
const plain: FitState = { ...going, stopped: undefined, trainer: { ...fit.trainer, average: undefined }, kept: [] };

describe("every field comes back, bit for bit", () => {
  test.each<[string, readonly FitState[], readonly PhaseOutcome[]]>([
    ["in the first phase", [fit], []],
    ["behind phases that ended", [fit], [outcome("head"), outcome("last", { stopped: undefined, averaged: 1 })]],
    ["without an average, a reason to stop or kept epochs", [plain], []],
    ["of an optimizer without memory", [{ ...plain, trainer: { ...plain.trainer, slots: new Map() } }], []],
    ["where a phase has just ended", [], [outcome("head")]],
    ["of the newest checkpoint", [{ ...fit, trainer: { ...fit.trainer, steps: 5 } }, fit], []],
  ])("%s", async (_, fits, outcomes) => {
    const { read } = await saved(fits, outcomes);
    const state = await read();
    const wanted: RunState = { outcomes, fit: fits.at(-1) };
    expect(exact(sorted(state))).toBe(exact(sorted(wanted)));
    expect(state).toEqual(wanted);
  });
});

/** The same with the keys of every object in order. */
function sorted(value: unknown): unknown {
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, sorted(item)] as const).sort());
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}

test("what is read can be saved again, and phases go on behind it", async () => {
  const first = await saved([fit], [outcome("head")]);
  const state = await first.read();
  const store = await CheckpointStore.open(first.folder);
  const checkpoints = new RunCheckpoints(store, { ...OPTIONS, from: state });
  await checkpoints.phase().save({ ...state.fit!, trainer: { ...state.fit!.trainer, steps: 40 } });
  expect((await first.read()).fit!.trainer.steps).toBe(40);
  await checkpoints.ended(outcome("last"));
  const after = await first.read();
  expect(after).toEqual({ outcomes: [outcome("head"), outcome("last")], fit: undefined });
});

test("the step of a later phase is newer, though it is a smaller number", async () => {
  const { checkpoints, read } = await saved([fit]);
  await checkpoints.ended(outcome("head"));
  await checkpoints.phase().save({ ...plain, trainer: { ...plain.trainer, steps: 1 } });
  expect(await read()).toMatchObject({ outcomes: [{ phase: "head" }], fit: { trainer: { steps: 1 } } });
});

test("sets of parameters that stay are written once, and go when nothing names them", async () => {
  const { folder, checkpoints } = await saved([fit], [outcome("head")]);
  const snapshots = async () => (await readdir(folder)).filter((name) => name.startsWith("snapshot-")).sort();
  const before = await snapshots();
  expect(before).toHaveLength(3); // of the phase, and of two kept epochs
  await checkpoints.phase().save({ ...fit, trainer: { ...fit.trainer, steps: 32 } });
  expect(await snapshots()).toEqual(before);
  for (const steps of [33, 34])
    await checkpoints.phase().save({ ...fit, trainer: { ...fit.trainer, steps }, kept: fit.kept.slice(1) });
  expect(await snapshots()).toHaveLength(2);
});

describe("it is time for a checkpoint", () => {
  test("after so many seconds, counted from the last", async () => {
    const store = await CheckpointStore.open(await temporaryFolder());
    const often = new RunCheckpoints(store, OPTIONS).phase();
    expect([often.due("step"), often.due("epoch")]).toEqual([true, true]);
    const seldom = new RunCheckpoints(store, { ...OPTIONS, seconds: 1e6 }).phase();
    expect([seldom.due("step"), seldom.due("epoch")]).toEqual([false, false]);
    const some = new RunCheckpoints(store, { ...OPTIONS, seconds: 0.2 }).phase();
    expect(some.due("step")).toBe(false);
    await new Promise((done) => setTimeout(done, 250));
    expect(some.due("step")).toBe(true);
    await some.save(fit);
    expect(some.due("step")).toBe(false);
  });

  test("and there is one to go on from where one was saved or read", async () => {
    const store = await CheckpointStore.open(await temporaryFolder());
    const checkpoints = new RunCheckpoints(store, OPTIONS);
    expect(checkpoints.any).toBe(false);
    await checkpoints.phase().save(fit);
    expect(checkpoints.any).toBe(true);
    expect(new RunCheckpoints(store, { ...OPTIONS, from: { outcomes: [], fit } }).any).toBe(true);
  });
});

describe("what is no state of a run is refused", () => {
  const good = { outcomes: [{ ...json(outcome("head")) }] };

  function json({ parameters, ...rest }: PhaseOutcome): Record<string, Json | undefined> {
    return rest as unknown as Record<string, Json | undefined>; // histories are JSON but for their type
  }

  async function loaded(state: Json, snapshots: ReadonlyMap<string, Parameters> = new Map()): Promise<Loaded> {
    const store = await CheckpointStore.open(await temporaryFolder());
    await store.save({ name: "000000-000001", state, tensors: new Map(), snapshots });
    return (await store.latest())!;
  }

  test.each<[string, Json, ReadonlyMap<string, Parameters>]>([
    ["nothing", {}, new Map()],
    ["a list", [], new Map()],
    [
      "another history",
      { outcomes: [{ ...good.outcomes[0], history: [{ epoch: 1 }] }] },
      new Map([["phase 0", bits("head")]]),
    ],
    ["a phase without its parameters", good, new Map([["phase 1", bits("head")]])],
    ["half a count of steps", { outcomes: [], fit: { ...json(outcome("x")), steps: 1.5 } }, new Map()],
    [
      "a kept epoch without its parameters",
      {
        outcomes: [],
        fit: {
          steps: 1,
          averages: false,
          epoch: 1,
          done: 0,
          lossSum: 0,
          weightSum: 0,
          rate: 1,
          history: [],
          kept: [{ epoch: 1, value: 2 }],
          callbacks: {},
        },
      },
      new Map([["epoch 2", bits("head")]]),
    ],
  ])("%s", async (_, state, snapshots) => {
    const checkpoint = await loaded(state, snapshots);
    expect(() => runStateOf(checkpoint)).toThrow(
      expect.objectContaining({ code: "BAD_DATA", message: expect.stringContaining("is no checkpoint of a run") }),
    );
  });

  test("but the same whole is read", async () => {
    const { outcomes } = runStateOf(await loaded(good, new Map([["phase 0", bits("head")]])));
    expect(outcomes[0]!.parameters).toEqual(bits("head"));
  });
});
