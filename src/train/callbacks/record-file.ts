/** A text file that gains a line per epoch, and goes on where the checkpoint left it when a run is continued. */
import { mkdir, open, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { RootstockError } from "../../errors.ts";
import type { Json } from "../../json.ts";
import { shown } from "../../transforms/known-options.ts";
import { cannotWrite, writeAtomically } from "../../weights/files.ts";
import { append } from "./append.ts";
import { checkOptions } from "./check-options.ts";
import { restored } from "./restored.ts";

export interface RecordFileOptions {
  /** Name of the file; its folder is made if needed. */
  readonly file: string;
  /** Whether a new run may replace a file of that name. @default false */
  readonly overwrite?: boolean | undefined;
}

/** Lines of one run, in a file and in memory. */
export interface RecordFile {
  readonly lines: readonly string[];
  /**
   * Makes the file, before anything was trained for it; or, in a continued run, cuts off what the run before wrote after
   * its checkpoint. Later calls do nothing.
   * @throws RootstockError CANNOT_WRITE, or BAD_CONFIG if there is a file already that is not this run's.
   */
  open(): Promise<void>;
  /** Adds a line at the end and waits until the disk has it. @throws RootstockError CANNOT_WRITE */
  append(line: string): Promise<void>;
  /** Writes all lines anew, atomically. @throws RootstockError CANNOT_WRITE */
  replace(lines: readonly string[]): Promise<void>;
  state(): Json;
  restore(state: Json): void;
}

/** Characters by which the lines of a run are known again: a loss with all its digits is among them. */
const MARK_LENGTH = 80;

const stateSchema = z.strictObject({
  lines: z.int().min(0),
  /** Start of the first line after the header; absent before there is one. */
  mark: z.string().max(MARK_LENGTH).optional(),
});

/**
 * A file of lines for the callback `who`.
 * @param header lines of the header: the first line after them is the first of the run.
 * @throws RangeError if the file has no name; RootstockError BAD_CONFIG without options, or for one that there is not.
 */
export function recordFile(
  who: string,
  options: RecordFileOptions,
  { header }: { readonly header: number },
): RecordFile {
  checkOptions(who, options, {
    known: { file: true, overwrite: true } satisfies Record<keyof RecordFileOptions, true>,
    example: '{ file: "epochs.csv" }',
  });
  const { file, overwrite = false } = options;
  if (typeof file !== "string" || file === "")
    throw new RangeError(`${who} requires the name of a file, got ${shown(file)}.`);
  let lines: string[] = [];
  let before: z.infer<typeof stateSchema> | undefined;
  let opened = false;
  const wrapped = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      throw error instanceof RootstockError ? error : cannotWrite(file, error);
    }
  };
  const create = async (): Promise<void> => {
    await mkdir(dirname(file), { recursive: true });
    try {
      await (await open(file, overwrite ? "w" : "wx")).close();
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
      throw new RootstockError(
        "BAD_CONFIG",
        `${who} requires a file of its own, but ${file} is there already. Name another one, or set overwrite.`,
      );
    }
  };
  /** Takes up the lines of the run before, unless its file was moved away. */
  const takeUp = async (known: z.infer<typeof stateSchema>): Promise<void> => {
    const text = await readFile(file, "utf8").catch((error: unknown) => {
      if (codeOf(error) === "ENOENT") return undefined;
      throw error;
    });
    if (text === undefined) return await create();
    const complete = text.split("\n").slice(0, -1); // what follows the last line end was not finished
    const kept = complete.slice(0, known.lines);
    if (kept.length < known.lines || !(kept[header] ?? "").startsWith(known.mark ?? ""))
      throw new RootstockError(
        "BAD_CONFIG",
        `${who} cannot go on with ${file}: it requires the ${known.lines} lines that the run wrote before its ` +
          `checkpoint, got ${complete.length}${kept.length < known.lines ? "" : " others"}. Move the file away, or name another one.`,
      );
    lines = kept;
    const handle = await open(file, "r+");
    try {
      await handle.truncate(Buffer.byteLength(joined(kept)));
      await handle.sync();
    } finally {
      await handle.close();
    }
  };
  return {
    get lines() {
      return lines;
    },
    open: () =>
      wrapped(async () => {
        if (opened) return;
        await (before ? takeUp(before) : create());
        opened = true;
      }),
    append: async (line) => {
      await append(file, joined([line]), { durable: true });
      lines.push(line);
    },
    replace: async (all) => {
      await writeAtomically(file, [joined(all)]);
      lines = [...all];
    },
    state: () => ({ lines: lines.length, mark: lines[header]?.slice(0, MARK_LENGTH) }),
    restore: (state) => {
      before = restored(who, stateSchema, state);
    },
  };
}

function joined(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code; // errors of node:fs carry a code
}
