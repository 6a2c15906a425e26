/** Reads the folder of one run, of any version and in any state, into what a list of runs shows. */
import { lstat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { RootstockError } from "../../errors.ts";
import type { Json } from "../../json.ts";
import { RUN_FILES, RUN_LAYOUT, RUN_MARK } from "../run-folder.ts";
import { amountOf, cut, fieldOf, isFields, textOf } from "./json-fields.ts";
import { type Measure, measuresOf } from "./measures.ts";
import { ownerOf } from "./owner.ts";
import { readJsonFile, readWhole } from "./read-file.ts";
import { resultProblem } from "./result-problem.ts";
import { countCheckpoints, sizeOfFolder } from "./run-files.ts";

/**
 * - complete: it has a result.
 * - running: a process of this machine is making it.
 * - interrupted: it ended without a result, and has checkpoints to go on from.
 * - incomplete: it ended without a result, and can only be started again.
 * - damaged: what it says of itself cannot be read, or cannot be; `problems` says why.
 */
export type RunState = "complete" | "running" | "interrupted" | "incomplete" | "damaged";

/** One run as a list shows it. Texts are cut after 200 characters; what was not recorded is undefined. */
export interface RunSummary {
  /** Name of the folder. */
  readonly id: string;
  readonly path: string;
  readonly state: RunState;
  /** Id of the process that makes it, if it is running; 0 if the lock does not say. */
  readonly process: number | undefined;
  /** Whether a lock is there that no process of this machine holds: it was killed, or runs on another machine. */
  readonly abandonedLock: boolean;
  /** ISO 8601 in UTC; where the run did not say, when its first file was written. */
  readonly startedAt: string | undefined;
  /** Folder or table of the images, as it was given. */
  readonly data: string | undefined;
  readonly model: string | undefined;
  readonly strategy: string | undefined;
  /** As in the result, or "distill" of an unfinished distillation. */
  readonly task: string | undefined;
  readonly evaluatedOn: string | undefined;
  /** The main measure first. */
  readonly measures: readonly Measure[];
  /** Epochs that were trained, so far or in all. */
  readonly epochs: number | undefined;
  readonly seconds: number | undefined;
  /** Size of all files in the folder. */
  readonly bytes: number;
  /** Checkpoints in the folder, whole or damaged. */
  readonly checkpoints: number;
  /** What is wrong with the folder, one sentence each. */
  readonly problems: readonly string[];
}

/** A run with what it was told to do and what came out. */
export interface RunRecord {
  readonly summary: RunSummary;
  /** config.json, with `recipe` and `model.name` also where another release wrote it. */
  readonly config: Json | undefined;
  readonly environment: Json | undefined;
  readonly result: Json | undefined;
}

/** Task of a distillation, in its config and its result. */
const DISTILL = "distill";
/** A line of metrics.jsonl has some 300 bytes. */
const MAX_METRICS_BYTES = 2 ** 26;

/**
 * Reads the run in a folder.
 * @throws RootstockError BAD_CONFIG if there is no run in it.
 */
export async function loadRun(path: string): Promise<RunRecord> {
  const record = await readRun(path);
  if (record) return record;
  throw new RootstockError(
    "BAD_CONFIG",
    `a run is a folder with a ${RUN_FILES.config} that rootstock train wrote, got ${path}, which has none. See: rootstock runs`,
  );
}

/** Reads the run in a folder, or returns undefined where there is none. Damage is told in `problems`, never thrown. */
export async function readRun(path: string): Promise<RunRecord | undefined> {
  const problems: string[] = [];
  const read = async (file: "config" | "environment" | "result"): Promise<Json | undefined> => {
    const found = await readJsonFile(join(path, RUN_FILES[file]));
    if (found && "json" in found) return found.json;
    if (found) problems.push(`${RUN_FILES[file]} ${found.problem}.`);
    return undefined;
  };
  const original = await read("config");
  const owner = await ownerOf(join(path, RUN_FILES.lock));
  const layout = fieldOf(original, RUN_MARK);
  if (original === undefined && problems.length === 0) {
    if (owner.kind === "none") return undefined;
    if (owner.kind === "gone") problems.push(`there is no ${RUN_FILES.config}.`);
  } else if (original !== undefined && layout === undefined) return undefined; // somebody else's config.json
  if (layout !== undefined && layout !== RUN_LAYOUT)
    problems.push(
      `a folder of version ${RUN_LAYOUT} is required, got ${cut(JSON.stringify(layout))}: another release wrote it.`,
    );
  const config = problems.length > 0 ? undefined : renamed(original);
  const written = await read("result");
  if (written !== undefined) problems.push(...resultProblems(written));
  const damaged = problems.length > 0;
  const result = damaged ? undefined : written;
  const environment = await read("environment");
  const checkpoints = await countCheckpoints(path);
  const { bytes, whole } = await sizeOfFolder(path);
  if (!whole) problems.push("it has too many files to count them all.");
  const state = (): RunState => {
    if (owner.kind === "running") return "running";
    if (damaged) return "damaged";
    if (result !== undefined) return "complete";
    return checkpoints > 0 ? "interrupted" : "incomplete";
  };
  const summary: RunSummary = {
    id: basename(resolve(path)),
    path,
    state: state(),
    process: owner.kind === "running" ? owner.process : undefined,
    abandonedLock: owner.kind === "gone",
    startedAt: timeOf(textOf(environment, "startedAt")) ?? (await writtenAt(path)),
    data: textOf(config, "data"),
    model: textOf(config, "model", "name") ?? textOf(config, "student", "name"),
    strategy: strategyOf(config),
    task: textOf(result, "task") ?? textOf(config, "task"),
    evaluatedOn: evaluatedOn(result),
    measures: measuresOf(result),
    epochs: amountOf(result, "epochs") ?? (await countEpochs(path)),
    seconds: amountOf(result, "seconds", "total"),
    bytes,
    checkpoints,
    problems,
  };
  return { summary, config, environment, result };
}

function resultProblems(result: Json): string[] {
  const problem = resultProblem(result);
  return problem === undefined ? [] : [`${RUN_FILES.result} ${problem}.`];
}

/** The split that was measured; a distillation measures on the images that it holds out. */
function evaluatedOn(result: Json | undefined): string | undefined {
  return textOf(result, "evaluatedOn") ?? (textOf(result, "task") === DISTILL ? "validation" : undefined);
}

/** The configuration with the names that it has in this release, whose `model` is an object. */
function renamed(config: Json | undefined): Json | undefined {
  if (!isFields(config)) return config;
  const { settings, recipe = settings, model, ...rest } = config;
  return {
    ...rest,
    ...(recipe === undefined ? {} : { recipe }),
    ...(model === undefined ? {} : { model: typeof model === "string" ? { name: model } : model }),
  };
}

/** The teacher of a distillation; else the strategy that was asked for, what it made of it if that was left open, or what trained. */
function strategyOf(config: Json | undefined): string | undefined {
  const teacher = textOf(config, "task") === DISTILL ? textOf(config, "teacher", "name") : undefined;
  if (teacher !== undefined) return cut(`${DISTILL}: ${teacher}`);
  const asked = textOf(config, "recipe", "strategy") ?? textOf(config, "about", "options", "strategy");
  const phases = fieldOf(config, "recipe", "phases");
  const names = Array.isArray(phases) ? phases.filter((phase) => typeof phase === "string").slice(0, 20) : undefined;
  const trained = names ? cut(names.join(", ") || "probe") : textOf(config, "recipe", "unfreeze");
  return asked === "auto" && trained !== undefined ? `auto: ${trained}` : (asked ?? trained);
}

/** One line of metrics.jsonl is one epoch. */
async function countEpochs(path: string): Promise<number | undefined> {
  const read = await readWhole(join(path, RUN_FILES.metrics), MAX_METRICS_BYTES);
  if (read === undefined || "problem" in read) return undefined;
  let lines = 0;
  for (const byte of read.content) if (byte === 0x0a) lines++;
  return lines;
}

/** The time as text that sorts, if it is one. */
function timeOf(text: string | undefined): string | undefined {
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return ms >= 0 && ms < Date.UTC(10_000, 0) ? new Date(ms).toISOString() : undefined;
}

async function writtenAt(path: string): Promise<string | undefined> {
  for (const name of [RUN_FILES.environment, RUN_FILES.config, RUN_FILES.lock]) {
    const status = await lstat(join(path, name)).catch(() => undefined);
    const time = status && timeOf(status.mtime.toISOString());
    if (time !== undefined) return time;
  }
  return undefined;
}
