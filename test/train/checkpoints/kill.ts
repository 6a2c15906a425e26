/** The real program in a process of its own, which may be ended with kill -9 at a moment that the caller draws. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../../../dist/cli/bin.js", import.meta.url));

export interface RootstockOptions {
  /** Folder of caches: runs that are compared may share it or not. */
  readonly cache: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** What the program prints, on either stream, before time is counted. It counts from the start by default. */
  readonly after?: string | RegExp | undefined;
  /** Milliseconds after which it is killed, unless it has ended. It runs to its end by default. */
  readonly killMs?: number | undefined;
  /** Milliseconds that a program without an end may take. @default 120_000 */
  readonly limitMs?: number | undefined;
}

/** What became of a program. */
export interface Ended {
  /** Whether the moment came before its end. */
  readonly killed: boolean;
  /** Exit code; null where it was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Milliseconds that were counted: from its start or from what was waited for; undefined where that never came. */
  readonly ms: number | undefined;
}

/**
 * Runs `rootstock` with arguments such as ["train", data, "--out", run] and returns what it printed. To kill a run at
 * random moments, run it once to its end, and draw `killMs` between 0 and the `ms` that took.
 * @throws if it takes longer than the limit.
 */
export async function rootstock(
  args: readonly string[],
  { cache, env = {}, after = "", killMs, limitMs = 120_000 }: RootstockOptions,
): Promise<Ended> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: { ...process.env, ...env, ROOTSTOCK_CACHE: cache },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = { stdout: "", stderr: "" };
  let since: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    if (since !== undefined || !(text.stdout.match(after) || text.stderr.match(after))) return;
    since = performance.now();
    if (killMs !== undefined) timer = setTimeout(() => child.kill("SIGKILL"), killMs);
  };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      text[name] += chunk;
      look();
    });
  look(); // there may be nothing to wait for
  let late = false;
  const limit = setTimeout(() => {
    late = child.kill("SIGKILL");
  }, limitMs);
  const [code, signal] = await once(child, "close");
  const ms = since === undefined ? undefined : performance.now() - since;
  clearTimeout(timer);
  clearTimeout(limit);
  if (late) throw new Error(`rootstock ${args.join(" ")} did not end in ${limitMs} ms: ${text.stderr.slice(-2000)}`);
  return { killed: signal === "SIGKILL", code, ...text, ms };
}
