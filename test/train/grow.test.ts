import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { imageFolder } from "../../src/data/image-folder.ts";
import { bySplit, type Dataset } from "../../src/data/sample.ts";
import { LOSSES } from "../../src/losses/table.ts";
import { HEAD, logitsGraph } from "../../src/models/head.ts";
import { loadModel } from "../../src/models/load-model.ts";
import type { Model } from "../../src/models/model.ts";
import type { Callback } from "../../src/train/callback.ts";
import type { CallbackStates } from "../../src/train/fit-options.ts";
import { grow } from "../../src/train/grow.ts";
import { epochMeasures } from "../../src/train/measure.ts";
import type { FineTuneOptions, Progress } from "../../src/train/options.ts";
import type { PhaseOutcome } from "../../src/train/run-checkpoints.ts";
import { GraphScorer, scoreRows } from "../../src/train/score.ts";
import { targetsOf } from "../../src/train/targets.ts";
import { divided, temperatureOf } from "../../src/train/temperature.ts";
import { offScale } from "../../src/train/train-head.ts";
import { writeColorImages, writeTinyModel } from "../models/tiny.ts";
import { plant } from "./seedling.ts";

let model: Model;
let data: Dataset;

beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), "rootstock-grow-"));
  model = await loadModel(await writeTinyModel(join(root, "tiny.onnx")));
  data = await imageFolder(await writeColorImages(join(root, "images"), 8));
});

/** Counts the epochs of all phases, and remembers them. */
function counter() {
  const seen: string[] = [];
  const callback: Callback = {
    name: "count",
    onPhaseStart: ({ phase }) => void seen.push(phase),
    onEpochEnd: ({ epoch }) => void seen.push(String(epoch)),
    state: () => [...seen],
    restore: (state) => {
      seen.splice(0, seen.length, ...(state as string[]));
    },
  };
  return { seen, callback };
}

async function run(options: FineTuneOptions, outcomes: readonly PhaseOutcome[] = [], more: readonly Callback[] = []) {
  const given: FineTuneOptions = { epochs: 2, learningRate: 0.01, augmentation: "none", cache: false, ...options };
  const { plan, seedling } = await plant(model, data, given);
  const { seen, callback } = counter();
  const state = { outcomes, fit: undefined };
  const opened = { folder: undefined, checkpoints: undefined, state, listeners: [callback, ...more] };
  await using grown = await grow(seedling, plan, opened, given);
  const { head, backbone, scoring, rows } = grown;
  // Both ways to the logits of validation: the part that reads rows, and the whole backbone on images is tested by the export.
  await using scorer = await GraphScorer.create(logitsGraph(scoring, offScale(head, seedling.scale)), { threads: 1 });
  const logits = await scoreRows(scorer, rows.split("validation").rows);
  return { seen, outcomes: grown.outcomes, head, backbone, logits, start: seedling.head, before: seedling.backbone };
}

/** The loss of the validation split, at the best temperature where more than a head has trained. */
async function lossOf(logits: Float32Array, divisor?: "temperature"): Promise<number> {
  const { classes } = data;
  const targets = targetsOf(data, bySplit(data, "validation"));
  const by = divisor && temperatureOf(logits, targets, { classes, activation: "softmax" });
  const loss = LOSSES["cross-entropy"]();
  return (await epochMeasures(divided(logits, by), { targets, classes, loss, scale: undefined }))["loss"]!;
}

/** The loss that a phase has measured in its best epoch. */
function measuredIn({ history, bestEpoch }: PhaseOutcome): number {
  return history[bestEpoch - 1]!.validation["loss"]!;
}

test("a probe has no phases: the head is what it was, on rows of features", async () => {
  const { outcomes, head, start, backbone, before, logits, seen } = await run({
    strategy: "probe",
    learningRate: undefined,
    epochs: undefined,
  });
  expect([outcomes, seen]).toEqual([[], []]);
  expect(head).toBe(start);
  expect(backbone).toBe(before);
  expect([...logits].every((value) => value === 0)).toBe(true); // of a head of zeros
});

test("a head trains on features and leaves the backbone", async () => {
  const { outcomes, backbone, before, logits, head } = await run({ strategy: "head" });
  expect(outcomes.map(({ phase }) => phase)).toEqual(["head"]);
  expect(backbone).toBe(before);
  expect(head).toBe(outcomes[0]!.parameters);
  expect(await lossOf(logits)).toBeCloseTo(measuredIn(outcomes[0]!), 4);
});

test("phases go on from each other: a phase that learns nothing ends where the one before has", async () => {
  const { outcomes, seen, logits, backbone, before } = await run({ strategy: "gradual", keepHead: false });
  expect(outcomes.map(({ phase }) => phase)).toEqual(["last", "all"]); // the network has two stages
  expect(seen).toEqual(["last", "1", "2", "all", "1", "2"]);
  // The network that is left gives what the last phase measured.
  expect(await lossOf(logits, "temperature")).toBeCloseTo(measuredIn(outcomes[1]!), 4);
  const [last, all] = outcomes.map(({ parameters }) => parameters);
  expect(last!.has("weight")).toBe(false);
  expect(backbone.initializers.get("weight")).toEqual(all!.get("weight"));
  expect(backbone.initializers.get("weight")!.data).not.toEqual(before.initializers.get("weight")!.data);
  // A phase that cannot move measures what the phase before has measured.
  const still = await run({ strategy: "gradual", learningRate: 1e-12, keepHead: false }, outcomes.slice(0, 1));
  expect(measuredIn(still.outcomes[1]!)).toBeCloseTo(measuredIn(outcomes[0]!), 4);
});

test("phases that have ended are not trained again, and the rest is what it was, with what callbacks remember", async () => {
  let rows = 0;
  const onProgress = ({ kind }: Progress): void => {
    if (kind === "features") rows++;
  };
  const whole = await run({ strategy: "gradual", onProgress });
  expect(rows).toBe(2 * data.samples.length);
  for (const count of [1, 2]) {
    rows = 0;
    const rest = await run({ strategy: "gradual", onProgress }, whole.outcomes.slice(0, count));
    expect(rows).toBe(data.samples.length); // of the last phase alone
    expect(rest.outcomes).toEqual(whole.outcomes);
    expect(rest.head).toEqual(whole.head);
    expect(rest.logits).toEqual(whole.logits);
    expect(rest.backbone.initializers).toEqual(whole.backbone.initializers);
    expect(rest.seen).toEqual(count === 2 ? [] : whole.seen);
  }
  const remembered: CallbackStates = whole.outcomes[0]!.callbacks;
  expect(Object.values(remembered)).toContainEqual(["last", "1", "2"]);
});

test("a callback may end the phase, or the run: then no other phase begins, also where the run goes on from there", async () => {
  const stopper = (all: boolean): Callback => ({
    name: "stop",
    onEpochEnd: (_, control) => control.stop("enough", { all }),
  });
  const phase = await run({ strategy: "gradual" }, [], [stopper(false)]);
  expect(phase.seen).toEqual(["last", "1", "all", "1"]);
  const whole = await run({ strategy: "gradual" }, [], [stopper(true)]);
  expect(whole.seen).toEqual(["last", "1"]);
  expect(whole.outcomes.map(({ stopped }) => stopped)).toEqual(["enough"]);
  const rest = await run({ strategy: "gradual" }, whole.outcomes);
  expect([rest.outcomes, rest.head, rest.logits]).toEqual([whole.outcomes, whole.head, whole.logits]);
});

test("a head starts from the probe, which is left where numbers leave their range", async () => {
  const broken = { strategy: "head", optimizer: "sgd", learningRate: 3e38, warmup: 0, batchSize: 4 } as const;
  const warnings: string[] = [];
  const onProgress = (event: Progress) => event.kind === "warning" && warnings.push(event.text);
  const { outcomes, head, start } = await run({ ...broken, onProgress });
  expect([outcomes[0]!.bestEpoch, head]).toEqual([0, start]);
  expect(warnings).toEqual([expect.stringContaining("what it started with is kept. Use a smaller learning rate.")]);
  await expect(run({ ...broken, keepHead: false })).rejects.toMatchObject({ code: "DIVERGED" });
});

test("a phase that fails ends the run with its error", async () => {
  const broken = run({ strategy: "last", optimizer: "sgd", learningRate: 1e30, keepHead: false });
  await expect(broken).rejects.toMatchObject({ code: "DIVERGED" });
  await expect(run({ strategy: "last", signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
  expect((await run({ strategy: "last" })).head.has(HEAD.weight)).toBe(true);
});
