/** Options of every command that runs a network. */
import { checkProvider, PROVIDERS } from "../runtime/providers.ts";
import { type SessionOptions, supportedProviders } from "../runtime/session.ts";
import type { Options, OptionTable } from "./arguments.ts";

export const sessionOptions = {
  threads: {
    kind: "number",
    value: "<n>",
    min: 1,
    max: 256,
    whole: true,
    help: "threads of the network (default: the number of cores)",
  },
  provider: { kind: "text", value: "<name>", choices: Object.keys(PROVIDERS), help: "where to run, default cpu" },
} as const satisfies OptionTable;

/** What a command passes on to run a network. @throws RootstockError BAD_CONFIG for a provider that is not there. */
export function runOptions({ threads, provider }: Options<typeof sessionOptions>): SessionOptions {
  return { threads, provider: provider === undefined ? undefined : checkProvider(provider, supportedProviders()) };
}

/** A text that was checked against a table's keys, as a key of that table. */
export function choice<T extends object>(text: string | undefined, table: T): Extract<keyof T, string> | undefined {
  return text !== undefined && Object.hasOwn(table, text) ? (text as Extract<keyof T, string>) : undefined; // compared with the keys
}
