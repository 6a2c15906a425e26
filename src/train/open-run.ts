/** Where a run writes what it knows: a new folder, that of the interrupted run which goes on, or nowhere. */
import { access } from "node:fs/promises";
import { join } from "node:path";
import { count } from "../data/dataset-notes.ts";
import { type Dataset, manifest } from "../data/sample.ts";
import { applySavedSplit, savedSplit } from "../data/splits/saved-split.ts";
import { listed, messageOf, RootstockError } from "../errors.ts";
import type { Json } from "../json.ts";
import type { Callback } from "./callback.ts";
import { tensorBoard } from "./callbacks/tensor-board.ts";
import { CheckpointStore } from "./checkpoints/checkpoint-store.ts";
import { claimRunFolder, reclaimRunFolder } from "./claim-run-folder.ts";
import type { FineTuneOptions } from "./options.ts";
import { RunCheckpoints, type RunState } from "./run-checkpoints.ts";
import { RUN_FILES, RUN_LAYOUT, RUN_MARK, type RunFolder } from "./run-folder.ts";
import { runHash } from "./run-identity.ts";
import { environment } from "./run-record.ts";
import { lossOf, mayLack, runStateOf } from "./run-state.ts";
import { dataChanges } from "./same-data.ts";

/** A run that may begin, or go on. */
export interface OpenRun {
  readonly folder: RunFolder | undefined;
  readonly checkpoints: RunCheckpoints | undefined;
  /** Where it goes on; nothing has ended in a new run. */
  readonly state: RunState;
  /** They write and show each epoch. */
  readonly listeners: readonly Callback[];
}

export interface OpenRunOptions {
  /** Everything that decides the result, besides the images; JSON-safe. */
  readonly identity: object;
  /** Names of its phases, in order. */
  readonly phases: readonly string[];
  readonly data: Dataset;
}

/** What a run may be told of where and how it keeps its state. */
export type KeepOptions = Pick<
  FineTuneOptions,
  "out" | "resume" | "checkpointSeconds" | "keepCheckpoints" | "about" | "tensorBoard" | "callbacks" | "onProgress"
>;

/**
 * The data in the splits of the interrupted run, which were drawn again where copies of a picture were found. What else
 * differs is said when the run is opened.
 */
export async function inSplitsOf<D extends Dataset>(run: string, data: D): Promise<D> {
  try {
    const { samples } = applySavedSplit(data.samples, await savedSplit(run), { classes: data.classes, together: [] });
    return { ...data, samples };
  } catch (error) {
    if (error instanceof RootstockError) return data;
    throw error;
  }
}

/** Whether an interrupted run has kept what was found when its images were looked at. */
export async function isChecked(run: string | undefined): Promise<boolean> {
  if (run === undefined) return true;
  return await access(join(run, RUN_FILES.check)).then(
    () => true,
    () => false,
  );
}

const FRESH: RunState = { outcomes: [], fit: undefined };

/**
 * Claims the run's folder and writes what is known before it begins, or reads where the interrupted run was.
 * @throws RootstockError BAD_CONFIG if the folder cannot be used, or is of a run with other settings; BAD_DATA if the
 * images are others now.
 */
export async function openRun({ identity, phases, data }: OpenRunOptions, options: KeepOptions): Promise<OpenRun> {
  const { out, resume = false, checkpointSeconds = 30, keepCheckpoints = 2 } = options;
  if (out === undefined) {
    if (resume) throw new RootstockError("BAD_CONFIG", "resume requires out, the folder of the interrupted run.");
    return { folder: undefined, checkpoints: undefined, state: FRESH, listeners: listenersOf(undefined, options) };
  }
  const onWarning = (text: string): void => options.onProgress?.({ kind: "warning", text });
  const kept = { seconds: checkpointSeconds, run: runHash(identity, data), phases: phases.length, onWarning };
  if (!resume) {
    const folder = await claimRunFolder(out, { onWarning });
    return await orClosed(folder, async () => {
      await folder.write("config", { [RUN_MARK]: RUN_LAYOUT, ...identity, data: data.root, about: options.about });
      await folder.write("environment", environment());
      await folder.write("data", manifest(data));
      const store = await CheckpointStore.open(folder.file("checkpoints"), { keep: keepCheckpoints });
      const checkpoints = new RunCheckpoints(store, kept);
      return { folder, checkpoints, state: FRESH, listeners: listenersOf(folder, options) };
    });
  }
  const { folder, config } = await reclaimRunFolder(out, { onWarning });
  return await orClosed(folder, async () => {
    await requireSameData(folder, data); // first: settings follow from the data
    requireSame(config, identity, folder.path);
    const store = await CheckpointStore.open(folder.file("checkpoints"), { keep: keepCheckpoints });
    const latest = await store.latest({ mayLack });
    for (const { file, reason } of latest?.skipped ?? []) onWarning(`the checkpoint ${file} is skipped: ${reason}`);
    const state = latest ? runStateOf(latest, kept.run) : FRESH;
    requireOwn(state, phases, latest?.file ?? "");
    for (const lost of latest?.lost ?? []) onWarning(lossOf(lost));
    await folder.rewrite("metrics", [
      ...state.outcomes.flatMap(({ history }) => history),
      ...(state.fit?.history ?? []),
    ]);
    options.onProgress?.({ kind: "plan", text: `resume    ${describe(state)}` });
    const checkpoints = new RunCheckpoints(store, { ...kept, from: latest && state });
    return { folder, checkpoints, state, listeners: listenersOf(folder, options) };
  });
}

/** Lets go of the folder where what is to be done in it fails. */
async function orClosed<T>(folder: RunFolder, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await folder.close();
    throw error;
  }
}

/** @throws RootstockError BAD_CONFIG naming what is another setting than that of the interrupted run. */
function requireSame(config: Readonly<Record<string, unknown>>, identity: object, path: string): void {
  const text = (value: unknown): string => JSON.stringify(value) ?? "nothing";
  const others = Object.entries(identity).flatMap(([name, value]) => differences(name, config[name], value));
  if (others.length === 0) return;
  const shown = others.map(
    ({ name, was, is }) => `${name} was ${text(was).slice(0, 80)} and is ${text(is).slice(0, 80)}`,
  );
  throw new RootstockError(
    "BAD_CONFIG",
    `resume requires the settings of the interrupted run ${path}, but ${listed(shown, 3)}. Resume with the same settings, or start a new run.`,
  );
}

function differences(name: string, was: unknown, is: unknown): { name: string; was: unknown; is: unknown }[] {
  if (JSON.stringify(was) === JSON.stringify(is)) return [];
  const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
  if (!isObject(was) || !isObject(is) || Array.isArray(is)) return [{ name, was, is }];
  const keys = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  return keys.flatMap((key) => differences(`${name}.${key}`, was[key], is[key]));
}

/** @throws RootstockError BAD_DATA if the images, their targets or their splits are not those of the interrupted run. */
async function requireSameData(folder: RunFolder, data: Dataset): Promise<void> {
  let saved: unknown;
  try {
    saved = JSON.parse(await folder.read("data"));
  } catch (cause) {
    throw new RootstockError(
      "BAD_DATA",
      `resume requires the record of images of the interrupted run, ${folder.file("data")}, which cannot be read: ${messageOf(cause)}. Start a new run.`,
      { cause },
    );
  }
  const changes = dataChanges(saved, manifest(data));
  if (changes === undefined) return;
  throw new RootstockError(
    "BAD_DATA",
    `resume requires the images of the interrupted run ${folder.path}, in the splits of its data.json; they have changed since: ${changes}. Put them back, or start a new run.`,
  );
}

/** @throws RootstockError BAD_DATA if the phases that ended are not those of the plan. */
function requireOwn({ outcomes, fit }: RunState, phases: readonly string[], file: string): void {
  const named = outcomes.every(({ phase }, i) => phase === phases[i]);
  if (named && (fit === undefined || outcomes.length < phases.length)) return;
  throw new RootstockError(
    "BAD_DATA",
    `resume requires a checkpoint of the run's own phases ${phases.join(", ")}, got ${file} of another run. Put the run's own checkpoints back, or start a new run.`,
  );
}

function describe({ outcomes, fit }: RunState): string {
  if (!fit)
    return outcomes.length === 0 ? "from the beginning: there is no checkpoint yet" : "after the last phase that ended";
  const part = fit.done > 0 ? ` and ${count(fit.done, "image")}` : "";
  return `after ${count(fit.epoch - 1, "epoch")}${part} of phase ${outcomes.length + 1}`;
}

function listenersOf(
  folder: RunFolder | undefined,
  { onProgress, tensorBoard: wanted = false, callbacks = [] }: KeepOptions,
): readonly Callback[] {
  const record: Callback = {
    name: "record",
    onEpochEnd: async (report) => {
      await folder?.append("metrics", report);
      onProgress?.({ kind: "epoch", report });
    },
  };
  return [record, ...(folder && wanted ? [tensorBoard({ folder: folder.file("tensorboard") })] : []), ...callbacks];
}

/** A run that has kept its state says how to go on, unless it would end there again. @param about as the run's options. */
export function withAdvice(error: unknown, { folder, checkpoints }: OpenRun, about: Json | undefined): unknown {
  if (!(error instanceof RootstockError) || !folder || !checkpoints?.any || error.code === "DIVERGED") return error;
  const command = typeof about === "object" && about !== null && "command" in about ? about["command"] : undefined;
  const how =
    typeof command === "string"
      ? `rootstock ${command} --resume ${folder.path}` // it has kept what it needs for that
      : `the same call, out: ${JSON.stringify(folder.path)} and resume: true`;
  return new RootstockError(error.code, `${error.message} Its state is kept: go on with ${how}`, {
    cause: error.cause ?? error,
  });
}
