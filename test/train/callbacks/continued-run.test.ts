/** All callbacks in a real fit: a run that is killed and continued leaves what one without a break leaves. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { memoryRows } from "../../../src/features/rows.ts";
import { constant } from "../../../src/optim/schedule.ts";
import { rng } from "../../../src/random.ts";
import type { Callback } from "../../../src/train/callback.ts";
import { csvLog } from "../../../src/train/callbacks/csv-log.ts";
import { earlyStopping } from "../../../src/train/callbacks/early-stopping.ts";
import { jsonLines } from "../../../src/train/callbacks/json-lines.ts";
import { reduceOnPlateau } from "../../../src/train/callbacks/reduce-on-plateau.ts";
import { saveWeights } from "../../../src/train/callbacks/save-weights.ts";
import { tensorBoard } from "../../../src/train/callbacks/tensor-board.ts";
import { fit as train } from "../../../src/train/fit.ts";
import type { FitState } from "../../../src/train/fit-options.ts";
import { clusters, headStep, WIDTH } from "../made.ts";
import { readRun } from "./event-reader.ts";
import { scratchFolder } from "./reports.ts";

const monitor = { measure: "loss", mode: "min" } as const;

function allCallbacks(folder: string): Callback[] {
  return [
    earlyStopping({ monitor, patience: 4 }),
    reduceOnPlateau({ monitor, factor: 0.5, patience: 2 }),
    csvLog({ file: join(folder, "log.csv") }),
    jsonLines({ file: join(folder, "log.jsonl") }),
    tensorBoard({ folder: join(folder, "board"), batches: 2 }),
    saveWeights({ folder: join(folder, "weights"), which: "every" }),
  ];
}

class Killed extends Error {}

interface Break {
  /** Step of the checkpoint, and the step at which the process ends without another word. */
  readonly checkpoint: number;
  readonly killed: number;
}

/** Validation losses by epoch: two plateaus, the second of which ends the run in epoch 9. */
const LOSSES = [3, 2, 2.5, 2.6, 1, 1.5, 1.6, 1.7, 1.8, 1.9];

/** Runs 10 epochs of 4 steps, or fewer; returns the state at the checkpoint of a run that is killed. */
async function run(folder: string, at?: Break, from?: FitState): Promise<FitState | undefined> {
  const { features, targets } = clusters(30);
  await using step = await headStep();
  let saved: FitState | undefined;
  const killer: Callback = {
    name: "killer",
    onStep: (report) => {
      if (report.step === at?.killed) throw new Killed();
    },
  };
  const done = train({
    step,
    train: { rows: memoryRows(features, WIDTH), targets },
    validate: async () => ({ loss: LOSSES[step.steps / 4 - 1]! }),
    epochs: 10,
    batchSize: 8,
    schedule: constant(0.05),
    monitor,
    rng: rng(1),
    callbacks: [...allCallbacks(folder), killer],
    checkpoints: {
      due: () => step.steps === at?.checkpoint,
      save: async (state) => {
        saved ??= structuredClone(state);
      },
    },
    from,
  });
  if (at) await expect(done).rejects.toMatchObject({ cause: expect.any(Killed) });
  else expect((await done).stopped).toBe("loss did not improve for 4 epochs");
  return saved;
}

function left(folder: string) {
  const weights = join(folder, "weights", "1-head");
  return {
    csv: readFileSync(join(folder, "log.csv"), "utf8"),
    json: readFileSync(join(folder, "log.jsonl"), "utf8"),
    board: readRun(join(folder, "board", "1-head")),
    weights: readdirSync(weights).map((name) => [name, readFileSync(join(weights, name), "base64")]),
  };
}

test("a run that is killed and continued leaves the files of one that was not", async () => {
  const folder = scratchFolder();
  await run(join(folder, "whole"));
  const whole = left(join(folder, "whole"));
  expect(whole.json.split("\n")).toHaveLength(9 + 1);
  expect(new Set(whole.board["learning_rate"]!.map(([, rate]) => rate)).size).toBe(3); // it fell twice
  for (const [i, at] of [
    { checkpoint: 1, killed: 3 }, // within the first epoch
    { checkpoint: 8, killed: 9 },
    { checkpoint: 10, killed: 11 },
    { checkpoint: 16, killed: 30 },
    { checkpoint: 24, killed: 25 },
  ].entries()) {
    const broken = join(folder, `broken ${i}`);
    const state = await run(broken, at);
    expect(state).toBeDefined();
    await run(broken, undefined, state);
    expect(left(broken)).toEqual(whole);
  }
});
