import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Callback } from "../../../src/train/callback.ts";
import { type TensorBoardOptions, tensorBoard } from "../../../src/train/callbacks/tensor-board.ts";
import { readEvents, readRun } from "./event-reader.ts";
import { epochReport, phaseReport, recordedControl, scratchFolder } from "./reports.ts";

const { control } = recordedControl();
const SECONDS = 1_800_000_000;

/** A callback with a clock that moves by half a second whenever it is asked. */
function board(options: TensorBoardOptions, start = SECONDS): Callback {
  let time = start * 1000;
  return tensorBoard({ now: () => (time += 500), ...options });
}

interface Stretch {
  readonly phase?: string;
  /** The first epoch that is trained, and the last one. */
  readonly from?: number;
  readonly to: number;
}

/** Some epochs of 10 steps each, with losses that are known by their step. */
async function train(callback: Callback, { phase = "head", from = 1, to }: Stretch): Promise<void> {
  await callback.onPhaseStart?.(phaseReport({ phase, epochsDone: from - 1 }), control);
  for (let epoch = from; epoch <= to; epoch++) {
    for (let step = 10 * epoch - 9; step <= 10 * epoch; step++)
      await callback.onStep?.({ phase, epoch, step, loss: 1 / step, learningRate: 1 / 2 ** epoch }, control);
    const validation = { loss: 2 / epoch, accuracy: epoch / 100 };
    await callback.onEpochEnd?.(epochReport(epoch, { phase, validation, learningRate: 1 / 2 ** epoch }), control);
  }
  await callback.onPhaseEnd?.();
}

const files = (folder: string): string[] => readdirSync(folder).sort();
const events = (folder: string) => files(folder).flatMap((name) => readEvents(readFileSync(join(folder, name))));

test("each phase is a run, with steps that count on", async () => {
  const folder = scratchFolder();
  const callback = board({ folder, batches: 4 });
  await train(callback, { to: 2 });
  await train(callback, { phase: "last", to: 1 });
  expect(files(folder)).toEqual(["1-head", "2-last"]);
  const f = Math.fround;
  expect(readRun(join(folder, "1-head"))).toEqual({
    "train/batch_loss": [4, 8, 12, 16, 20].map((step) => [step, f(1 / step)]),
    "train/loss": [
      [10, 1],
      [20, 0.5],
    ],
    "validation/loss": [
      [10, 2],
      [20, 1],
    ],
    "validation/accuracy": [
      [10, f(0.01)],
      [20, f(0.02)],
    ],
    learning_rate: [4, 8, 10, 12, 16, 20].map((step) => [step, step > 10 ? 0.25 : 0.5]),
  });
  expect(readRun(join(folder, "2-last"))).toMatchObject({
    "train/batch_loss": [
      [24, 0.25],
      [28, 0.125],
    ],
    "train/loss": [[30, 1]],
    learning_rate: [24, 28, 30].map((step) => [step, 0.5]),
  });
});

test("a file says its version first, then that the run starts; names and times come from the clock", async () => {
  const folder = scratchFolder();
  await train(board({ folder }), { to: 1 });
  expect(files(join(folder, "1-head"))).toEqual([`events.out.tfevents.${SECONDS}.rootstock`]);
  const all = events(join(folder, "1-head"));
  expect(all.slice(0, 2)).toMatchObject([
    { fileVersion: "brain.Event:2", step: 0 },
    { session: 1, step: 0 },
  ]);
  expect(all.map(({ wallTime }) => wallTime)).toEqual(all.map((_, i) => SECONDS + 1 + i / 2));
});

test("what was said is in the file at once: a run that is killed loses nothing", async () => {
  const folder = scratchFolder();
  const callback = board({ folder, batches: 1 });
  await callback.onPhaseStart?.(phaseReport(), control);
  expect(events(join(folder, "1-head"))).toHaveLength(2);
  await callback.onStep?.({ phase: "head", epoch: 1, step: 1, loss: 1, learningRate: 1 }, control);
  expect(events(join(folder, "1-head"))).toHaveLength(3);
  await callback.onEpochEnd?.(epochReport(1), control);
  expect(events(join(folder, "1-head"))).toHaveLength(4);
});

test.each([
  ["at the checkpoint", 2, 2, ""],
  ["an epoch later", 2, 3, ""],
  ["while it wrote", 2, 4, "\u0030\u0000\u0000"],
  ["before the first epoch ended", 0, 0, ""],
])("a continued run shows what one without a break shows: killed %s", async (_when, checkpoint, killed, half) => {
  const folder = scratchFolder();
  await train(board({ folder: join(folder, "whole"), batches: 3 }), { to: 5 });
  const whole = readRun(join(folder, "whole", "1-head"));
  const first = board({ folder: join(folder, "broken"), batches: 3 });
  await train(first, { to: checkpoint });
  const state = JSON.parse(JSON.stringify(first.state?.()));
  const lost = board({ folder: join(folder, "lost"), batches: 3 });
  await train(lost, { to: killed });
  // The file of the run that went on beyond the checkpoint until it was killed.
  const run = join(folder, "broken", "1-head");
  const name = files(run)[0]!;
  writeFileSync(join(run, name), readFileSync(join(folder, "lost", "1-head", name)));
  appendFileSync(join(run, name), half);
  const second = board({ folder: join(folder, "broken"), batches: 3 });
  second.restore?.(state);
  await train(second, { from: checkpoint + 1, to: 5 });
  expect(readRun(run)).toEqual(whole);
  expect(files(run)).toEqual([name, `events.out.tfevents.${SECONDS + 1}.rootstock`]); // later, by the same clock
});

test("a run that is continued in a later phase counts on from all steps before", async () => {
  const folder = scratchFolder();
  const first = board({ folder });
  await train(first, { to: 3 });
  await train(first, { phase: "last", to: 1 });
  const second = board({ folder }, SECONDS - 1000); // the clock was put back
  second.restore?.(JSON.parse(JSON.stringify(first.state?.())));
  await train(second, { phase: "last", from: 2, to: 2 });
  expect(files(folder)).toEqual(["1-head", "2-last"]);
  expect(readRun(join(folder, "2-last"))["train/loss"]).toEqual([
    [40, 1],
    [50, 0.5],
  ]);
});

test("a new run in the folder of another one replaces what is shown, and removes nothing", async () => {
  const folder = scratchFolder();
  await train(board({ folder }), { to: 4 });
  await train(board({ folder }), { to: 1 });
  expect(readRun(join(folder, "1-head"))["train/loss"]).toEqual([[10, 1]]);
  expect(files(join(folder, "1-head"))).toHaveLength(2);
});

test("settings are a table on the page of texts, as they are written", async () => {
  const folder = scratchFolder();
  const hyperparameters = {
    optimizer: "adamw",
    rate: 1e-3,
    betas: [0.9, 0.999],
    "odd|name": "a\n<b>*`",
    none: undefined,
  };
  await train(board({ folder, hyperparameters }), { to: 0 });
  const [text] = events(join(folder, "1-head")).filter(({ texts }) => Object.keys(texts).length > 0);
  expect(text!.texts["hyperparameters"]).toBe(
    "| setting | value |\n| --- | --- |\n| optimizer | adamw |\n| rate | 0.001 |\n| betas | \\[0.9,0.999\\] |\n" +
      "| odd\\|name | a &lt;b>\\*\\` |",
  );
});

test.each([
  ["a file", (folder: string) => join(folder, "file")],
  ["below a file", (folder: string) => join(folder, "file", "a")],
  ["with a zero byte", (folder: string) => join(folder, "a\0")],
])("a folder that cannot be made is a clear error before training: %s", async (_what, path) => {
  const folder = scratchFolder();
  writeFileSync(join(folder, "file"), "");
  const callback = board({ folder: path(folder) });
  await expect(callback.onPhaseStart?.(phaseReport(), control)).rejects.toMatchObject({
    code: "CANNOT_WRITE",
    message: expect.stringMatching(/^cannot write .*Choose another place/s),
  });
});

test("options out of range and a foreign state are refused", () => {
  expect(() => tensorBoard({ folder: "" })).toThrow('tensor-board requires the name of a folder, got "".');
  expect(() => tensorBoard({ folder: "a", batches: -1 })).toThrow("batches requires a whole number from 0, got -1.");
  expect(() => tensorBoard({ folder: "a" }).restore?.([])).toThrow(/tensor-board cannot go on/);
});
