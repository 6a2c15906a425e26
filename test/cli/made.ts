/** Runs the command line inside the test, with captured streams. */
import { main } from "../../src/cli/main.ts";

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  // biome-ignore lint/suspicious/noExplicitAny: what was printed is what the test is about
  readonly json: any;
}

/** Runs one command line. `terminal` makes stderr a terminal. */
export async function cli(
  args: readonly string[],
  { terminal = false, signal = new AbortController().signal } = {},
): Promise<Outcome> {
  const written = { stdout: [] as string[], stderr: [] as string[] };
  const stream = (name: "stdout" | "stderr", isTTY: boolean) => ({
    isTTY,
    write: (chunk: unknown) => written[name].push(String(chunk)) > 0,
  });
  const code = await main(args, { stdout: stream("stdout", false), stderr: stream("stderr", terminal) }, signal);
  const [stdout, stderr] = [written.stdout.join(""), written.stderr.join("")];
  return { code, stdout, stderr, json: args.includes("--json") && stdout ? JSON.parse(stdout) : undefined };
}
