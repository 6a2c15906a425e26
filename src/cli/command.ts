/** What a command is, and its help page. */
import type { Options, OptionTable } from "./arguments.ts";
import type { Output } from "./output.ts";

/** One command of the program. */
export interface Command<T extends OptionTable = OptionTable> {
  /** One line for the overview. */
  readonly summary: string;
  /** What stands after the program's name: `train <data> --model <file.onnx> [options]`. */
  readonly usage: string;
  readonly options: T;
  /** Command lines that work as they stand, with what each does. */
  readonly examples: readonly (readonly [line: string, about: string])[];
  run(context: CommandContext<T>): Promise<CommandResult>;
}

export interface CommandResult {
  /** The object that --json prints. */
  readonly json: unknown;
  /** Set where the command ran to its end and found nothing usable: the exit code is 1. */
  readonly failed?: boolean | undefined;
}

export interface CommandContext<T extends OptionTable> {
  readonly positionals: readonly string[];
  readonly options: Options<T>;
  readonly output: Output;
  /** Fires on Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
}

/** Options that every command has. */
export const COMMON_OPTIONS = {
  json: { kind: "flag", help: "print one JSON object on stdout, everything else on stderr" },
  debug: { kind: "flag", help: "show the stack of an error" },
  help: { kind: "flag", help: "show this page" },
} as const satisfies OptionTable;

/** Declares a command; its options are typed by its table. */
export function command<const T extends OptionTable>(definition: Command<T>): Command<T> {
  return definition;
}

/** The help page of a command. */
export function helpPage({ summary, usage, options, examples }: Command): string {
  const all: OptionTable = { ...options, ...COMMON_OPTIONS };
  const rows = Object.entries(all).map(([name, spec]) => {
    const left = spec.kind === "flag" ? `--${name}` : `--${name} ${spec.value}`;
    return [
      left,
      spec.kind === "text" && spec.choices ? `${spec.help} (${spec.choices.join(", ")})` : spec.help,
    ] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    summary,
    "",
    `Usage: rootstock ${usage}`,
    "",
    "Options:",
    ...rows.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`),
    "",
    "Examples:",
    ...examples.map(([line, about]) => `  # ${about}\n  ${line}`),
  ].join("\n");
}
