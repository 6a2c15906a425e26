/** States that are read from checkpoints of which a part is lost or another run's; whole ones are in run-checkpoints.test.ts. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Parameters } from "../../src/models/head.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { CheckpointStore, type Loaded } from "../../src/train/checkpoints/checkpoint-store.ts";
import type { FitState } from "../../src/train/fit-options.ts";
import { RunCheckpoints } from "../../src/train/run-checkpoints.ts";
import { lossOf, mayLack, runStateOf } from "../../src/train/run-state.ts";
import { temporaryFolder } from "../data/made.ts";

const weights = (value: number): Parameters => new Map([["w", float32([2], [value, -value])]]);

const FIT: FitState = {
  trainer: {
    steps: 6,
    parameters: new Map([...weights(9), ["mean", float32([1], [3])]]),
    slots: new Map(),
    average: undefined,
  },
  epoch: 3,
  done: 0,
  lossSum: 0,
  weightSum: 0,
  rate: 1,
  stopped: undefined,
  history: [1, 2].map((epoch) => ({
    phase: "last",
    epoch,
    epochs: 4,
    steps: 3 * epoch,
    learningRate: 0.1,
    trainLoss: 1,
    validation: { loss: 1 / epoch },
    best: true,
  })),
  kept: [
    { epoch: 2, value: 0.5, parameters: weights(2) },
    { epoch: 1, value: 1, parameters: weights(1) },
    { epoch: 0, value: 2, parameters: weights(5) },
  ],
  callbacks: {},
};

/** What is read of a checkpoint whose kept epochs of these numbers have a byte flipped. */
async function without(epochs: readonly number[], changes: Partial<FitState> = {}): Promise<Loaded> {
  const folder = await temporaryFolder();
  const store = await CheckpointStore.open(folder);
  const fit = { ...FIT, ...changes };
  const options = { seconds: 0, run: "one", phases: 1 };
  const before = new Set<string>();
  const files = new Map<number, string>();
  for (const { epoch, parameters } of fit.kept) {
    const kept = [...fit.kept.filter((one) => files.has(one.epoch)), { epoch, value: 0, parameters }];
    await new RunCheckpoints(store, options).phase().save({ ...fit, kept });
    const fresh = (await readdir(folder)).find((name) => name.startsWith("snapshot-") && !before.has(name))!;
    before.add(fresh);
    files.set(epoch, join(folder, fresh));
  }
  await new RunCheckpoints(store, options).phase().save(fit);
  for (const epoch of epochs) {
    const bytes = await readFile(files.get(epoch)!);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(files.get(epoch)!, bytes);
  }
  return (await (await CheckpointStore.open(folder)).latest({ mayLack }))!;
}

const keptOf = (loaded: Loaded) => runStateOf(loaded).fit!.kept.map(({ epoch, value }) => [epoch, value]);

describe("a best epoch that is lost", () => {
  test.each<[readonly number[], readonly (readonly number[])[]]>([
    [
      [],
      [
        [2, 0.5],
        [1, 1],
        [0, 2],
      ],
    ],
    [
      [2],
      [
        [1, 1],
        [0, 2],
      ],
    ],
    [[1, 0], [[2, 0.5]]],
  ])("%j is left out", async (epochs, left) => {
    const loaded = await without(epochs);
    expect(loaded.lost.map(({ name }) => name).sort()).toEqual(epochs.map((epoch) => `epoch ${epoch}`).sort());
    expect(keptOf(loaded)).toEqual(left);
  });

  test("with all others has the last epoch in its place, which any other is better than", async () => {
    const { fit } = runStateOf(await without([0, 1, 2]));
    expect(fit!.kept).toEqual([{ epoch: 2, value: Number.NaN, parameters: FIT.trainer.parameters }]);
    const averaged = { ...FIT.trainer, average: weights(7) };
    const [kept] = runStateOf(await without([0, 1, 2], { trainer: averaged })).fit!.kept;
    expect([...kept!.parameters.get("w")!.data, ...kept!.parameters.get("mean")!.data]).toEqual([7, -7, 3]);
  });

  test("within an epoch, or before the first, has none in its place", async () => {
    expect(keptOf(await without([0, 1, 2], { done: 4 }))).toEqual([]);
    expect(keptOf(await without([0], { epoch: 1, history: [], kept: FIT.kept.slice(2) }))).toEqual([]);
  });

  test("is told by its number, with the reason", () => {
    expect(lossOf({ name: "epoch 3", reason: "it is damaged." })).toBe(
      "the weights of epoch 3, one of the best so far, are lost: it is damaged. The run goes on without them: what it keeps in the end is the best of what is left.",
    );
    expect(lossOf({ name: "epoch 0", reason: "x" })).toMatch(
      /^the weights of the start, one of the best so far, are lost: x\./,
    );
  });
});

test("a checkpoint says whose it is, and another run's is refused", async () => {
  const loaded = await without([]);
  expect(runStateOf(loaded, "one").fit!.epoch).toBe(3);
  expect(() => runStateOf(loaded, "other")).toThrow(
    `resume requires a checkpoint of the run itself, got ${loaded.file}, which a run with other settings or images has saved.`,
  );
  const { run: _, ...unsaid } = loaded.state as Record<string, never>;
  expect(runStateOf({ ...loaded, state: unsaid }, "other").fit!.epoch).toBe(3); // an older release did not say
});
