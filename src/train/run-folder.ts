/** The folder of one run: what it holds, and how that is written. */
import { appendFile, readdir, readFile, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { cannotWrite, missingRoom, PARTIAL_PREFIX, writeAtomically, writeJson } from "../weights/files.ts";

/** Files of a run, by what they hold. */
export const RUN_FILES = {
  /** Held while the run is being made: the process id of its owner. */
  lock: "run.lock",
  config: "config.json",
  environment: "environment.json",
  data: "data.json",
  /** What checking the images found. */
  check: "check.json",
  metrics: "metrics.jsonl",
  /** Folder of the states from which an interrupted run goes on; it goes when the run is complete. */
  checkpoints: "checkpoints",
  /** Folder of event files. */
  tensorboard: "tensorboard",
  /** Written last: a folder with it is a complete run. */
  result: "result.json",
  model: "model.onnx",
} as const;

/** Key of config.json by which a folder is known to be a run's. It holds the version of the folder's layout. */
export const RUN_MARK = "rootstockRun";
/** The version of the layout that this release writes and goes on with. */
export const RUN_LAYOUT = 1;

/** Held for the moment in which a folder is looked at and then taken, or pruned. */
export const TURN = `${PARTIAL_PREFIX}claim`;

/** A folder that belongs to one run. */
export interface RunFolder {
  readonly path: string;
  readonly id: string;
  /** Writes a value as JSON; the result, which comes after the model, in the place of the checkpoints if need be. */
  write(file: keyof typeof RUN_FILES, value: unknown): Promise<void>;
  /**
   * Has the model written to its path. Where there is room for it only without the checkpoints, they are deleted.
   * @throws RootstockError CANNOT_WRITE if there is none even so; the checkpoints are there then.
   */
  writeModel(write: (path: string) => Promise<void>): Promise<void>;
  /** Appends one line of JSON. */
  append(file: "metrics", value: unknown): Promise<void>;
  file(name: keyof typeof RUN_FILES): string;
  read(name: keyof typeof RUN_FILES): Promise<string>;
  /** Writes the lines of "metrics" anew; without one there is no file. */
  rewrite(file: "metrics", values: readonly unknown[]): Promise<void>;
  /** Deletes the checkpoints. */
  dropCheckpoints(): Promise<void>;
  /** Gives up ownership; the folder stays. */
  close(): Promise<void>;
}

export interface RunFolderOptions {
  /** Told what a person would not expect of the folder. */
  readonly onWarning?: ((text: string) => void) | undefined;
}

/** The folder of a run that this process has claimed. */
export function openFolder(path: string, { onWarning }: RunFolderOptions): RunFolder {
  const file = (name: keyof typeof RUN_FILES): string => join(path, RUN_FILES[name]);
  const dropCheckpoints = (): Promise<void> => rm(file("checkpoints"), { recursive: true, force: true });
  /** Writes a file that matters more than the checkpoints, in their place if there is no other. */
  const writeInstead = async (what: string, write: () => Promise<void>): Promise<void> => {
    try {
      await write();
    } catch (error) {
      const room = missingRoom(error);
      const bytes = await bytesIn(file("checkpoints"));
      if (!room || bytes === 0 || room.free + bytes < 1.05 * room.bytes) throw error; // blocks of a disk are not divided
      onWarning?.(`there is no room for the ${what} beside the checkpoints of the run: they are deleted.`);
      await dropCheckpoints();
      await write();
    }
  };
  return {
    path,
    id: basename(path),
    file,
    read: (name) => readFile(file(name), "utf8"),
    write: (name, value) =>
      name === "result" ? writeInstead(name, () => writeJson(file(name), value)) : writeJson(file(name), value),
    writeModel: (write) => writeInstead("model", () => write(file("model"))),
    append: async (name, value) => {
      const line = `${JSON.stringify(value)}\n`;
      await appendFile(file(name), line).catch((cause: unknown) => {
        throw cannotWrite(file(name), cause, Buffer.byteLength(line));
      });
    },
    rewrite: (name, values) =>
      values.length === 0
        ? rm(file(name), { force: true })
        : writeAtomically(file(name), [values.map((value) => `${JSON.stringify(value)}\n`).join("")]),
    dropCheckpoints,
    close: () => rm(file("lock"), { force: true }).catch(() => {}), // where nothing may be written; it is void with this process
  };
}

/** Size of the files in a folder. */
async function bytesIn(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = names.map((name) =>
    stat(join(folder, name)).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
