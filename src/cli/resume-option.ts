/** `--resume`: the command line of an interrupted run, from what its folder says of it. */
import { join } from "node:path";
import { RootstockError } from "../errors.ts";
import type { Json } from "../json.ts";
import { RUN_FILES } from "../train/run-folder.ts";
import { readJsonFile } from "../train/runs/read-file.ts";
import { type OptionSpec, type Options, type OptionTable, readValue, UsageError } from "./arguments.ts";

/** What `train` keeps of its command line in a run's config. */
export function aboutCommand(data: string, options: Readonly<Record<string, unknown>>): Json {
  const given = Object.entries(options).filter(([, value]) => value !== undefined && value !== false);
  return { command: "train", data, options: Object.fromEntries(given) as Json }; // options are texts, numbers and flags
}

/**
 * Reads the command line back: values of options are taken only where they have the option's kind.
 * @throws RootstockError BAD_CONFIG if the folder has none, or one with a value that cannot be.
 */
export async function readCommand<T extends OptionTable>(
  run: string,
  table: T,
): Promise<{ readonly data: string; readonly options: Options<T> }> {
  const file = join(run, RUN_FILES.config);
  const read = await readJsonFile(file);
  const about = aboutOf(read && "json" in read ? read.json : undefined);
  if (!about)
    throw new RootstockError(
      "BAD_CONFIG",
      `--resume requires the folder of a run that rootstock train has started, got ${run}: its ${RUN_FILES.config} does not say how. Runs started by a program are continued by it, with the option resume.`,
    );
  try {
    const values = Object.entries(table).map(([name, spec]) => {
      const value = Object.hasOwn(about.options, name) ? about.options[name] : undefined;
      const text = typeof value === "boolean" ? value : String(value);
      return [name, readValue(name, spec, isOf(value, spec) ? text : undefined)] as const;
    });
    return { data: about.data, options: Object.fromEntries(values) as Options<T> }; // one value per key of the table
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new RootstockError(
      "BAD_CONFIG",
      `--resume requires what rootstock train has written, and ${file} was changed: ${error.message}`,
      { cause: error },
    );
  }
}

function aboutOf(
  config: unknown,
): { readonly data: string; readonly options: Readonly<Record<string, unknown>> } | undefined {
  const about = isRecord(config) ? config["about"] : undefined;
  if (!isRecord(about) || about["command"] !== "train") return undefined;
  const { data, options } = about;
  return typeof data === "string" && isRecord(options) ? { data, options } : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOf(value: unknown, { kind }: OptionSpec): boolean {
  if (kind === "flag") return typeof value === "boolean";
  return kind === "number" ? typeof value === "number" && Number.isFinite(value) : typeof value === "string";
}
