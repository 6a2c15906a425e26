/** The command line: finds the command, runs it, and turns its outcome into an exit code. */
import { messageOf, RootstockError } from "../errors.ts";
import { VERSION } from "../version.ts";
import { inOptionNames, nearest, type OptionTable, parseOptions, UsageError } from "./arguments.ts";
import { COMMON_OPTIONS, type Command, helpPage } from "./command.ts";
import { Output, type TextStream } from "./output.ts";

/** Commands by name, loaded when they are needed. */
const COMMANDS: Readonly<Record<string, { readonly summary: string; load(): Promise<Command> }>> = {
  train: {
    summary: "train a model on a folder of images",
    load: async () => (await import("./commands/train.ts")).train as unknown as Command,
  },
  evaluate: {
    summary: "measure a trained model on labelled images",
    load: async () => (await import("./commands/evaluate.ts")).evaluate as unknown as Command,
  },
  predict: {
    summary: "classify images",
    load: async () => (await import("./commands/predict.ts")).predict as unknown as Command,
  },
  check: {
    summary: "find what is wrong with a dataset: damage, copies, leaks, odd classes and pictures",
    load: async () => (await import("./commands/check.ts")).check as unknown as Command,
  },
  preview: {
    summary: "draw what the network will see of a dataset, augmented",
    load: async () => (await import("./commands/preview.ts")).preview as unknown as Command,
  },
  distill: {
    summary: "teach a small network what a large one sees in unlabelled images",
    load: async () => (await import("./commands/distill.ts")).distill as unknown as Command,
  },
  runs: {
    summary: "list training runs, compare them, and delete what is no longer needed",
    load: async () => (await import("./commands/runs.ts")).runs as unknown as Command,
  },
  inspect: {
    summary: "show what a model file contains and where it would be cut",
    load: async () => (await import("./commands/inspect.ts")).inspect as unknown as Command,
  },
  pull: {
    summary: "download pretrained weights into the cache",
    load: async () => (await import("./commands/pull.ts")).pull as unknown as Command,
  },
  cache: {
    summary: "show or clear what is cached: features and weights",
    load: async () => (await import("./commands/cache.ts")).cache as unknown as Command,
  },
};

/** What the process ends with. Interrupted is 128 + SIGINT, as shells have it. */
const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

export interface Streams {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
}

/** Runs one command line and returns the exit code. Nothing is thrown. */
export async function main(args: readonly string[], { stdout, stderr }: Streams, signal: AbortSignal): Promise<number> {
  const output = new Output({ stdout, stderr, json: args.includes("--json"), clock: () => performance.now() / 1000 });
  const [name, ...rest] = args;
  let table: OptionTable = {};
  try {
    if (name === undefined || name === "--help" || name === "-h" || name === "help")
      return overview(output, name !== undefined);
    if (name === "--version") return show(VERSION, output);
    const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (!entry) throw new UsageError(unknownCommand(name));
    const command = await entry.load();
    if (rest.includes("--help") || rest.includes("-h")) return show(helpPage(command), output);
    table = command.options;
    const { options, positionals } = parseOptions(rest, { ...table, ...COMMON_OPTIONS });
    const { json, failed } = await command.run({ options, positionals, output, signal });
    output.json(json);
    return failed ? EXIT.failed : EXIT.ok;
  } catch (error) {
    return report(error, output, { args, name, table });
  }
}

interface CommandLine {
  readonly args: readonly string[];
  readonly name: string | undefined;
  /** Options of the command. */
  readonly table: OptionTable;
}

function report(error: unknown, output: Output, { args, name, table }: CommandLine): number {
  const code = error instanceof RootstockError ? error.code : error instanceof UsageError ? "USAGE" : "INTERNAL";
  const message = code === "BAD_CONFIG" ? inOptionNames(messageOf(error), table) : messageOf(error);
  output.json({ error: { code, message } });
  if (code === "ABORTED") {
    const kept = name === "train" && !args.includes("--no-cache");
    if (message.includes(" --resume ")) {
      output.note(`interrupted  ${message}`);
      return EXIT.interrupted;
    }
    const advice = kept
      ? "Computed features are in the cache: run the same command again to go on."
      : "Run the command again.";
    output.note(`interrupted  ${message} ${advice}`);
    return EXIT.interrupted;
  }
  output.note(`${output.color.red("error")}  ${message.replaceAll("\n", "\n       ")}`);
  if (args.includes("--debug") && error instanceof Error) output.note(error.stack ?? "");
  // An option that the library has refused was a mistake in the command line too; what a folder to resume is, was none.
  if (error instanceof UsageError || (code === "BAD_CONFIG" && /^--(?!resume\b)/.test(message))) {
    output.note(`See: rootstock ${name !== undefined && Object.hasOwn(COMMANDS, name) ? `${name} ` : ""}--help`);
    return EXIT.usage;
  }
  return EXIT.failed;
}

function show(text: string, output: Output): number {
  output.result(text);
  return EXIT.ok;
}

function overview(output: Output, asked: boolean): number {
  const lines = [
    "rootstock: fine-tune pretrained vision models on your images, with Node.js alone",
    "",
    "Usage: rootstock <command> [options]",
    "",
    ...Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`),
    "",
    "  rootstock <command> --help shows a command's options and examples; --version the version.",
  ];
  if (asked) return show(lines.join("\n"), output);
  output.note(lines.join("\n"));
  return EXIT.usage;
}

function unknownCommand(name: string): string {
  const near = nearest(name, Object.keys(COMMANDS));
  return `unknown command "${name}". ${near.length > 0 ? `Did you mean ${near.join(" or ")}?` : `Commands: ${Object.keys(COMMANDS).join(", ")}.`}`;
}
