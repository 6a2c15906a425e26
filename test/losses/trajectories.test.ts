/** Training with every loss and option goes where PyTorch goes: 50 steps of plain gradient descent of a linear model. */
import { describe, expect, test } from "vitest";
import { weightTargets } from "../../src/losses/class-weights.ts";
import { LOSS_OPTION_NAMES, LOSSES, type LossName, type LossOptions } from "../../src/losses/table.ts";
import { selectTargets } from "../../src/losses/targets.ts";
import { FEATURES } from "../../src/models/backbone.ts";
import { HEAD, headGraph } from "../../src/models/head.ts";
import { sgd } from "../../src/optim/sgd.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { TrainStep } from "../../src/train/train-step.ts";
import { golden, type TargetKind, targetsFrom } from "./golden.ts";

interface Trajectories {
  readonly n: number;
  readonly width: number;
  readonly numClasses: number;
  readonly batch: number;
  readonly rate: number;
  readonly features: readonly number[];
  readonly start: { readonly weight: readonly number[]; readonly bias: readonly number[] };
  readonly targets: Readonly<Record<TargetKind, readonly number[]>>;
  readonly runs: readonly {
    readonly loss: LossName;
    readonly targets: TargetKind;
    readonly options: LossOptions;
    readonly losses: readonly number[];
    readonly weight: readonly number[];
    readonly bias: readonly number[];
  }[];
}

const GOLDEN: Trajectories = golden("trajectories.json");
const RUNS = GOLDEN.runs.map((run) => [`${run.loss} of ${run.targets} ${JSON.stringify(run.options)}`, run] as const);

/** The largest difference, relative to the largest expected number. */
function distance(got: Iterable<number>, wanted: readonly number[]): number {
  const size = Math.max(...wanted.map(Math.abs));
  return Math.max(...Array.from(got, (value, i) => Math.abs(value - wanted[i]!))) / size;
}

describe.each([
  ["batches of any size", undefined],
  ["batches of one size", GOLDEN.batch],
])("in graphs for %s", (_, batchSize) => {
  test.each(RUNS)("%s", async (__, run) => {
    const { n, width, numClasses, batch, rate, features, start } = GOLDEN;
    const loss = LOSSES[run.loss](run.options);
    const targets = weightTargets(targetsFrom(run.targets, GOLDEN.targets[run.targets], numClasses), loss.rowWeights);
    await using step = await TrainStep.create({
      forward: headGraph({ width, numClasses }),
      input: FEATURES,
      parameters: new Map([
        [HEAD.weight, float32([numClasses, width], start.weight)],
        [HEAD.bias, float32([numClasses], start.bias)],
      ]),
      loss,
      optimizer: sgd({ momentum: 0 }),
      numClasses,
      batchSize,
      session: { threads: 1 },
    });
    const losses: number[] = [];
    while (losses.length < run.losses.length) {
      const rows = Array.from({ length: batch }, (_, i) => (losses.length * batch + i) % n);
      const samples = Float32Array.from(rows.flatMap((row) => features.slice(row * width, (row + 1) * width)));
      losses.push(await step.run(samples, selectTargets(targets, rows), rate));
    }
    const trained = await step.parameters();
    expect(losses.length).toBe(50);
    expect(distance(losses, run.losses)).toBeLessThan(2e-6);
    expect(distance(trained.get(HEAD.weight)!.data, run.weight)).toBeLessThan(2e-6);
    expect(distance(trained.get(HEAD.bias)!.data, run.bias)).toBeLessThan(2e-6);
  });
});

test("every loss and every option has a run", () => {
  const covered = new Map(Object.keys(LOSSES).map((name) => [name, new Set<string>()]));
  for (const { loss, options } of GOLDEN.runs) for (const name of Object.keys(options)) covered.get(loss)!.add(name);
  for (const [name, options] of Object.entries(LOSS_OPTION_NAMES))
    expect([...covered.get(name)!].sort(), name).toEqual([...options].sort());
  expect(new Set(GOLDEN.runs.map(({ loss }) => loss)).size).toBe(Object.keys(LOSSES).length);
});
