/** Curves of a run for TensorBoard, which is started with `tensorboard --logdir <folder>`. */
import { mkdir, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Json } from "../../json.ts";
import { shown } from "../../transforms/known-options.ts";
import { cannotWrite } from "../../weights/files.ts";
import type { Callback, EpochReport } from "../callback.ts";
import { now as clock } from "../run-record.ts";
import { append } from "./append.ts";
import { checkOptions } from "./check-options.ts";
import { type EventRecord, encodeEvent } from "./event-file.ts";
import { phaseCount } from "./phase-count.ts";
import { restored } from "./restored.ts";

export interface TensorBoardOptions {
  /** Folder for the event files, made if needed; each phase has its own in it: 1-head, 2-last. */
  readonly folder: string;
  /** Steps from one point of a batch's loss to the next; 0 for none. @default 10 */
  readonly batches?: number | undefined;
  /** Settings of the run, for TensorBoard's page of texts. @default {} */
  readonly hyperparameters?: Readonly<Record<string, Json | undefined>> | undefined;
  /** Gives the time, in milliseconds since 1970. @default clock */
  readonly now?: (() => number) | undefined;
}

const NAME = "tensor-board";

const OPTIONS: Readonly<Record<keyof TensorBoardOptions, true>> = {
  folder: true,
  batches: true,
  hyperparameters: true,
  now: true,
};

const stateSchema = z.strictObject({
  phases: z.json(),
  /** The last step of an epoch that has not ended, and the point of its batch if it has one; absent between epochs. */
  within: z.strictObject({ values: z.record(z.string(), z.number()).optional() }).optional(),
});
type BatchPoint = NonNullable<z.infer<typeof stateSchema>["within"]>;

/**
 * Writes TensorBoard event files: train/loss, validation/<measure> and learning_rate after each epoch, train/batch_loss
 * between. Steps are updates of the whole run, and every phase is a run of TensorBoard: so each measure has one chart in
 * which the phases follow each other in colors of their own, and can be shown and hidden one by one.
 * What an epoch said is on the disk before training goes on. A continued run, and a new one in the same folder, opens a
 * further file, which marks the step from which on it replaces what older files say; none is changed or removed.
 * The callback throws RootstockError CANNOT_WRITE.
 * @throws RangeError if the folder has no name, or an option is out of its range; RootstockError BAD_CONFIG without
 *   options, or for one that there is not.
 */
export function tensorBoard(options: TensorBoardOptions): Callback {
  checkOptions(NAME, options, { known: OPTIONS, example: 'tensorBoard({ folder: "logs" })' });
  const { folder, batches = 10, hyperparameters = {}, now = clock } = options;
  if (typeof folder !== "string" || folder === "")
    throw new RangeError(`${NAME} requires the name of a folder, got ${shown(folder)}.`);
  if (!Number.isSafeInteger(batches) || batches < 0)
    throw new RangeError(`batches requires a whole number from 0, got ${batches}.`);
  const phases = phaseCount(NAME);
  let file = "";
  let stepsBefore = 0;
  let within: BatchPoint | undefined; // where the epoch under way is
  const event = (step: number, what: EventRecord["what"]): Uint8Array =>
    encodeEvent({ wallTime: now() / 1000, step, what });
  return {
    name: NAME,
    onPhaseStart: async (report) => {
      const phase = phases.start(report);
      ({ stepsBefore } = phase);
      const done = stepsBefore + phase.steps;
      if (!phase.continued) within = undefined;
      file = await createFile(join(folder, phase.folder), now());
      // What the run before said of the checkpoint's step is replaced too where the epoch had not ended.
      const from = phase.continued ? done + (within ? 0 : 1) : 0;
      const head = [event(0, { kind: "version" }), event(from, { kind: "start" })];
      if (within?.values) head.push(event(done, { kind: "scalars", values: within.values }));
      const markdown = tableOf(hyperparameters);
      if (markdown !== "" && !phase.continued)
        head.push(event(stepsBefore, { kind: "text", tag: "hyperparameters", markdown }));
      await append(file, Buffer.concat(head), { durable: true });
    },
    onStep: async ({ step, loss, learningRate }) => {
      phases.reached(step);
      within = {};
      if (batches === 0 || step % batches !== 0) return;
      const values = { "train/batch_loss": loss, learning_rate: learningRate };
      within = { values };
      await append(file, event(stepsBefore + step, { kind: "scalars", values }), { durable: false });
    },
    onEpochEnd: async (report) => {
      phases.reached(report.steps);
      const rate = within?.values ? {} : { learning_rate: report.learningRate }; // no point twice
      within = undefined;
      const values = { ...scalarsOf(report), ...rate };
      await append(file, event(stepsBefore + report.steps, { kind: "scalars", values }), { durable: true });
    },
    state: () => ({ phases: phases.state(), within }),
    restore: (state) => {
      const before = restored(NAME, stateSchema, state);
      phases.restore(before.phases);
      within = before.within;
    },
  };
}

function scalarsOf({ trainLoss, validation }: EpochReport): Record<string, number> {
  const measures = Object.entries(validation).map(([name, value]) => [`validation/${name}`, value] as const);
  return { "train/loss": trainLoss, ...Object.fromEntries(measures) };
}

const FILE = /^events\.out\.tfevents\.(\d{10})\.rootstock$/;

/**
 * Makes an empty event file and returns its path. TensorBoard reads the files of a run in the order of their names, so
 * the name comes after all others even if the clock was put back.
 */
async function createFile(folder: string, milliseconds: number): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    const taken = (await readdir(folder)).map((name) => Number(FILE.exec(name)?.[1] ?? 0));
    const seconds = taken.reduce((most, other) => Math.max(most, other + 1), Math.floor(milliseconds / 1000));
    const path = join(folder, `events.out.tfevents.${String(seconds).padStart(10, "0")}.rootstock`);
    await (await open(path, "wx")).close();
    return path;
  } catch (cause) {
    throw cannotWrite(folder, cause);
  }
}

/** Settings as a table in Markdown; without any, an empty text. */
function tableOf(settings: Readonly<Record<string, Json | undefined>>): string {
  const rows = Object.entries(settings).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [`| ${cell(name)} | ${cell(typeof value === "string" ? value : JSON.stringify(value))} |`],
  );
  return rows.length === 0 ? "" : ["| setting | value |", "| --- | --- |", ...rows].join("\n");
}

/** Text that Markdown shows as it is: on one line, with nothing that it takes for markup. */
function cell(text: string): string {
  return text
    .replace(/[\r\n]+/g, " ")
    .replace(/[\\`*_[\]|~]/g, "\\$&")
    .replaceAll("<", "&lt;");
}
