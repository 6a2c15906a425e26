/** Whether a folder holds a run that can go on, and what to say if it does not. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { RootstockError } from "../errors.ts";
import { RUN_FILES, RUN_LAYOUT, RUN_MARK } from "./run-folder.ts";
import { type Problem, readJsonFile } from "./runs/read-file.ts";

/** The value of a run's config.json. */
export type RunConfig = Readonly<Record<string, unknown>>;

/** The config.json of a folder: that of a run, none at all, or one that is of no use, with words that say why. */
export type ReadConfig =
  | { readonly kind: "run"; readonly config: RunConfig }
  | { readonly kind: "none" }
  | ({ readonly kind: "unusable" } & Problem);

/** Reads the config.json of a run's folder. */
export async function readRunConfig(folder: string): Promise<ReadConfig> {
  const read = await readJsonFile(join(folder, RUN_FILES.config));
  if (read === undefined) return { kind: "none" };
  if ("problem" in read) return { kind: "unusable", ...read };
  const { json } = read;
  if (typeof json !== "object" || json === null || !Object.hasOwn(json, RUN_MARK))
    return { kind: "unusable", problem: `is not that of a run: it has no "${RUN_MARK}"` };
  return { kind: "run", config: json as RunConfig }; // an object
}

/**
 * The config of a run that was interrupted and can go on.
 * @throws RootstockError BAD_CONFIG that says what the folder is instead.
 */
export async function interruptedRun(path: string): Promise<RunConfig> {
  const refuse = (why: string): RootstockError => notResumable(path, why);
  const status = await stat(path).catch(() => {
    throw refuse("there is no such folder");
  });
  if (!status.isDirectory()) throw refuse("it is a file");
  const names = await readdir(path).catch(() => {
    throw refuse("that folder cannot be read");
  });
  const read = await readRunConfig(path);
  if (read.kind === "none") throw refuse(`it has no ${RUN_FILES.config} of a run`);
  if (read.kind === "unusable") throw refuse(`its ${RUN_FILES.config} ${read.problem}`);
  const layout = read.config[RUN_MARK];
  if (layout !== RUN_LAYOUT)
    throw refuse(
      `another release wrote it, with version ${JSON.stringify(layout)?.slice(0, 80)} of such folders; this one goes on with version ${RUN_LAYOUT}`,
    );
  if (names.includes(RUN_FILES.result)) {
    const model = join(path, RUN_FILES.model);
    throw refuse(
      `that run is complete, with its model in ${model}. To train it further, start a new run: --model ${model}`,
    );
  }
  if (names.includes(RUN_FILES.data)) return read.config;
  if ((await checkpointsIn(path)) === 0)
    throw refuse("it was interrupted before it had begun. Start it again, with the same command or call");
  throw refuse(
    `its ${RUN_FILES.data} is missing, the record of its images, without which nobody can tell whether they are the same. Put it back, or start a new run`,
  );
}

/** The error for a folder from which no run can go on. */
export function notResumable(path: string, why: string): RootstockError {
  return new RootstockError("BAD_CONFIG", `--resume requires the folder of an interrupted run, got ${path}: ${why}.`);
}

/** Files among the checkpoints of a run. */
export async function checkpointsIn(folder: string): Promise<number> {
  return (await readdir(join(folder, RUN_FILES.checkpoints)).catch(() => [])).length;
}
