/** A folder of labelled drawings, as any other folder of images: one folder for each class. */
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf, RootstockError } from "../../errors.ts";
import { printable } from "../../graph/printable.ts";
import { mapBounded } from "../bounded.ts";
import { DRAWN_CLASSES, type DrawnClass } from "./class-forms.ts";
import { drawExample } from "./draw.ts";
import { checkStopped, DRAWN_AT_A_TIME, type ExampleOptions, planExamples } from "./drawn-examples.ts";

/** Says what is in the folder and that it was drawn; hidden, so that no reader of folders takes it for data. */
const RECORD = ".drawings.json";

/** What is in a folder of drawings. */
export interface WrittenDrawings {
  readonly classes: readonly DrawnClass[];
  /** Images of all classes for training. */
  readonly train: number;
  /** Images of all classes for validation. */
  readonly validation: number;
}

/**
 * Writes labelled drawings into a folder, which is made if needed, and returns how many there are.
 *
 * A file has its name only when it is complete. The same call again draws what is missing and leaves the rest, so that
 * an interrupted one can be repeated; the bytes are the same either way.
 * @throws RootstockError BAD_CONFIG for options that cannot be, or a folder with anything but these drawings in it;
 * CANNOT_WRITE; ABORTED.
 */
export async function writeDrawings(folder: string, options: ExampleOptions): Promise<WrittenDrawings> {
  const { examples, record, signal } = planExamples("writeDrawings", options);
  await claim(folder, `${JSON.stringify({ rootstockDrawings: 1, ...record }, undefined, 2)}\n`);
  const jobs = examples.map((example) => ({ ...example, file: join(folder, `${example.path}.jpg`) }));
  const folders = [...new Set(jobs.map(({ file }) => dirname(file)))];
  const present = new Set<string>();
  for (const path of folders) for (const name of await prepared(path)) present.add(join(path, name));
  const missing = jobs.filter(({ file }) => !present.has(file));
  const failures: unknown[] = []; // nothing is still being written when the first of them is thrown
  await mapBounded(missing, DRAWN_AT_A_TIME, async ({ className, index, file }) => {
    if (failures.length > 0) return;
    try {
      checkStopped(signal);
      await writeWhole(file, await drawExample(record.seed, className, index, record.size));
    } catch (error) {
      failures.push(error);
    }
  });
  for (const error of failures) throw error;
  const classes = DRAWN_CLASSES.length;
  const { perClass, validationPerClass } = record;
  return { classes: DRAWN_CLASSES, train: classes * perClass, validation: classes * validationPerClass };
}

/** Makes the folder ours: it is empty, or has the same record. */
async function claim(folder: string, record: string): Promise<void> {
  const names = await prepared(folder);
  const known = names.includes(RECORD) ? await readFile(join(folder, RECORD), "utf8").catch(() => "") : undefined;
  if (known === record) return;
  if (known !== undefined)
    throw new RootstockError(
      "BAD_CONFIG",
      `${printable(folder)} has drawings of other options, see ${RECORD} in it. Choose another folder, or remove it.`,
    );
  if (names.length > 0)
    throw new RootstockError(
      "BAD_CONFIG",
      `drawings require an empty folder, got ${printable(folder)} with ${printable(names[0]!)} in it. Choose another one.`,
    );
  await writeWhole(join(folder, RECORD), record);
}

/** Makes a folder and returns the names in it, without what was being written when a call was killed. */
async function prepared(path: string): Promise<readonly string[]> {
  try {
    await mkdir(path, { recursive: true });
    const names = await readdir(path);
    return names.filter((name) => !name.startsWith(PARTIAL));
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

/** Names of files that are not complete. */
const PARTIAL = ".partial-";

async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  const temporary = join(dirname(path), `${PARTIAL}${randomBytes(6).toString("hex")}`);
  try {
    await writeFile(temporary, content, { flag: "wx" });
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {}); // what went wrong first is what counts
    throw cannotWrite(path, cause);
  }
}

function cannotWrite(path: string, cause: unknown): RootstockError {
  return new RootstockError(
    "CANNOT_WRITE",
    `cannot write ${printable(path)}: ${messageOf(cause)}. Choose another folder, or make room.`,
    { cause },
  );
}
