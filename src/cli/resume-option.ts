/** `--resume`: the command line of an interrupted run, from what its folder says of it. */
import { existsSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { RootstockError } from "../errors.ts";
import type { Json } from "../json.ts";
import { ARCHITECTURES } from "../models/architectures/table.ts";
import { NAMED_PREPROCESSING } from "../models/preprocessing.ts";
import { interruptedRun } from "../train/interrupted-run.ts";
import { RUN_FILES } from "../train/run-folder.ts";
import { AUGMENTATION_LEVELS } from "../transforms/presets.ts";
import { type OptionSpec, type Options, type OptionTable, readValue, UsageError } from "./arguments.ts";
import { COMMON_OPTIONS } from "./command.ts";

/** Commands whose runs can be continued. */
export type ResumableCommand = "train" | "distill";

/** Options that may be the path of a file or folder, with the words that mean something else. */
const PATHS: Readonly<Record<string, (value: string) => boolean>> = {
  model: () => false,
  teacher: () => false,
  student: (value) => Object.hasOwn(ARCHITECTURES, value),
  probe: () => false,
  images: () => false,
  val: (value) => !Number.isNaN(Number(value)),
  preprocessing: (value) => Object.hasOwn(NAMED_PREPROCESSING, value),
  augment: (value) => AUGMENTATION_LEVELS.some((level) => level === value),
};

/** A command line: what stands in it without a name, and its options. */
export interface CommandLine<T extends OptionTable> {
  readonly inputs: readonly string[];
  readonly options: Options<T>;
}

/** What a command keeps of its command line in a run's config: the paths in it are those of any folder to go on from. */
export function aboutCommand(
  command: ResumableCommand,
  inputs: readonly string[],
  options: Readonly<Record<string, unknown>>,
): Json {
  const given = Object.entries(options).flatMap(([name, value]) =>
    value === undefined || value === false ? [] : [[name, isPath(name, value) ? resolve(value) : value] as const],
  );
  return { command, inputs: inputs.map((path) => resolve(path)), options: Object.fromEntries(given) as Json }; // options are texts, numbers and flags
}

type Resumable = OptionTable & Record<"resume" | "threads" | "provider", OptionSpec>;

/**
 * The command line of the interrupted run that `--resume` names, with the threads and the provider of this one, and with
 * its data where it names some: the new place of those of the run. Without `--resume`, this one.
 * @throws UsageError if there is more with `--resume`; RootstockError as `readCommand`.
 */
export async function commandLine<T extends Resumable>(
  command: ResumableCommand,
  { positionals, options }: { readonly positionals: readonly string[]; readonly options: Options<T> },
  table: T,
): Promise<CommandLine<T>> {
  const { resume, threads, provider, ...rest } = options as Readonly<Record<string, unknown>>;
  if (typeof resume !== "string") return { inputs: positionals, options };
  const others = Object.entries(rest).flatMap(([name, value]) =>
    value === undefined || value === false || Object.hasOwn(COMMON_OPTIONS, name) ? [] : [`--${name}`],
  );
  if (others.length > 0)
    throw new UsageError(
      `--resume goes on with the settings of the run; only --threads, --provider and the place of its data, if that has changed, can be given with it, got ${others.join(" ")}.`,
    );
  const read = await readCommand(resume, command, table, positionals);
  const own = Object.entries({ threads, provider }).filter(([, value]) => value !== undefined);
  return { inputs: read.inputs, options: { ...read.options, ...Object.fromEntries(own) } };
}

function isPath(name: string, value: unknown): value is string {
  if (typeof value !== "string" || !Object.hasOwn(PATHS, name)) return false;
  return !PATHS[name]!(value) && existsSync(value); // a model may be a name of the catalog too
}

/**
 * Reads the command line back: values of options are taken only where they have the option's kind.
 * @param moved Where the data are now, if not where they were; what they hold is compared when the run goes on.
 * @throws RootstockError BAD_CONFIG if the folder has none, or one with a value that cannot be; BAD_DATA if the data or
 * another of its files are no longer where they were.
 */
export async function readCommand<T extends OptionTable>(
  run: string,
  command: ResumableCommand,
  table: T,
  moved: readonly string[] = [],
): Promise<CommandLine<T>> {
  const file = join(run, RUN_FILES.config);
  const about = aboutOf(await interruptedRun(run));
  if (!about)
    throw new RootstockError(
      "BAD_CONFIG",
      `--resume requires the folder of a run that rootstock ${command} has started, got ${run}: its ${RUN_FILES.config} does not say how. Runs started by a program are continued by it, with the option resume.`,
    );
  if (about.command !== command)
    throw new RootstockError(
      "BAD_CONFIG",
      `--resume requires a run that rootstock ${command} has started, got ${run} of rootstock ${about.command}. Go on with rootstock ${about.command} --resume ${run}`,
    );
  const inputs = moved.length > 0 ? moved : about.inputs;
  const anew = `give their new place: rootstock ${command} --resume ${run} <data>`;
  if (moved.length === 0) for (const path of inputs) requireThere("its images", path, anew);
  for (const name of Object.keys(PATHS))
    requireThere(`what --${name} names`, about.options[name], `write their new place into "about" of ${file}`);
  try {
    const values = Object.entries(table).map(([name, spec]) => {
      const value = Object.hasOwn(about.options, name) ? about.options[name] : undefined;
      const text = typeof value === "boolean" ? value : String(value);
      return [name, readValue(name, spec, isOf(value, spec) ? text : undefined)] as const;
    });
    return { inputs, options: Object.fromEntries(values) as Options<T> }; // one value per key of the table
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new RootstockError(
      "BAD_CONFIG",
      `--resume requires what rootstock ${command} has written, and ${file} was changed: ${error.message}`,
      { cause: error },
    );
  }
}

/** @throws RootstockError BAD_DATA if nothing stands where the run has found something. */
function requireThere(what: string, path: unknown, anew: string): void {
  if (typeof path !== "string" || !isAbsolute(path) || existsSync(path)) return;
  throw new RootstockError(
    "BAD_DATA",
    `--resume requires ${what} where the run has found them, and there is nothing at ${path} any more. Put them back, or ${anew}`,
  );
}

interface About {
  readonly command: ResumableCommand;
  readonly inputs: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

function aboutOf(config: unknown): About | undefined {
  const about = isRecord(config) ? config["about"] : undefined;
  if (!isRecord(about)) return undefined;
  const { command, inputs, options } = about;
  if (command !== "train" && command !== "distill") return undefined;
  if (!Array.isArray(inputs) || !inputs.every((path) => typeof path === "string")) return undefined;
  return isRecord(options) ? { command, inputs, options } : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOf(value: unknown, { kind }: OptionSpec): boolean {
  if (kind === "flag") return typeof value === "boolean";
  return kind === "number" ? typeof value === "number" && Number.isFinite(value) : typeof value === "string";
}
